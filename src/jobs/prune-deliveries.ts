// Owns when events and deliveries are pruned that were kept for long enough. Does not own which those are
// (outbox/retention.ts).

import type { Database } from '../db/database.js';
import { pruneOld } from '../outbox/retention.js';
import type { Job, JobResult } from './job.js';

export interface PruneDeliveriesDeps {
  database: Database;
  /** 0 keeps everything. */
  retentionDays: number;
}

export async function runOnce(deps: PruneDeliveriesDeps, now: Date): Promise<JobResult> {
  const { more, ...counts } = await pruneOld(deps, now);
  return { more, counts };
}

export function pruneDeliveries(deps: PruneDeliveriesDeps): Job {
  return { name: 'prune-deliveries', schedule: '25 11 * * * *', runOnce: (now) => runOnce(deps, now) };
}
