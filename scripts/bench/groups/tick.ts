// Owns the measurement of a tick with work: everybody is due at once, twice over, and nobody listens. Decisions,
// ledger and events are all written.

import type { Bench, Group } from '../group.js';
import { buildInside } from '../inside.js';
import { atLeast, type Row } from '../rows.js';
import { startPostgres } from '../stage.js';
import { median } from '../statistics.js';

const FLOOR_PER_S = 10_000;
const CUSTOMERS = 10_000;
const ROUNDS = 3;
const DAY_MS = 86_400_000;
/** By then a customer of one order has declined, and after as long again has churned, by the default policy. */
const SILENCES_MS = [100 * DAY_MS, 200 * DAY_MS];

export const tick: Group = { name: 'tick', run };

async function run(bench: Bench): Promise<Row[]> {
  const url = await startPostgres(bench, {});
  const { services, openTenant, sell } = await buildInside(bench, url);
  const perSecond: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    bench.say(`round ${round} of ${ROUNDS}`);
    const soldAt = new Date();
    const tenantId = await openTenant(soldAt);
    await sell(tenantId, soldAt, { from: 0, count: CUSTOMERS });
    for (const silenceMs of SILENCES_MS) {
      const startedAtMs = performance.now();
      const { advanced, setAside } = await services.transitions.advanceDue(
        new Date(soldAt.getTime() + silenceMs),
      );
      const tookMs = performance.now() - startedAtMs;
      if (advanced !== CUSTOMERS || setAside > 0) {
        throw new Error(`${advanced} of ${CUSTOMERS} customers advanced, ${setAside} were set aside`);
      }
      // The first round is the warm-up.
      if (round > 0) perSecond.push((advanced * 1_000) / tookMs);
    }
  }
  const name = 'a tick with work, events included, no endpoints';
  return [atLeast({ name, value: median(perSecond), unit: 'transitions/s', budget: FLOOR_PER_S })];
}
