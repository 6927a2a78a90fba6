// Owns one run of the server: its settings, its start until it answers, its end. Does not own when it is
// started again (index.ts).
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Account } from './account.js';
import { spawnOptions } from './child.js';
import { EmbeddedPostgresError } from './fault.js';

/** The part of a pino logger that is needed here. */
export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

export interface PostmasterOptions {
  postgres: string;
  clusterDir: string;
  account: Account | undefined;
  port: number;
  isDurable: boolean;
  log: Log;
}

export interface Postmaster {
  /** Fulfilled when the process is gone, for whatever reason. */
  exited: Promise<void>;
  /** Fast shutdown: sessions end, what is committed is written. */
  stop(): Promise<void>;
}

export class PortTakenError extends Error {}
/** Sessions of a killed server have not all ended: they will within moments. */
export class StillInUseError extends Error {}

const STOP_PATIENCE_MS = 30_000;
const LINES_KEPT_MAX = 20;

/** Starts the server and waits until it accepts connections; recovery after a crash takes what it takes. */
export async function startPostmaster(options: PostmasterOptions): Promise<Postmaster> {
  const child = spawn(options.postgres, serverArgs(options), {
    ...spawnOptions(options.account),
    // A session of its own: Ctrl-C goes to the whole foreground group, and would stop the database
    // before Node has finished what is in flight.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  const guard = child.pid === undefined ? undefined : spawnGuard(child.pid, options.account);
  void exited.then(() => guard?.kill('SIGKILL'));
  await untilReady(child, options.log);
  release(child);
  return { exited, stop: () => stopChild(child, exited) };
}

function serverArgs({ clusterDir, port, isDurable }: PostmasterOptions): string[] {
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 100,
    shared_buffers: '256MB',
    effective_cache_size: '1GB',
    random_page_cost: 1.1,
    wal_compression: 'off',
    // A first import fills empty tables: what was planned for them is planned anew within seconds.
    autovacuum_naptime: '5s',
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    lc_messages: 'C',
    fsync: isDurable ? 'on' : 'off',
    full_page_writes: isDurable ? 'on' : 'off',
    // Waits for the operating system at least: a killed server then loses nothing either way.
    synchronous_commit: 'on',
    // Errors of statements reach their caller; in the log they would show personal data.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
    log_line_prefix: '',
  };
  return [
    '-D',
    clusterDir,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
}

function untilReady(child: ChildProcess, log: Log): Promise<void> {
  const lines: string[] = [];
  return new Promise((resolve, reject) => {
    if (child.stderr) {
      createInterface({ input: child.stderr }).on('line', (line) => {
        lines.push(line);
        if (lines.length > LINES_KEPT_MAX) lines.shift();
        logLine(log, line);
        if (line.includes('ready to accept connections')) resolve();
      });
    }
    child.once('error', (error) =>
      reject(new EmbeddedPostgresError(`Postgres cannot be run: ${error.message}`)),
    );
    // 'close' and not 'exit': the reason may still be on its way through the pipe.
    child.once('close', () => reject(startError(lines)));
  });
}

function startError(lines: string[]): Error {
  const text = lines.join('\n');
  if (text.includes('Address already in use')) return new PortTakenError(text);
  if (text.includes('shared memory block') && text.includes('still in use')) return new StillInUseError(text);
  const reason = lines.findLast((line) => /^(FATAL|PANIC):/.test(line)) ?? lines.at(-1);
  return new EmbeddedPostgresError(`Postgres does not start: ${reason ?? 'it says nothing'}`);
}

function logLine(log: Log, line: string): void {
  if (line.startsWith('PANIC:')) log.error(`postgres: ${line}`);
  else if (line.startsWith('FATAL:')) log.warn(`postgres: ${line}`);
  else log.debug(`postgres: ${line}`);
}

/**
 * A shell that waits for our end of its pipe to close, which the kernel does however we die, SIGKILL
 * included, and then shuts the server down: no database is left behind that nobody serves.
 */
function spawnGuard(pid: number, account: Account | undefined): ChildProcess {
  const guard = spawn('/bin/sh', ['-c', 'read -r _; kill -INT "$0"', String(pid)], {
    ...spawnOptions(account),
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.on('error', () => undefined);
  release(guard);
  return guard;
}

/** Lets Node end by itself when nothing else is left to do; the guard stops the server then. */
function release(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdin, child.stderr]) {
    if (stream && 'unref' in stream && typeof stream.unref === 'function') stream.unref();
  }
}

async function stopChild(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  child.kill('SIGINT');
  // An immediate shutdown loses nothing that was committed: the next start recovers it.
  const impatience = setTimeout(() => child.kill('SIGQUIT'), STOP_PATIENCE_MS);
  await exited;
  clearTimeout(impatience);
}
