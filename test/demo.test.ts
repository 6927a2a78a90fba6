// `npm run demo` as a stranger runs it: a process of its own, on real purchases, against the published figures.

import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

/** Nine months of a shop take their time where the machine is busy with other tests. */
t.setTimeout(280_000);

const DEMO = fileURLToPath(new URL('../scripts/demo/main.js', import.meta.url));

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A folder for all that the demo puts into temporary ones, which its database's own user can pass through. */
function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'perennial-demo-test-'));
  chmodSync(dir, 0o711);
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Ends the demo by Ctrl-C once its output matches, where `interruptAt` is given. */
function runDemo(
  args: string[],
  { dir, interruptAt }: { dir: string; interruptAt?: RegExp },
): Promise<Ended> {
  const env = { PATH: process.env.PATH, TMPDIR: dir };
  const child = spawn(process.execPath, [DEMO, ...args], {
    env,
    cwd: dir,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const matched = interruptAt?.test(stdout);
    stdout += text;
    if (matched === false && interruptAt?.test(stdout)) child.kill('SIGINT');
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}

t.test('the demo gives the published figures, and its partner hears once of every transition', async (t) => {
  const dir = temporaryDir();
  const { code, stdout, stderr } = await runDemo(['--json', '--svg=stages.svg'], { dir });
  t.equal(code, 0, stderr);
  t.match(stdout, /^\{.*\}\n$/, 'standard output is one JSON object and nothing else');
  const { seconds, transitions, webhooks, ...figures } = JSON.parse(stdout);
  t.strictSame(figures, {
    customers: 2357,
    orders: 6919,
    purchaseDays: 6696,
    stages: { prospect: 0, new: 0, mature: 251, declining: 160, churned: 1946 },
    churn: { tp: 1549, fp: 397, fn: 124, tn: 287 },
  });
  t.ok(seconds > 0);
  t.equal(transitions['null→new'], 2357, 'every customer is first seen with a purchase');
  const told = Object.values<number>(transitions).reduce((sum, count) => sum + count, 0);
  t.strictSame(webhooks, { sent: told, received: told, verified: told, duplicates: 0 });
  // Whoever is in a stage at the end has come into it once more than they have left it.
  const into = (stage: string) => sumWhere(transitions, (name) => name.endsWith(`→${stage}`));
  const outOf = (stage: string) => sumWhere(transitions, (name) => name.startsWith(`${stage}→`));
  for (const [stage, count] of Object.entries(figures.stages))
    t.equal(into(stage) - outOf(stage), count, stage);
  const svg = readFileSync(join(dir, 'stages.svg'), 'utf8');
  for (const label of ['<svg', 'Churned', '1,946 at the cut', 'Sep', '2,500']) t.match(svg, label);
  t.strictSame(readdirSync(dir), ['stages.svg'], 'its database is gone');
});

t.test('Ctrl-C ends the demo and takes its database along', async (t) => {
  const dir = temporaryDir();
  const { code, stdout } = await runDemo([], { dir, interruptAt: /1997-01-07/ });
  t.equal(code, 130);
  t.notMatch(stdout, '1997-09-30  ', 'it had not come to the cut');
  t.strictSame(readdirSync(dir), []);
});

function sumWhere(counts: Record<string, number>, matches: (name: string) => boolean): number {
  const found = Object.entries(counts).filter(([name]) => matches(name));
  return found.reduce((sum, [, count]) => sum + count, 0);
}
