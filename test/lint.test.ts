// Every rule that the lint holds over the architecture: each fires on the smallest file that breaks it, and
// none on files that keep to it. A rule that has silently stopped matching would otherwise look like peace.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const STORE = "A module's store is its own: import its service.";
const TABLE = "A module's tables are its own: import its service.";
const PURE = 'lifecycle/ imports only itself and typebox.';
const NO_STORE = 'Routes and jobs call a service, never a store.';
const NO_TABLE_UP = 'A table imports other tables, and nothing above it.';
const LEDGER = 'transitions/ calls no module but the outbox.';
const CRON = 'Only jobs/scheduler.ts imports node-cron.';
const NETWORK = 'Only webhooks/transport.ts reaches the network.';
const HTTP = 'HTTP ends at routes, plugins/ and api/: nothing else imports fastify.';
const CLOCK = 'Take now as a parameter instead of reading the clock.';
const PURE_CALLS = 'The core neither waits nor draws lots.';

type Sample = [path: string, line: string, message: string];

const VIOLATIONS: Sample[] = [
  ['src/lifecycle/decide.ts', "import { x } from '../customers/service.js';", PURE],
  ['src/lifecycle/facts.ts', "import { readFileSync } from 'node:fs';", PURE],
  ['src/lifecycle/policy.ts', "export { x } from '../db/database.js';", PURE],
  ['src/lifecycle/models/fit.ts', "import { x } from '../../errors.js';", PURE],
  ['src/lifecycle/models/gamma.ts', "import pg from 'pg';", PURE],
  ['src/lifecycle/walk.ts', 'export const now = Date.now();', CLOCK],
  ['src/lifecycle/replay.ts', 'export const x = Math.random();', PURE_CALLS],
  ['src/lifecycle/wait.ts', 'export const x = async (y: Promise<void>) => await y;', PURE_CALLS],
  ['src/errors.ts', "import { x } from './config.js';", 'errors.ts imports nothing.'],
  ['src/orders/service.ts', "import { x } from '../customers/store.js';", STORE],
  ['src/orders/late.ts', "import type { X } from '../customers/list-store.js';", STORE],
  ['src/orders/lazy.ts', "export const x = () => import('../customers/store.js');", STORE],
  ['src/orders/deep/x.ts', "import { x } from '../../customers/store.js';", STORE],
  ['src/app.ts', "import { x } from './orders/store.js';", STORE],
  ['src/orders/plan.ts', "import { x } from '../customers/table.js';", TABLE],
  ['src/server.ts', "import { x } from './customers/table.js';", TABLE],
  ['src/orders/routes.ts', "import { x } from './store.js';", NO_STORE],
  ['src/tags/routes.ts', "import type { X } from './list-store.js';", NO_STORE],
  ['src/jobs/advance.ts', "import { x } from '../orders/store.js';", STORE],
  ['src/tags/service.ts', "import { x } from './routes.js';", 'A service never imports routes.'],
  ['src/tags/store.ts', "import { x } from './service.js';", 'A store never imports a service or routes.'],
  ['src/pools/store.ts', "import { x } from './routes.js';", 'A store never imports a service or routes.'],
  ['src/tags/table.ts', "import { x } from './store.js';", NO_TABLE_UP],
  ['src/pools/table.ts', "import { x } from '../orders/service.js';", NO_TABLE_UP],
  ['src/transitions/service.ts', "import { x } from '../orders/service.js';", LEDGER],
  ['src/jobs/deliver.ts', "import cron from 'node-cron';", CRON],
  ['src/webhooks/service.ts', "import { Agent } from 'undici';", NETWORK],
  ['src/webhooks/send.ts', "export const x = fetch('https://example.com');", NETWORK],
  ['src/webhooks/post.ts', "export const x = fetch('https://example.com', { method: 'POST' });", NETWORK],
  ['src/customers/service.ts', "import type { FastifyRequest } from 'fastify';", HTTP],
  ['src/customers/store.ts', "import x from '@fastify/swagger';", HTTP],
  ['src/policies/service.ts', 'export const now = new Date();', CLOCK],
  ['src/policies/list-store.ts', 'export const now = Date.now();', CLOCK],
  ['src/outbox/retry.ts', 'export const now = new Date();', CLOCK],
  ['src/policies/limits.ts', 'export const x = process.env.PORT;', 'noProcessEnv'],
  ['src/circle/a.ts', "export { b as a } from './b.js';", 'noImportCycles'],
  ['src/circle/b.ts', "export { a as b } from './a.js';", 'noImportCycles'],
  ['src/ring/a.ts', "import type { B } from './b.js';\nexport type A = B[] | 1;", 'noImportCycles'],
  ['src/ring/b.ts', "import type { A } from './a.js';\nexport type B = A[] | 2;", 'noImportCycles'],
];

