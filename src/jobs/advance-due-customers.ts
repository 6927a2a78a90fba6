// Owns the tick: customers whose time has come. Does not own what becomes of them (transitions/).

import type { TransitionsService } from '../transitions/service.js';
import type { Job, JobResult } from './job.js';

export interface AdvanceDeps {
  transitions: Pick<TransitionsService, 'advanceDue'>;
}

export async function runOnce({ transitions }: AdvanceDeps, now: Date): Promise<JobResult> {
  const { advanced, setAside, more } = await transitions.advanceDue(now);
  return { more, counts: { advanced, setAside } };
}

export function advanceDueCustomers(deps: AdvanceDeps): Job {
  return { name: 'advance-due-customers', schedule: '* * * * * *', runOnce: (now) => runOnce(deps, now) };
}
