// Owns how the server's programs are run: as which user, in which environment, away from our terminal.
import type { SpawnOptions } from 'node:child_process';
import { spawnSync } from 'node:child_process';
import type { Account } from './account.js';

export interface Outcome {
  ok: boolean;
  /** What it wrote to stderr, or why it could not be run. */
  detail: string;
}

/**
 * The environment is made anew: PGDATA, PGPORT and a locale of ours would change what the programs do, and
 * TZ spares initdb a search through every time zone there is.
 */
export function spawnOptions(account: Account | undefined): SpawnOptions {
  return {
    cwd: '/',
    env: { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' },
    ...(account && { uid: account.uid, gid: account.gid }),
  };
}

/** Runs a short command to its end. */
export function runAs(account: Account | undefined, file: string, args: string[]): Outcome {
  const { env, uid, gid } = spawnOptions(account);
  const result = spawnSync(file, args, {
    cwd: '/',
    env,
    uid,
    gid,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (result.error) return { ok: false, detail: result.error.message };
  return {
    ok: result.status === 0,
    detail: result.stderr.trim() || `exit ${result.status ?? result.signal}`,
  };
}
