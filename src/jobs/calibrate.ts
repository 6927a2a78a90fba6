// Owns the scheduled fits of tenants' cadences. Does not own the fit or how often a tenant has one (policies/).

import type { PoliciesService } from '../policies/service.js';
import type { Job, JobResult } from './job.js';

export interface CalibrateDeps {
  policies: Pick<PoliciesService, 'calibrateDue'>;
}

export async function runOnce({ policies }: CalibrateDeps, now: Date): Promise<JobResult> {
  const { fitted, unchanged } = await policies.calibrateDue(now);
  return { more: false, counts: { fitted, unchanged } };
}

export function calibrate(deps: CalibrateDeps): Job {
  return { name: 'calibrate', schedule: '20 * * * * *', runOnce: (now) => runOnce(deps, now) };
}
