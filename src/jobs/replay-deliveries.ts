// Owns taking the replays that people asked for further. Does not own the replays (outbox/).

import type { ReplaysService } from '../outbox/replays-service.js';
import type { Job, JobResult } from './job.js';

export interface ReplayDeps {
  replays: Pick<ReplaysService, 'advance'>;
}

export async function runOnce({ replays }: ReplayDeps, now: Date): Promise<JobResult> {
  const { queued, finished, more } = await replays.advance(now);
  return { more, counts: { queued, finished } };
}

export function replayDeliveries(deps: ReplayDeps): Job {
  return { name: 'replay-deliveries', schedule: '* * * * * *', runOnce: (now) => runOnce(deps, now) };
}
