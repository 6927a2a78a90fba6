// Owns giving new events their places in the feed, tenant by tenant. Does not own the giving (outbox/).

import type { Database } from '../db/database.js';
import { numberNew } from '../outbox/number.js';
import type { Job, JobResult } from './job.js';

export interface NumberDeps {
  database: Database;
}

export async function runOnce({ database }: NumberDeps, now: Date): Promise<JobResult> {
  const numbered = await numberNew(database, now);
  return { more: numbered > 0, counts: { numbered } };
}

export function numberEvents(deps: NumberDeps): Job {
  return { name: 'number-events', schedule: '* * * * * *', runOnce: (now) => runOnce(deps, now) };
}
