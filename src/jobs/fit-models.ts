// Owns going on with the fits that somebody has asked for. Does not own the fit (models/).

import type { ModelsService } from '../models/service.js';
import type { Job, JobResult } from './job.js';

export interface FitModelsDeps {
  models: Pick<ModelsService, 'fitDue'>;
}

export async function runOnce({ models }: FitModelsDeps, now: Date): Promise<JobResult> {
  const { fitted, failed } = await models.fitDue(now);
  return { more: fitted > 0, counts: { fitted, failed } };
}

export function fitModels(deps: FitModelsDeps): Job {
  return { name: 'fit-models', schedule: '* * * * * *', runOnce: (now) => runOnce(deps, now) };
}
