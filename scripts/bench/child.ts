// Owns a server in a process of its own: starting it, learning where it listens, ending it. Does not own what
// it serves.

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Lifetime } from '../lifetime.js';

export interface ServerProcess {
  pid: number;
  url: string;
  /** From the start of the process to its saying where it listens. */
  startedInMs: number;
  stop(): Promise<void>;
  /** Without a word of warning; resolves when it is gone. */
  kill(): Promise<void>;
}

export interface ServerOptions {
  /** The compiled file. */
  entry: URL;
  environment: Record<string, string>;
}

const URL_PATTERN = /https?:\/\/[\w.:[\]]+:\d+/;
const PACKAGE = new URL('../../../package.json', import.meta.url);
const STOP_MAX_MS = 20_000;
const OUTPUT_KEPT = 8_192;

/** Those that `npm start` gives to Node: what is measured is started as it is in earnest. */
function nodeFlags(): string[] {
  const { scripts } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { scripts: { start: string } };
  return scripts.start.split(' ').filter((word) => word.startsWith('--'));
}

/** Listens on any free port; stopped at the end of `lifetime` at the latest. */
export async function startServer(lifetime: Lifetime, options: ServerOptions): Promise<ServerProcess> {
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, [...nodeFlags(), fileURLToPath(options.entry)], {
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: '0',
      ...options.environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let isStopping = false;
  const stop = () => {
    isStopping = true;
    return end(child);
  };
  const kill = () => {
    isStopping = true;
    return end(child, 'SIGKILL');
  };
  lifetime.atEnd(stop);
  const output = watch(child);
  child.once('close', (code, signal) => {
    // Whoever was asking something of it only sees that the connection has gone.
    if (!isStopping)
      process.stderr.write(`bench: a server ended by itself (${code ?? signal}): ${output()}\n`);
  });
  const url = await untilUrl(child);
  return { pid: child.pid ?? 0, url, startedInMs: performance.now() - startedAtMs, stop, kill };
}

/** Reads what the server says, so that it never blocks on a full pipe; answers the last of it. */
function watch(child: ChildProcess): () => string {
  let last = '';
  const read = (text: string) => {
    last = (last + text).slice(-OUTPUT_KEPT);
  };
  child.stdout?.setEncoding('utf8').on('data', read);
  child.stderr?.setEncoding('utf8').on('data', read);
  return () => last;
}

function untilUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (text: string) => {
      const [url] = URL_PATTERN.exec(text) ?? [];
      if (url !== undefined) resolve(url);
    });
    child.once('error', reject);
    child.once('close', () => reject(new Error('the server ended before it listened')));
  });
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill(signal);
  const killing = setTimeout(() => child.kill('SIGKILL'), STOP_MAX_MS);
  await closed;
  clearTimeout(killing);
}
