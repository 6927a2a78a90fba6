// Owns the cluster's files: making them, once and completely, and clearing away what a killed server left.
// Does not own the running server.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Binaries } from './binaries.js';
import { spawnOptions } from './child.js';
import { codeOf, EmbeddedPostgresError } from './fault.js';
import type { Home } from './home.js';
import { findProcess } from './process.js';

export const SUPERUSER = 'perennial';

/** A fast shutdown writes what is dirty in memory first; shared_buffers bounds how long that takes. */
const ORPHAN_WAIT_MAX_MS = 60_000;
const ORPHAN_POLL_MS = 20;

/** Makes the cluster unless it exists. Renamed into place when complete: half a cluster is never started. */
export async function ensureCluster(home: Home, binaries: Binaries, isDurable: boolean): Promise<void> {
  if (existsSync(home.clusterDir)) return;
  removePartials(home.dir);
  // A name of its own: an initdb that outlived its killed process may still be writing to the last one.
  const partialDir = join(home.dir, `cluster-partial-${randomBytes(6).toString('hex')}`);
  const passwordFile = join(home.dir, 'password-partial');
  writeFileSync(passwordFile, `${home.password}\n`, { mode: 0o600 });
  try {
    if (home.account) chownSync(passwordFile, home.account.uid, home.account.gid);
    await runInitdb(home, binaries, [
      `--pgdata=${partialDir}`,
      `--pwfile=${passwordFile}`,
      `--username=${SUPERUSER}`,
      '--auth=scram-sha-256',
      // The built-in provider sorts by code point, alike on every machine and after every system upgrade.
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      ...(isDurable ? [] : ['--no-sync']),
    ]);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(partialDir, home.clusterDir);
  if (isDurable) syncDir(home.dir);
}

/** Stops a server that outlived its Perennial process, and removes a lock file that would mislead the next. */
export async function clearRemains({ clusterDir }: Home): Promise<'nothing' | 'stopped a server'> {
  const pidFile = join(clusterDir, 'postmaster.pid');
  const pid = readPid(pidFile);
  if (pid === undefined) return 'nothing';
  const orphan = findServer(pid, clusterDir);
  if (orphan) {
    stopOrphan(pid, clusterDir);
    const deadline = performance.now() + ORPHAN_WAIT_MAX_MS;
    while (findServer(pid, clusterDir)) {
      if (performance.now() > deadline) throw stuckError(clusterDir, pid);
      await delay(ORPHAN_POLL_MS);
    }
  }
  // Postgres copes with the file of a dead process, but takes a zombie, or a stranger that was given the
  // same pid, for the living server.
  if (findProcess(pid) !== undefined || isSignalable(pid)) rmSync(pidFile, { force: true });
  return orphan ? 'stopped a server' : 'nothing';
}

async function runInitdb(home: Home, { initdb }: Binaries, args: string[]): Promise<void> {
  const child = spawn(initdb, args, { ...spawnOptions(home.account), stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const ending = await new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? '' : `exit ${code ?? signal}`));
  });
  if (ending === '') return;
  throw new EmbeddedPostgresError(`cannot make a database in ${home.dir}: ${complaint.trim() || ending}`);
}

function removePartials(homeDir: string): void {
  for (const entry of readdirSync(homeDir)) {
    if (!entry.startsWith('cluster-partial')) continue;
    rmSync(join(homeDir, entry), { recursive: true, force: true, maxRetries: 3 });
  }
}

function readPid(pidFile: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new EmbeddedPostgresError(`the database in ${pidFile} belongs to another user (${codeOf(error)})`);
  }
}

/** The live server of this very cluster: any other program may have been given the pid since. */
function findServer(pid: number, clusterDir: string): ReturnType<typeof findProcess> {
  const found = findProcess(pid);
  return found?.command.includes(clusterDir) ? found : undefined;
}

function stopOrphan(pid: number, clusterDir: string): void {
  try {
    // SIGINT is Postgres's fast shutdown: sessions end, everything committed is written.
    process.kill(pid, 'SIGINT');
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return;
    throw new EmbeddedPostgresError(
      `a server of another user (pid ${pid}) runs in ${clusterDir}: stop it first`,
    );
  }
}

function isSignalable(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function stuckError(clusterDir: string, pid: number): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `the server left running in ${clusterDir} (pid ${pid}) does not stop within ${ORPHAN_WAIT_MAX_MS / 1000} s: stop it first`,
  );
}

/** Makes the rename last: without it a power cut could bring back the name that the next start clears away. */
function syncDir(dir: string): void {
  const fd = openSync(dir, 'r');
  fsyncSync(fd);
  closeSync(fd);
}
