// Owns going on with backtests. Does not own their work (backtests/).

import type { BacktestsService } from '../backtests/service.js';
import type { Job, JobResult } from './job.js';

export interface BacktestsDeps {
  backtests: Pick<BacktestsService, 'advance'>;
}

export async function runOnce({ backtests }: BacktestsDeps, now: Date): Promise<JobResult> {
  const { customers, finished, more } = await backtests.advance(now);
  return { more, counts: { customers, finished } };
}

export function runBacktests(deps: BacktestsDeps): Job {
  return { name: 'run-backtests', schedule: '* * * * * *', runOnce: (now) => runOnce(deps, now) };
}
