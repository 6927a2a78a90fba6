// Owns when changed customers are compared with others. Does not own the comparing (duplicates/walk.ts).

import type { DuplicatesService } from '../duplicates/service.js';
import type { Job, JobResult } from './job.js';

export interface FindDuplicatesDeps {
  duplicates: Pick<DuplicatesService, 'walkDue'>;
}

export async function runOnce({ duplicates }: FindDuplicatesDeps, now: Date): Promise<JobResult> {
  const { more, customers } = await duplicates.walkDue(now);
  return { more, counts: { customers } };
}

export function findDuplicates(deps: FindDuplicatesDeps): Job {
  return { name: 'find-duplicates', schedule: '40 * * * * *', runOnce: (now) => runOnce(deps, now) };
}
