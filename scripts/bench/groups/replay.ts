// Owns the measurement of one customer's replay: twenty orders under the default policy, no database at all.

import { DEFAULT_POLICY } from '../../../src/lifecycle/defaultPolicies.js';
import type { OrderFact } from '../../../src/lifecycle/facts.js';
import { compileTimeline, replay } from '../../../src/lifecycle/replay.js';
import type { Group } from '../group.js';
import { createRandom } from '../random.js';
import { atMost, type Row } from '../rows.js';
import { median } from '../statistics.js';

const CEILING_US = 20;
const ORDERS = 20;
const HISTORIES = 500;
/** A round is short, so that most of them are over before anything else on the machine comes between. */
const REPLAYS_A_ROUND = 50;
const ROUNDS = 1_000;
const WARM_UP_ROUNDS = 200;
const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2024, 0, 1);

export const replaying: Group = { name: 'replay', run };

async function run(): Promise<Row[]> {
  const timeline = compileTimeline({
    policies: [{ version: 1, effectiveFrom: null, policy: DEFAULT_POLICY }],
    calibrations: [],
  });
  const histories = makeHistories();
  const untilMs = START_MS + 1_000 * DAY_MS;
  const tookUs: number[] = [];
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round += 1) {
    const start = (round * REPLAYS_A_ROUND) % HISTORIES;
    const replayed = histories.slice(start, start + REPLAYS_A_ROUND);
    const startedAtMs = performance.now();
    for (const history of replayed) replay(history, timeline, untilMs);
    if (round >= WARM_UP_ROUNDS) tookUs.push(((performance.now() - startedAtMs) * 1_000) / REPLAYS_A_ROUND);
  }
  const name = `replay of one customer, ${ORDERS} orders`;
  return [atMost({ name, value: median(tookUs), unit: 'µs', budget: CEILING_US })];
}

/** Gaps from a day to some months: customers decline, recover, churn and come back, each in their own way. */
function makeHistories() {
  const random = createRandom(20_240_101);
  return Array.from({ length: HISTORIES }, (_, customer) => {
    let at = START_MS;
    const orders = Array.from({ length: ORDERS }, (_order, index): OrderFact => {
      at += Math.ceil(DAY_MS * (1 + 60 * random() ** 3));
      const categories = random() < 0.5 ? ['books'] : ['books', 'music'];
      return { id: `${customer}-${index}`, at, categories, currency: 'EUR', amountMinor: 1_000 };
    });
    return { createdAt: START_MS, orders, touchpoints: [], moves: [], changes: [] };
  });
}
