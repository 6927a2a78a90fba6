// Whatever order the messages of a shop arrive in, late, early, again, between ticks: what holds in the end is
// what the newest message of each order says, and the history is the one that follows from it.

import { deepStrictEqual as same } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { startService } from '../helpers/service.js';
import { contentOf, DAY_MS, openShop, type Shop } from './shop.js';

const START = Date.parse('2025-01-01T00:00:00Z');
const END = new Date(START + 400 * DAY_MS).toISOString();
const CUSTOMERS = ['ann', 'bo'];
const RUNS = 12;

/** What a shop says of one order at one time; of the same order, later messages have later source times. */
const message = fc.record({
  customer: fc.constantFrom(...CUSTOMERS),
  day: fc.integer({ min: 0, max: 300 }),
  hour: fc.constantFrom(0, 12, 12, 23),
  status: fc.constantFrom('placed', 'placed', 'placed', 'pending', 'cancelled'),
  category: fc.constantFrom('books', 'games'),
  refundedMinor: fc.constantFrom(0, 0, 0, 400, 1_000),
});
const ordersSaid = fc.array(fc.array(message, { minLength: 1, maxLength: 3 }), {
  minLength: 1,
  maxLength: 6,
});

type Said = {
  id: string;
  version: number;
  message: typeof message extends fc.Arbitrary<infer T> ? T : never;
};

const shared = await startService(t, { now: new Date(START) });
let opened = 0;

t.test(
  'any order of arrival, repeats and ticks included, gives the same orders, stages and ledgers',
  async (t) => {
    await fc.assert(
      fc.asyncProperty(ordersSaid, fc.infiniteStream(fc.nat()), async (orders, order) => {
        const all = orders.flatMap((messages, index) =>
          messages.map((said, version): Said => ({ id: `o${index}`, version, message: said })),
        );
        const random = () => order.next().value ?? 0;
        const shuffled = all.map((said) => ({ said, key: random() })).sort((a, b) => a.key - b.key);
        const [calm, wild] = [await open(), await open()];
        for (const said of all) await tell(calm, said);
        await calm.tick(END);
        for (const { said, key } of shuffled) {
          await tell(wild, said);
          if (key % 3 === 0) await tell(wild, said);
          // Time goes on while they arrive: what falls due meanwhile is found, and corrected by what comes after.
          if (key % 4 === 0)
            await wild.tick(new Date(shared.clock.now().getTime() + 10 * DAY_MS).toISOString());
        }
        await wild.tick(END);
        same(await standing(wild), await standing(calm));
      }),
      { numRuns: RUNS },
    );
    t.pass(`held in all of ${RUNS} shops`);
  },
);

async function open(): Promise<Shop> {
  shared.clock.set(new Date(START));
  const shop = await openShop(shared, `arrival-${opened++}`);
  for (const name of CUSTOMERS) await shop.customer(name);
  // Nothing lies ahead of this clock.
  shared.clock.set(new Date(START + 301 * DAY_MS));
  return shop;
}

async function tell(shop: Shop, { id, version, message: said }: Said): Promise<void> {
  const { customer, day, hour, status, category, refundedMinor } = said;
  const placedAt = new Date(START + day * DAY_MS + hour * 3_600_000).toISOString();
  const refund = { externalId: 'r', amountMinor: refundedMinor, refundedAt: placedAt };
  const body = contentOf(customer, placedAt, {
    status,
    lines: [{ product: 'p', category, quantity: 1, unitPriceMinor: 1_000 }],
    refunds: refundedMinor === 0 ? [] : [refund],
    sourceUpdatedAt: new Date(START + version * 60_000).toISOString(),
  });
  const answer = await shop.put(id, body);
  if (answer.statusCode >= 300) throw new Error(answer.body);
}

/** Without ids, versions and times of recording, which do depend on arrival. */
async function standing(shop: Shop) {
  const { data } = (await shop.service.inject('GET', '/v1/orders?limit=200')).json();
  const orders = data.map(
    ({ externalId, placedAt, status, lines, refundedMinor }: Record<string, unknown>) => {
      return { externalId, placedAt, status, lines, refundedMinor };
    },
  );
  const byId = (a: { externalId: { id: string } }, b: { externalId: { id: string } }) =>
    a.externalId.id < b.externalId.id ? -1 : 1;
  const customers = await Promise.all(
    CUSTOMERS.map(async (name) => {
      const { stage, stageSince, facts, next } = await shop.profile(name);
      const ledger = (await shop.ledger(name)).map(({ from, to, cause, effectiveAt }) => ({
        from,
        to,
        cause,
        effectiveAt,
      }));
      return { name, stage, stageSince, facts, next, ledger };
    }),
  );
  return { orders: orders.sort(byId), customers };
}
