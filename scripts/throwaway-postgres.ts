// Owns a Postgres server that a script uses up: in a folder of its own below the system's temporary one, which
// goes with it. Does not own what is in the database.

import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../src/db/embedded/index.js';
import type { Lifetime } from './lifetime.js';

export interface ThrowawayPostgres {
  /** Of the superuser, to the database `postgres`. */
  url: string;
  /** Starts the server anew, for settings that it reads only then. The address changes. */
  restart(): Promise<ThrowawayPostgres>;
}

export interface ThrowawayOptions {
  /** Whether a commit waits for the disk, as it does in production. */
  isDurable: boolean;
}

/** A path for a folder that nobody has made yet; whoever makes it knows best who has to reach into it. */
export function throwawayDir(lifetime: Lifetime, purpose: string): string {
  const dir = join(tmpdir(), `perennial-${purpose}-${randomBytes(6).toString('hex')}`);
  lifetime.atEnd(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export async function startThrowawayPostgres(
  lifetime: Lifetime,
  { isDurable }: ThrowawayOptions,
): Promise<ThrowawayPostgres> {
  const dataDir = throwawayDir(lifetime, 'postgres');
  let running: { stop(): Promise<void> } | undefined;
  const stop = async () => {
    const server = running;
    running = undefined;
    await server?.stop();
  };
  // Sessions that are still open when a server is stopped complain of it, which is no news.
  const complain = (message: string) => {
    if (running !== undefined) process.stderr.write(`postgres: ${message}\n`);
  };
  const log = { debug: silent, info: silent, warn: complain, error: complain };
  const start = async (): Promise<ThrowawayPostgres> => {
    const server = await startEmbeddedPostgres({ dataDir, log, fsync: isDurable });
    running = server;
    return { url: server.url, restart: () => stop().then(start) };
  };
  lifetime.atEnd(stop);
  return start();
}

const silent = () => undefined;
