// Owns taking what one person's profile said out of backtests: the names of segments are values of profiles. Does not
// own who is erased (privacy/) nor the work of those that begin again (run.ts).

import type { Transaction } from '../db/executor.js';

/** A value that somebody had in the field that segments are made by. */
export interface SegmentName {
  segmentBy: string;
  name: string;
}

/**
 * Those under way begin again, from whoever is at work on them too: nobody can tell whose values their sums name.
 * After that, those whose reports name one of the values are deleted; one that was just ending is among them.
 *
 * Whichever comes first, nothing of the person is left. A stretch that is kept before the erasure looks at the row is
 * cleared with it. One that is to be kept after that waits for the row's lock until the erasure is through, and finds
 * its claim gone; so does an end, which comes too late to be a report. What ends in between has left the first
 * statement nothing to do and the second one a report to read. Nobody claims the row meanwhile, since a claim passes
 * over locked rows, and whoever claims it later reads profiles after the erasure. That leaves a backtest which the
 * first statement cannot see because it is only being asked for, and which would read the profile as it was until the
 * erasure commits: asking for one waits until no other write of the tenant is under way, and holds them off, so that
 * each erasure has either committed before there is the row or sees it.
 */
export async function forgetNames(
  tx: Transaction,
  tenantId: string,
  { names, now }: { names: readonly SegmentName[]; now: Date },
): Promise<void> {
  if (names.length === 0) return;
  const fields = names.map(({ segmentBy }) => segmentBy);
  await tx.rows({
    name: 'backtests_begin_again',
    text: `UPDATE backtests
              SET cursor = NULL, tally = NULL, customers_done = 0, customers_total = NULL, claim_token = NULL,
                  due_at = $3
            WHERE tenant_id = $1 AND due_at IS NOT NULL AND segment_by = ANY ($2::text[])`,
    values: [tenantId, fields, now],
  });
  await tx.rows({
    name: 'backtests_forget_names',
    text: `DELETE FROM backtests WHERE tenant_id = $1 AND id = ANY (ARRAY(
             SELECT b.id FROM (
               SELECT id, segment_by, report FROM backtests
                WHERE tenant_id = $1 AND segment_by = ANY ($2::text[]) AND report IS NOT NULL ORDER BY id OFFSET 0) b
              WHERE EXISTS (
                SELECT FROM unnest($2::text[], $3::text[]) AS said(field, spelled)
                 WHERE said.field = b.segment_by AND strpos(b.report, said.spelled) > 0)))`,
    values: [tenantId, fields, names.map(({ name }) => `"segment":${JSON.stringify(name)}`)],
  });
}
