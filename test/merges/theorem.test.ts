// The theorem with merges: whatever arrives, is merged and parted again in whatever order, the ledger in force of
// everybody who stands for themselves is the replay of the facts that are theirs; and who was parted again has the
// ledger of one who was never merged.

import { deepStrictEqual as same } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { createPlayground, policyOf } from '../helpers/playground.js';

const DAY_MS = 86_400_000;
const START = Date.parse('2025-01-01T00:00:00Z');

const customer = fc.integer({ min: 0, max: 2 });
const happening = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('tell' as const),
      fact: fc.record({
        kind: fc.constantFrom('order' as const, 'order' as const, 'touchpoint' as const),
        customer,
        atMs: fc.integer({ min: 0, max: 300 }).map((day) => START + day * DAY_MS),
        fate: fc.constantFrom('kept', 'kept', 'cancelled', 'partly refunded', 'replaced'),
      }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('move' as const),
      customer,
      to: fc.constantFrom('new', 'mature', 'declining', 'churned'),
      holdDays: fc.option(fc.integer({ min: 1, max: 60 })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('patch' as const),
      customer,
      owner: fc.string({ minLength: 1, maxLength: 3, unit: 'grapheme-ascii' }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('policy' as const), silentDays: fc.integer({ min: 5, max: 90 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('merge' as const), customer, from: customer }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('undo' as const), customer }) },
  { weight: 2, arbitrary: fc.constant({ do: 'tick' as const }) },
);
const story = fc.array(fc.tuple(happening, fc.integer({ min: 0, max: 12 })), { minLength: 4, maxLength: 18 });

t.test('merges and undos in between leave the ledger equal to a replay', async (t) => {
  const playground = await createPlayground(t);
  const seen = { merges: 0, undos: 0 };
  await fc.assert(
    fc.asyncProperty(story, async (happenings) => {
      const tenant = await playground.openTenant(START);
      let now = START;
      for (const [each, waitDays] of happenings) {
        now += waitDays * DAY_MS + 1;
        if (each.do === 'tell') await tenant.tell({ ...each.fact, atMs: Math.min(each.fact.atMs, now) }, now);
        if (each.do === 'tick') await tenant.tick(now);
        if (each.do === 'move') await tenant.move(each, now);
        if (each.do === 'patch')
          await tenant.patch(each.customer, { owner: each.owner, tags: [each.owner] }, now);
        if (each.do === 'policy') {
          const policy = policyOf({ ...each, timeZone: 'UTC', cadence: false });
          await tenant.activate(policy, null, now);
        }
        if (each.do === 'merge' && (await tenant.merge(each, now))) seen.merges += 1;
        if (each.do === 'undo' && (await tenant.undo(each.customer, now))) seen.undos += 1;
        same(await tenant.datedProfiles(), await tenant.profiles(), 'dated values say what the profile says');
      }
      now += 200 * DAY_MS;
      await tenant.tick(now);
      same(await tenant.ledger(), await tenant.replayed(now));
    }),
    { numRuns: 60 },
  );
  t.ok(seen.merges > 20 && seen.undos > 5, JSON.stringify(seen));
});

t.test('who was merged and parted again is as one who never was', async (t) => {
  const playground = await createPlayground(t);
  const facts = fc.array(
    fc.record({
      kind: fc.constantFrom('order' as const, 'touchpoint' as const),
      customer: fc.integer({ min: 0, max: 1 }),
      atMs: fc.integer({ min: 0, max: 300 }).map((day) => START + day * DAY_MS),
      fate: fc.constantFrom('kept', 'cancelled', 'refunded'),
    }),
    { maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(facts, fc.integer({ min: 0, max: 29 }), async (given, days) => {
      const end = START + 310 * DAY_MS;
      const parted = await playground.openTenant(START);
      const never = await playground.openTenant(START);
      for (const fact of given) await Promise.all([parted.tell(fact, end), never.tell(fact, end)]);
      await parted.merge({ customer: 0, from: 1 }, end + 1);
      await parted.tick(end + days * DAY_MS);
      await parted.undo(0, end + days * DAY_MS + 2);
      const later = end + 300 * DAY_MS;
      await Promise.all([parted.tick(later), never.tick(later)]);
      same(await parted.ledger(), await never.ledger());
      same(await parted.standings(), await never.standings());
    }),
    { numRuns: 25 },
  );
  t.pass('held in all of 25 worlds');
});
