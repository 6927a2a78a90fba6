// Owns the pace of deliveries: at once after a commit of this process, and soon after one of another. Does not
// own the walk (outbox/deliver.ts).

import type { Database } from '../db/database.js';
import type { Deliverer } from '../outbox/deliver.js';
import type { Job, JobResult } from './job.js';

export interface DeliverDeps {
  deliverer: Pick<Deliverer, 'pump' | 'stop'>;
  /** Those whose commits may leave deliveries behind. */
  databases: readonly Pick<Database, 'onCommit'>[];
}

/**
 * How long a delivery that another process has written waits at most. A NOTIFY with each commit would be
 * quicker, but Postgres holds one lock for all of a server's notifying commits.
 */
const POLL_MS = 100;

export async function runOnce({ deliverer }: Pick<DeliverDeps, 'deliverer'>, now: Date): Promise<JobResult> {
  const claimed = await deliverer.pump(now);
  return { more: claimed > 0, counts: { claimed } };
}

export function deliverDueWebhooks(deps: DeliverDeps): Job {
  return {
    name: 'deliver-due-webhooks',
    schedule: '* * * * * *',
    pollMs: POLL_MS,
    onWork(wake) {
      for (const database of deps.databases) database.onCommit('deliveries', wake);
    },
    runOnce: (now) => runOnce(deps, now),
    stop: () => deps.deliverer.stop(),
  };
}
