// The theorem over a real database for every kind of condition: windows, drops, probabilities, satisfaction, time
// in a stage, tags, channels, countries and attributes, with facts that come late and profiles that change.

import { deepStrictEqual as same } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { validatePolicy } from '../../src/lifecycle/validation.js';
import { assertDueIsExact } from '../helpers/due.js';
import { createPlayground } from '../helpers/playground.js';
import { policy } from '../lifecycle/arbitraries.js';

const DAY_MS = 86_400_000;
const START = Date.parse('2025-01-01T00:00:00Z');
const STORIES = 40;

const sound = policy().filter((one) => validatePolicy(one).length === 0);

const customer = fc.integer({ min: 0, max: 2 });
/** How long before its telling a fact lies; a few come late. */
const lateDays = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 60 }));

const happening = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('order' as const),
      customer,
      lateDays,
      categories: fc.uniqueArray(fc.constantFrom('books', 'music', 'games'), { maxLength: 2 }),
      fate: fc.constantFrom('kept', 'kept', 'kept', 'cancelled', 'partly refunded', 'replaced'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('touchpoint' as const),
      customer,
      lateDays,
      satisfaction: fc.option(
        fc.record({
          scale: fc.constantFrom('csat' as const, 'nps' as const),
          score: fc.integer({ min: 1, max: 5 }),
        }),
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('profile' as const),
      customer,
      patch: fc.oneof(
        fc.record({ tags: fc.subarray(['vip', '老客户']) }),
        fc.record({ channel: fc.constantFrom('web', 'shop', null) }),
        fc.record({ country: fc.constantFrom('DE' as const, 'CN' as const, null) }),
        fc.record({ attributes: fc.record({ tier: fc.constantFrom('gold', 'blue', null) }) }),
        fc.record({ attributes: fc.record({ points: fc.integer({ min: 0, max: 9 }) }) }),
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('policy' as const),
      policy: sound,
      backDays: fc.constantFrom(0, 0, 20, Infinity),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('move' as const),
      customer,
      to: fc.constantFrom('new', 'mature', 'churned'),
      holdDays: fc.option(fc.integer({ min: 1, max: 30 })),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'calibrate' as const }) },
  { weight: 3, arbitrary: fc.constant({ do: 'tick' as const }) },
);

t.test(
  'whatever the rules ask, the ledger in force is the replay of the facts, and due times are exact',
  async (t) => {
    t.setTimeout(240_000);
    const playground = await createPlayground(t, { fitted: true });
    const story = fc.array(fc.tuple(happening, fc.integer({ min: 0, max: 20 })), {
      minLength: 4,
      maxLength: 16,
    });
    let rows = 0;
    await fc.assert(
      fc.asyncProperty(sound, story, async (first, happenings) => {
        const tenant = await playground.openTenant(START);
        let now = START + 1;
        await tenant.activate(first, null, now);
        for (const [step, waitDays] of happenings) {
          now += waitDays * DAY_MS + 1;
          if (step.do === 'order')
            await tenant.tell({ ...step, kind: 'order', atMs: now - step.lateDays * DAY_MS }, now);
          if (step.do === 'touchpoint')
            await tenant.tell({ ...step, kind: 'touchpoint', atMs: now - step.lateDays * DAY_MS }, now);
          if (step.do === 'profile') await tenant.profile(step, now);
          if (step.do === 'policy') {
            const from = step.backDays === Infinity ? null : now - step.backDays * DAY_MS;
            await tenant.activate(step.policy, from, now);
          }
          if (step.do === 'move') await tenant.move(step, now);
          if (step.do === 'calibrate') await tenant.calibrate(now);
          if (step.do === 'tick') await tenant.tick(now);
        }
        now += 90 * DAY_MS;
        await tenant.tick(now);
        const ledger = await tenant.ledger();
        rows += ledger.length;
        same(ledger, await tenant.replayed(now));
        await assertDueIsExact(tenant, now);
      }),
      { numRuns: STORIES },
    );
    t.ok(rows > STORIES * 3, `${rows} rows in ${STORIES} stories`);
  },
);
