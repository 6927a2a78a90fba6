// Owns the ways in which a database fails its clients here: a restart, sessions that are ended, and a lock under
// which every connection of a pool ends up waiting. Does not own what is measured of it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Stage } from '../../stage.js';

export interface Failure {
  name: string;
  strike(stage: Stage): Promise<void>;
}

const LOCKED_MS = 5_000;

export const FAILURES: readonly Failure[] = [
  { name: 'Postgres restarted', strike: restart },
  { name: 'every session ended', strike: endSessions },
  { name: `pool exhausted for ${LOCKED_MS / 1_000} s`, strike: exhaust },
];

/** The server is told to stop at once; whoever keeps it running starts it again, on the same port. */
async function restart({ query }: Stage): Promise<void> {
  const [row] = await query<{ data_directory: string }>('SHOW data_directory');
  const pidFile = join(row?.data_directory ?? '', 'postmaster.pid');
  process.kill(Number.parseInt(readFileSync(pidFile, 'utf8'), 10), 'SIGINT');
}

async function endSessions({ query }: Stage): Promise<void> {
  await query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'perennial'`);
}

async function exhaust({ databaseUrl }: Stage): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('BEGIN; LOCK TABLE deliveries, events IN ACCESS EXCLUSIVE MODE');
  await delay(LOCKED_MS);
  const { rowCount } = await client.query(
    `SELECT FROM pg_stat_activity WHERE application_name = 'perennial' AND wait_event_type IS DISTINCT FROM 'Lock'`,
  );
  await client.query('ROLLBACK');
  await client.end();
  if (rowCount !== 0) throw new Error('the pool had a connection left');
}
