// Owns `npm run check`: everything that can be said of the sources without running the tests. Every step
// runs, and every step that fails is reported. Does not own the rules (biome.json, lint/, tsconfig.json,
// openapi/.spectral.yaml).
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => join(root, ...parts);
const STEP_TIMEOUT_MS = 300_000;

const STEPS = [
  // Import directions and circles are among the lint rules.
  {
    name: 'format, lint, import directions',
    run: () => program('biome', 'check', '--error-on-warnings', '--colors=off'),
  },
  { name: 'types', run: () => program('tsc', '-p', 'tsconfig.json', '--noEmit') },
  { name: 'OpenAPI document as generated', run: () => node('dist/scripts/openapi.js', '--check') },
  { name: 'OpenAPI rules', run: checkOpenApiRules },
  { name: 'migrations as the tables are', run: checkMigrations },
];

let failures = 0;
for (const { name, run } of STEPS) {
  const { ok, output } = await run();
  process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} ${name}\n`);
  if (ok) continue;
  failures += 1;
  process.stdout.write(`${output.trimEnd()}\n\n`);
}
process.stdout.write(
  failures === 0 ? 'All checks passed.\n' : `${failures} of ${STEPS.length} checks failed.\n`,
);
process.exitCode = failures === 0 ? 0 : 1;

function checkOpenApiRules() {
  const ruleset = ['--ruleset', 'openapi/.spectral.yaml', '--fail-severity', 'warn'];
  return program('spectral', 'lint', 'openapi/openapi.json', ...ruleset);
}

/** Generates into a copy: when that adds a migration, the committed ones do not make the tables of today. */
async function checkMigrations() {
  const scratch = mkdtempSync(join(tmpdir(), 'perennial-migrations-'));
  try {
    const copy = join(scratch, 'migrations');
    cpSync(at('migrations'), copy, { recursive: true });
    const config = join(scratch, 'drizzle.config.ts');
    // drizzle-kit puts ./ before its paths, so they have to be relative.
    const settings = `{ ...base, out: ${JSON.stringify(relative(root, copy))} }`;
    const base = JSON.stringify(at('drizzle.config.ts'));
    writeFileSync(config, `import base from ${base};\nexport default ${settings};\n`);
    const result = await program('drizzle-kit', 'generate', '--config', relative(root, config));
    const added = readdirSync(copy).filter((file) => !readdirSync(at('migrations')).includes(file));
    if (!result.ok || added.length === 0) return result;
    const statements = added.map((file) => readFileSync(join(copy, file), 'utf8')).join('\n');
    return { ok: false, output: `Run npm run migrations. It would add:\n${statements}` };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function program(name, ...args) {
  const extension = process.platform === 'win32' ? '.cmd' : '';
  return capture(at('node_modules', '.bin', `${name}${extension}`), args);
}

function node(...args) {
  return capture(process.execPath, args);
}

function capture(command, args) {
  const child = spawn(command, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32' && command.endsWith('.cmd'),
    timeout: STEP_TIMEOUT_MS,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ ok: false, output: error.message }));
    child.once('close', (code) => resolve({ ok: code === 0, output }));
  });
}
