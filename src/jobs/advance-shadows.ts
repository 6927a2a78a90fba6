// Owns keeping policies in shadow up with what happens. Does not own what that takes (shadows/).

import type { ShadowsService } from '../shadows/service.js';
import type { Job, JobResult } from './job.js';

export interface AdvanceShadowsDeps {
  shadows: Pick<ShadowsService, 'advance'>;
}

export async function runOnce({ shadows }: AdvanceShadowsDeps, now: Date): Promise<JobResult> {
  const { customers, more } = await shadows.advance(now);
  return { more, counts: { customers } };
}

export function advanceShadows(deps: AdvanceShadowsDeps): Job {
  return { name: 'advance-shadows', schedule: '* * * * * *', runOnce: (now) => runOnce(deps, now) };
}
