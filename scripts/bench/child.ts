// Owns a server in a process of its own: starting it, learning where it listens, ending it. Does not own what
// it serves.

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Lifetime } from '../lifetime.js';

export interface ServerProcess {
  pid: number;
  url: string;
  /** From the start of the process to its saying where it listens. */
  startedInMs: number;
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** The compiled file. */
  entry: URL;
  environment: Record<string, string>;
}

const URL_PATTERN = /https?:\/\/[\w.:[\]]+:\d+/;
const STOP_MAX_MS = 20_000;

/** Listens on any free port; stopped at the end of `lifetime` at the latest. */
export async function startServer(lifetime: Lifetime, options: ServerOptions): Promise<ServerProcess> {
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, [fileURLToPath(options.entry)], {
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: '0',
      ...options.environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = () => end(child);
  lifetime.atEnd(stop);
  const url = await untilUrl(child);
  return { pid: child.pid ?? 0, url, startedInMs: performance.now() - startedAtMs, stop };
}

function untilUrl(child: ChildProcess): Promise<string> {
  let output = '';
  return new Promise((resolve, reject) => {
    const read = (text: string) => {
      // What a server says later is read, so that it never blocks on a full pipe, and not kept.
      if (output.length < 65_536) output += text;
    };
    child.stderr?.setEncoding('utf8').on('data', read);
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      read(text);
      const [url] = URL_PATTERN.exec(text) ?? [];
      if (url !== undefined) resolve(url);
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      reject(new Error(`the server ended (${code ?? signal}) before it listened: ${output}`));
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGTERM');
  const killing = setTimeout(() => child.kill('SIGKILL'), STOP_MAX_MS);
  await closed;
  clearTimeout(killing);
}
