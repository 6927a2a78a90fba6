// The theorem for shadows: what a shadow has come to is a function of the facts, the dated versions and its own policy,
// however its runs fall between what happens, on however many replicas, and wherever one of them dies.

import { ok, deepStrictEqual as same, strictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { v7 as uuidv7 } from 'uuid';
import { createPlayground, policyOf } from '../helpers/playground.js';
import { countRows, dieInRun, expected, recorded, runShadows, type Shadow, startShadow } from './lab.js';

const DAY_MS = 86_400_000;
const START = Date.parse('2025-01-01T00:00:00Z');

const customer = fc.integer({ min: 0, max: 2 });
const order = fc.record({
  do: fc.constant('tell' as const),
  kind: fc.constant('order' as const),
  customer,
  backMs: fc.oneof(
    fc.constant(0),
    fc.integer({ min: 1, max: 90 }).map((days) => days * DAY_MS),
  ),
  categories: fc.uniqueArray(fc.constantFrom('books', 'music'), { maxLength: 2 }),
  fate: fc.constantFrom('kept', 'kept', 'kept', 'cancelled', 'refunded', 'replaced', 'pending'),
});
const knobs = {
  silentDays: fc.integer({ min: 5, max: 120 }),
  timeZone: fc.constantFrom('UTC', 'America/New_York', 'Asia/Shanghai'),
  cadence: fc.boolean(),
};
const happening = fc.oneof(
  { weight: 6, arbitrary: order },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('move' as const),
      customer,
      to: fc.constantFrom('new', 'mature', 'declining', 'churned'),
      holdDays: fc.option(fc.integer({ min: 1, max: 60 })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('policy' as const),
      ...knobs,
      backDays: fc.constantFrom(0, 0, 30, 200, Infinity),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'calibrate' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'tick' as const }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('run' as const), replica: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'race' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('die' as const), inWrite: fc.integer({ min: 1, max: 4 }) }),
  },
);
const story = fc.array(fc.tuple(happening, fc.integer({ min: 0, max: 40 })), { minLength: 3, maxLength: 16 });

t.test('whatever happens and however the runs fall, a shadow comes to what one replay gives', async (t) => {
  const playground = await createPlayground(t, { replicas: 2 });
  let differing = 0;
  await fc.assert(
    fc.asyncProperty(
      story,
      fc.record({
        ...knobs,
        at: fc.nat(12),
        backDays: fc.constantFrom(0, 0, 10, 100),
        leftDays: fc.integer({ min: 1, max: 60 }),
      }),
      async (happenings, begin) => {
        const tenant = await playground.openTenant(START);
        let now = START;
        let shadow: Shadow | undefined;
        const start = async () => {
          const sinceMs = now - begin.backDays * DAY_MS;
          shadow = { policyId: uuidv7(), policy: policyOf(begin), sinceMs };
          await startShadow(tenant, shadow, now);
        };
        for (const [index, [each, waitDays]] of happenings.entries()) {
          now += waitDays * DAY_MS + 1;
          if (index === begin.at) await start();
          if (each.do === 'tell') await tenant.tell({ ...each, atMs: now - each.backMs }, now);
          if (each.do === 'move') await tenant.move(each, now);
          if (each.do === 'calibrate') await tenant.calibrate(now);
          if (each.do === 'tick') await tenant.tick(now);
          if (each.do === 'run') await runShadows(tenant, now, each.replica);
          if (each.do === 'die') await dieInRun(tenant, now, each.inWrite);
          if (each.do === 'race') {
            const sale = { kind: 'order', customer: index % 3, atMs: now } as const;
            await Promise.all([
              runShadows(tenant, now, 0),
              tenant.tell(sale, now, 1),
              runShadows(tenant, now, 1),
              tenant.tell({ ...sale, customer: (index + 1) % 3 }, now),
            ]);
          }
          if (each.do === 'policy') {
            const from = each.backDays === Infinity ? null : now - each.backDays * DAY_MS;
            await tenant.activate(policyOf(each), from, now);
          }
        }
        if (shadow === undefined) await start();
        now += begin.leftDays * DAY_MS;
        await tenant.tick(now);
        const events = await countRows(tenant, 'events');
        await runShadows(tenant, now);
        ok(shadow !== undefined);
        const found = await recorded(tenant, shadow);
        same(found, await expected(tenant, shadow, now));
        strictEqual(await countRows(tenant, 'events'), events, 'a shadow tells nobody');
        strictEqual(await countRows(tenant, 'shadow_marks'), 0, 'no change is left');
        if (found.standings.some(({ differsSince }) => differsSince !== null)) differing += 1;
      },
    ),
    { numRuns: 60 },
  );
  t.ok(differing > 5, `the two policies disagreed in ${differing} of 60 stories`);
});