const CONFORMING: [path: string, line: string][] = [
  ['src/lifecycle/decide.ts', "export { x } from './facts.js';"],
  ['src/lifecycle/facts.ts', "export { Type as x } from 'typebox';"],
  ['src/lifecycle/models/fit.ts', "export { x } from '../facts.js';"],
  ['src/lifecycle/models/gamma.ts', 'export const x = (at: number) => new Date(at).getTime();'],
  ['src/errors.ts', 'export const x = 1;'],
  ['src/services.ts', "export { x } from './orders/store.js';"],
  ['src/orders/routes.ts', "import 'fastify';\nexport { x } from './service.js';"],
  [
    'src/orders/service.ts',
    "export { x } from './store.js';\nexport { x as y } from '../customers/service.js';",
  ],
  ['src/orders/store.ts', "export { x } from './table.js';"],
  ['src/orders/table.ts', "export { x } from '../customers/table.js';"],
  ['src/orders/deep/x.ts', "export { x } from '../store.js';"],
  ['src/customers/table.ts', "export { x } from '../errors.js';"],
  ['src/customers/service.ts', 'export const x = (now: Date) => new Date(now.getTime() + 1);'],
  ['src/transitions/service.ts', "export { x } from '../outbox/service.js';"],
  ['src/transitions/store.ts', "export { x } from '../orders/table.js';"],
  ['src/outbox/service.ts', 'export const x = 1;'],
  ['src/jobs/scheduler.ts', "import 'node-cron';\nexport const x = () => Date.now();"],
  ['src/webhooks/transport.ts', "export { Agent } from 'undici';"],
  ['src/plugins/auth.ts', "export { fastify } from 'fastify';\nexport { x } from '../orders/service.js';"],
  ['src/db/unit.ts', "export { x } from '../orders/table.js';"],
  ['src/config.ts', 'export const x = process.env.PORT;'],
];

interface Diagnostic {
  message: string;
  category: string;
  location: { path: string };
}

t.test('each rule fires on a file that breaks it', async (t) => {
  const found = await lint(t, VIOLATIONS);
  for (const [path, line, expected] of VIOLATIONS) {
    const own = found.filter((diagnostic) => diagnostic.location.path === path);
    const seen = own.map(({ message, category }) => (category === 'plugin' ? message : category));
    t.ok(
      seen.some((text) => text === expected || text.endsWith(`/${expected}`)),
      `${path}: ${line}`,
      { expected, seen },
    );
  }
});

t.test('no rule fires on files that keep to them', async (t) => {
  t.same(await lint(t, CONFORMING), []);
});

/** The project's own configuration over a tree of samples. */
async function lint(
  t: { teardown(work: () => void): void },
  samples: readonly (readonly [string, string, ...unknown[]])[],
): Promise<Diagnostic[]> {
  const dir = mkdtempSync(join(realpathSync(tmpdir()), 'perennial-lint-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  for (const name of ['biome.json', 'lint', 'package.json'])
    cpSync(join(ROOT, name), join(dir, name), { recursive: true });
  for (const [path, line] of samples) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), `${line}\n`);
  }
  const args = ['lint', '--reporter=json', '--max-diagnostics=none'];
  const text = await new Promise<string>((resolve) => {
    execFile(join(ROOT, 'node_modules', '.bin', 'biome'), args, { cwd: dir }, (_error, stdout) =>
      resolve(stdout),
    );
  });
  return (JSON.parse(text) as { diagnostics: Diagnostic[] }).diagnostics.filter(
    ({ category }) => category === 'plugin' || /noImportCycles|noProcessEnv/.test(category),
  );
}
