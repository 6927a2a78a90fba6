// Owns going on with the walks over all customers that a new version asks for. Does not own the walk
// (policies/).

import type { PoliciesService } from '../policies/service.js';
import type { Job, JobResult } from './job.js';

export interface RecomputeDeps {
  policies: Pick<PoliciesService, 'recomputeDue'>;
}

export async function runOnce({ policies }: RecomputeDeps, now: Date): Promise<JobResult> {
  const { customers, finished } = await policies.recomputeDue(now);
  return { more: customers > 0, counts: { customers, finished } };
}

export function recomputeCustomers(deps: RecomputeDeps): Job {
  return { name: 'recompute-customers', schedule: '* * * * * *', runOnce: (now) => runOnce(deps, now) };
}
