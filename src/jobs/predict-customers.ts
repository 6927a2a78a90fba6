// Owns going on with the walks that predict every customer. Does not own the walk (models/).

import type { ModelsService } from '../models/service.js';
import type { Job, JobResult } from './job.js';

export interface PredictDeps {
  models: Pick<ModelsService, 'predictDue'>;
}

export async function runOnce({ models }: PredictDeps, now: Date): Promise<JobResult> {
  const { customers, finished } = await models.predictDue(now);
  return { more: customers > 0, counts: { customers, finished } };
}

export function predictCustomers(deps: PredictDeps): Job {
  return { name: 'predict-customers', schedule: '* * * * * *', runOnce: (now) => runOnce(deps, now) };
}
