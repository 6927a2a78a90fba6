// Owns one test run: one throw-away Postgres for all test files, tap over what was compiled to dist/test,
// and the count in the last line. Does not own building (ensure.mjs) or a file's own database
// (test/helpers/postgres.ts).
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => join(root, ...parts);
const FAILURE_LINES_MAX = 200;
const CURSOR_CODES = ['\u001b[?25h', '\u001b[?25l'];

const { options, files } = readArguments(process.argv.slice(2));
const scratch = join(tmpdir(), `perennial-test-${randomBytes(6).toString('hex')}`);
const report = `${scratch}.tap`;
const postgres = await startPostgres();
try {
  await buildTap();
  process.exitCode = await runTap();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  await postgres.stop();
}
const { passed, failed } = readCounts();
if (failed > 0) process.stdout.write(readFailures());
// A run that was killed or found nothing has no result, which is not a good one.
if (process.exitCode === 0 && (failed > 0 || passed === 0)) process.exitCode = 1;
rmSync(scratch, { recursive: true, force: true });
rmSync(report, { force: true });
process.stdout.write(`${passed} passed, ${failed} failed\n`);

/** `npm test -- test/orders.test.ts` names a source, and `test/webhooks` a folder; the rest is tap's. */
function readArguments(args) {
  const named = args.filter((arg) => !arg.startsWith('-'));
  const found = (named.length === 0 ? ['test'] : named).flatMap(compiledFiles);
  return { options: args.filter((arg) => arg.startsWith('-')), files: found };
}

function compiledFiles(name) {
  const path = resolve(root, name.replace(/\.ts$/, '.js'));
  const compiled = relative(at('dist'), path).startsWith('..') ? at('dist', relative(root, path)) : path;
  if (!statSync(compiled, { throwIfNoEntry: false })?.isDirectory()) return [relative(root, compiled)];
  return readdirSync(compiled, { recursive: true })
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => relative(root, join(compiled, file)))
    .sort();
}

async function startPostgres() {
  if (process.env.TEST_DATABASE_URL) return { stop: async () => undefined };
  const { startEmbeddedPostgres } = await import('../dist/src/db/embedded/index.js');
  const say = (message) => process.stderr.write(`${message}\n`);
  const log = { debug: () => undefined, info: say, warn: say, error: say };
  const server = await startEmbeddedPostgres({ dataDir: scratch, log, fsync: false });
  process.env.TEST_DATABASE_URL = server.url;
  return server;
}

/** Tap compiles a Test class for the plugins in force; a run that finds another set finds no tests. */
async function buildTap() {
  const stamp = at('node_modules', '.perennial-tap');
  const config = createHash('sha256')
    .update(readFileSync(at('.taprc')))
    .update(readFileSync(at('package-lock.json')));
  const wanted = config.digest('hex');
  if (readText(stamp) === wanted) return;
  process.stderr.write('perennial: preparing tap…\n');
  if ((await tap(['build'], ['ignore', 2, 2])) !== 0) throw new Error('tap build failed');
  writeFileSync(stamp, wanted);
}

function runTap() {
  const args = ['run', `--output-file=${report}`, ...options, ...files];
  if (process.stdout.isTTY) return tap(args);
  // Without a terminal: the failures only, and none of the codes that hide and show its cursor.
  return tap(['run', '--reporter=min', ...args.slice(1)], ['inherit', 'pipe', 'inherit']);
}

function tap(args, stdio = 'inherit') {
  const child = spawn(process.execPath, [tapPath(), ...args], { cwd: root, stdio });
  child.stdout?.setEncoding('utf8').on('data', (text) => process.stdout.write(withoutCursor(text)));
  // Ctrl-C reaches tap too: here it must only not end us before the database has been stopped.
  const pass = (signal) => child.kill(signal);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, pass);
  return new Promise((done, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      for (const signal of signals) process.off(signal, pass);
      done(code ?? 1);
    });
  });
}

function withoutCursor(text) {
  return CURSOR_CODES.reduce((rest, code) => rest.replaceAll(code, ''), text);
}

function tapPath() {
  const dir = at('node_modules', 'tap');
  return join(dir, JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')).bin.tap);
}

/** Tap's own summary, e.g. `# { total: 12, pass: 11, fail: 1 }`, is the last of its kind in the report. */
function readCounts() {
  const summary = (readText(report) ?? '').match(/^# \{ total: .*\}$/gm)?.at(-1) ?? '';
  const count = (name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(summary)?.[1] ?? 0);
  return { passed: count('pass'), failed: count('fail') };
}

/** What failed, as paths of names: the reporter's own account may be cut where a log is kept short. */
function readFailures() {
  const lines = (readText(report) ?? '').split('\n').filter((line) => /^\s*(not ok|# Subtest:)/.test(line));
  const failures = lines.filter(
    (line, index) =>
      line.includes('not ok') ||
      lines
        .slice(index + 1)
        .find((next) => indentOf(next) <= indentOf(line))
        ?.includes('not ok'),
  );
  return `${failures.slice(0, FAILURE_LINES_MAX).join('\n')}\n`;
}

function indentOf(line) {
  return line.length - line.trimStart().length;
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
