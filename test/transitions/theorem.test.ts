// The theorem over a real database: whatever arrives in whatever order, however late or often the ticks run
// and on however many replicas, the ledger in force is the replay of the facts under the dated versions.

import { deepStrictEqual as same } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { assertDueIsExact } from '../helpers/due.js';
import { createPlayground, type Fact, policyOf } from '../helpers/playground.js';

const DAY_MS = 86_400_000;
const START = Date.parse('2025-01-01T00:00:00Z');

const category = fc.constantFrom('books', 'music', 'games');
const dayOffset = fc.integer({ min: 0, max: 400 });

const orderFact = fc.record({
  kind: fc.constant('order' as const),
  customer: fc.integer({ min: 0, max: 2 }),
  // Hours make orders of one day and orders at one instant both common.
  atMs: fc
    .tuple(dayOffset, fc.constantFrom(0, 0, 9, 23))
    .map(([day, hour]) => START + day * DAY_MS + hour * 3_600_000),
  categories: fc.uniqueArray(category, { maxLength: 2 }),
  fate: fc.constantFrom(
    'kept',
    'kept',
    'kept',
    'cancelled',
    'refunded',
    'partly refunded',
    'replaced',
    'pending',
  ),
});
const touchpointFact = fc.record({
  kind: fc.constant('touchpoint' as const),
  customer: fc.integer({ min: 0, max: 2 }),
  atMs: dayOffset.map((day) => START + day * DAY_MS),
});
const facts: fc.Arbitrary<Fact[]> = fc.array(fc.oneof({ weight: 4, arbitrary: orderFact }, touchpointFact), {
  minLength: 1,
  maxLength: 14,
});

t.test(
  'any order of arrival, with ticks in between, gives the ledger of one replay at the end',
  async (t) => {
    const playground = await createPlayground(t);
    await fc.assert(
      fc.asyncProperty(
        facts,
        fc.infiniteStream(fc.nat()),
        fc.array(dayOffset, { maxLength: 5 }),
        async (given, order, ticks) => {
          const end = START + 500 * DAY_MS;
          const inOrder = await playground.openTenant(START);
          const shuffled = await playground.openTenant(START);
          const byTime = [...given].sort((a, b) => a.atMs - b.atMs);
          const tickTimes = ticks.map((day) => START + day * DAY_MS).sort((a, b) => a - b);
          for (const fact of byTime) {
            while (tickTimes[0] !== undefined && tickTimes[0] <= fact.atMs)
              await inOrder.tick(tickTimes.shift() ?? 0);
            await inOrder.tell(fact, fact.atMs);
          }
          await inOrder.tick(end);
          const keyed = given
            .map((fact) => ({ fact, key: order.next().value ?? 0 }))
            .sort((a, b) => a.key - b.key);
          for (const { fact } of keyed) await shuffled.tell(fact, end);
          await shuffled.tick(end);
          same(await shuffled.ledger(), await inOrder.ledger());
          same(await inOrder.ledger(), await inOrder.replayed(end));
          same(await inOrder.standings(), await shuffled.standings());
        },
      ),
      { numRuns: 40 },
    );
    t.pass('held in all of 40 worlds');
  },
);

t.test(
  'manual moves, policy changes of any date and calibrations keep the ledger equal to a replay',
  async (t) => {
    const playground = await createPlayground(t);
    const happening = fc.oneof(
      { weight: 6, arbitrary: orderFact.map((fact) => ({ do: 'tell' as const, fact })) },
      { weight: 1, arbitrary: touchpointFact.map((fact) => ({ do: 'tell' as const, fact })) },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant('move' as const),
          customer: fc.integer({ min: 0, max: 2 }),
          to: fc.constantFrom('new', 'mature', 'declining', 'churned'),
          holdDays: fc.option(fc.integer({ min: 1, max: 60 })),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant('policy' as const),
          silentDays: fc.integer({ min: 5, max: 120 }),
          timeZone: fc.constantFrom('UTC', 'America/New_York', 'Asia/Shanghai'),
          cadence: fc.boolean(),
          backDays: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 200 }), fc.constant(Infinity)),
        }),
      },
      { weight: 1, arbitrary: fc.constant({ do: 'calibrate' as const }) },
      { weight: 3, arbitrary: fc.constant({ do: 'tick' as const }) },
    );
    const story = fc.array(fc.tuple(happening, fc.integer({ min: 0, max: 40 })), {
      minLength: 3,
      maxLength: 16,
    });
    await fc.assert(
      fc.asyncProperty(story, async (happenings) => {
        const tenant = await playground.openTenant(START);
        let now = START;
        for (const [happening, waitDays] of happenings) {
          now += waitDays * DAY_MS + 1;
          if (happening.do === 'tell')
            await tenant.tell({ ...happening.fact, atMs: Math.min(happening.fact.atMs, now) }, now);
          if (happening.do === 'tick') await tenant.tick(now);
          if (happening.do === 'calibrate') await tenant.calibrate(now);
          if (happening.do === 'move') await tenant.move(happening, now);
          if (happening.do === 'policy') {
            const effectiveFrom = happening.backDays === Infinity ? null : now - happening.backDays * DAY_MS;
            await tenant.activate(policyOf(happening), effectiveFrom, now);
          }
        }
        now += 300 * DAY_MS;
        await tenant.tick(now);
        same(await tenant.ledger(), await tenant.replayed(now));
        await assertDueIsExact(tenant, now);
      }),
      { numRuns: 60 },
    );
    t.pass('held in all of 60 stories');
  },
);

t.test('replicas that tick and record at once write what one would', async (t) => {
  const playground = await createPlayground(t, { replicas: 3 });
  await fc.assert(
    fc.asyncProperty(facts, async (given) => {
      const end = START + 500 * DAY_MS;
      const alone = await playground.openTenant(START);
      const crowd = await playground.openTenant(START);
      for (const fact of given) await alone.tell(fact, end);
      await alone.tick(end);
      const half = Math.ceil(given.length / 2);
      for (const fact of given.slice(0, half))
        await crowd.tell(fact, START + 10 * DAY_MS > fact.atMs ? fact.atMs : end);
      await Promise.all([
        ...given.slice(half).map((fact, index) => crowd.tell(fact, end, index)),
        crowd.tick(end, 0),
        crowd.tick(end, 1),
        crowd.tick(end, 2),
      ]);
      await crowd.tick(end);
      same(await crowd.ledger(), await alone.ledger());
      same(await crowd.ledger(), await crowd.replayed(end));
    }),
    { numRuns: 30 },
  );
  t.pass('held in all of 30 crowds');
});

t.test('reviewAt is exact: the stage holds until the millisecond before it, and changes at it', async (t) => {
  const playground = await createPlayground(t);
  await fc.assert(
    fc.asyncProperty(facts, async (given) => {
      const now = START + 410 * DAY_MS;
      const tenant = await playground.openTenant(START);
      for (const fact of given) await tenant.tell(fact, now);
      await tenant.tick(now);
      await assertDueIsExact(tenant, now);
    }),
    { numRuns: 25 },
  );
  t.pass('held in all of 25 worlds');
});
