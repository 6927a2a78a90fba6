// The service as a process of its own, as an operator runs it: started by its entry, told by signals.

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../src/environment.js';

const ENTRY = fileURLToPath(new URL('../../src/server.js', import.meta.url));

/** In the log's line or in the banner's. Fastify's own line comes before everything is up. */
const READY = /(?:"url":"|Perennial .* )(http:\/\/[^\s"/]+)/;

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ServiceProcess {
  pid: number;
  exited: Promise<Exit>;
  stdout: () => string;
  stderr: () => string;
  /** Waits until standard output matches; fails when the process ends before it does. */
  until(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Waits until the service says where it listens. */
  url(): Promise<string>;
  kill(signal: NodeJS.Signals): void;
}

export interface SpawnOptions {
  environment: Environment;
  /** Arguments of Node's own, before the entry. */
  nodeArgs?: string[];
}

interface Teardown {
  teardown(work: () => unknown): void;
}

/** On a free port unless told otherwise; killed when the test ends, if it still runs. */
export function spawnService(t: Teardown, { environment, nodeArgs = [] }: SpawnOptions): ServiceProcess {
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', PORT: '0', ...environment };
  const child = spawn(process.execPath, [...nodeArgs, ENTRY], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const until = (pattern: RegExp) => untilOutput(child, pattern, output);
  return {
    pid: child.pid ?? 0,
    exited,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    until,
    url: async () => (await until(READY))[1] ?? '',
    kill: (signal) => void child.kill(signal),
  };
}

function untilOutput(
  child: ChildProcess,
  pattern: RegExp,
  output: { stdout: string; stderr: string },
): Promise<RegExpMatchArray> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const found = output.stdout.match(pattern);
      if (found === null) return;
      child.stdout?.off('data', look);
      resolve(found);
    };
    child.stdout?.on('data', look);
    child.once('close', () =>
      reject(new Error(`the process ended before ${pattern}: ${output.stdout}${output.stderr}`)),
    );
    look();
  });
}
