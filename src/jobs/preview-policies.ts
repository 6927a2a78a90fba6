// Owns going on with the previews of what a policy would do. Does not own the walk (policies/).

import type { PoliciesService } from '../policies/service.js';
import type { Job, JobResult } from './job.js';

export interface PreviewDeps {
  policies: Pick<PoliciesService, 'previewDue'>;
}

export async function runOnce({ policies }: PreviewDeps, now: Date): Promise<JobResult> {
  const { customers, finished } = await policies.previewDue(now);
  return { more: customers > 0, counts: { customers, finished } };
}

export function previewPolicies(deps: PreviewDeps): Job {
  return { name: 'preview-policies', schedule: '* * * * * *', runOnce: (now) => runOnce(deps, now) };
}
