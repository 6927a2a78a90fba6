// What becomes known in any order, with ticks between or not, gives the ledger of one replay of it all.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { FactLists } from '../../src/lifecycle/facts.js';
import { replay, type Transition } from '../../src/lifecycle/replay.js';
import { history, instant, policy, summedPolicy, timeline } from './arbitraries.js';
import { LedgerKeeper } from './keeper.js';
import { at, ordersAt, policyOf } from './samples.js';

/** What comes to be known, one at a time, at instants that only move on: facts, versions, facts taken back. */
const arrivals = fc.array(
  fc.record({
    kind: fc.constantFrom('order', 'touchpoint', 'move', 'profile', 'policy', 'calibration', 'cancel'),
    after: instant,
  }),
  { minLength: 5, maxLength: 30 },
);

t.test(
  'whatever the order of arrival, ticks between or not, the rows in force are those of one replay',
  async (t) => {
    let advances = 0;
    let replays = 0;
    fc.assert(
      fc.property(
        history,
        timeline(fc.oneof(summedPolicy(), policy())),
        arrivals,
        (facts, versions, events) => {
          const keeper = new LedgerKeeper(facts.createdAt, versions);
          const waiting = {
            orders: [...facts.orders],
            touchpoints: [...facts.touchpoints],
            moves: [...facts.moves],
            changes: [...facts.changes],
          };
          for (const { kind, after } of events) {
            const news: FactLists = {
              orders: kind === 'order' ? waiting.orders.splice(0, 1) : [],
              touchpoints: kind === 'touchpoint' ? waiting.touchpoints.splice(0, 1) : [],
              moves: kind === 'move' ? waiting.moves.splice(0, 1) : [],
              changes: kind === 'profile' ? waiting.changes.splice(0, 1) : [],
            };
            if (kind === 'policy') keeper.addPolicy(versions);
            if (kind === 'calibration') keeper.addCalibration(versions);
            keeper.learn(news, Math.max(keeper.now, after), kind === 'cancel');
            const whole = replay(keeper.known, keeper.timeline, keeper.now);
            assert.deepEqual(keeper.ledger.map(withoutId), whole.transitions);
            assert.deepEqual(keeper.latest, { ...whole, transitions: keeper.latest?.transitions });
          }
          advances += keeper.advances;
          replays += keeper.replays;
        },
      ),
      { numRuns: 300 },
    );
    t.ok(
      advances > 300 && replays > 300,
      `both ways were taken often: ${advances} advances, ${replays} replays`,
    );
  },
);

/** The first policy looks at a value of the profile; the second, from 2 March on, at nothing. */
const LOOKED_ONCE = {
  policies: [
    {
      version: 1,
      effectiveFrom: null,
      policy: policyOf([['prospect', { type: 'attribute', key: 'tier', in: ['gold'] }]]),
    },
    { version: 2, effectiveFrom: at('2024-03-02'), policy: policyOf([]) },
  ],
  calibrations: [],
};
const NOTHING = { orders: [], touchpoints: [], moves: [], changes: [] };
const goldAt = (instant: number) => ({ id: 'c1', at: instant, field: 'attributes.tier', value: 'gold' });

for (const { name, createdAt, orders } of [
  {
    name: 'a value that held before the present policy is replayed where an earlier one looked at it',
    createdAt: at('2024-03-01'),
    orders: [],
  },
  {
    name: 'and one that is said of the creation, where facts are older than that',
    createdAt: at('2024-03-05'),
    orders: ordersAt('2024-03-01'),
  },
]) {
  t.test(name, async (t) => {
    const keeper = new LedgerKeeper(createdAt, LOOKED_ONCE);
    keeper.addPolicy(LOOKED_ONCE);
    keeper.learn({ ...NOTHING, orders }, at('2024-03-06'), false);
    keeper.learn({ ...NOTHING, changes: [goldAt(createdAt)] }, at('2024-03-06'), false);
    t.equal(keeper.ledger[0]?.evidence.rule, 0, 'the first row says which rule it was');
    t.strictSame(
      keeper.ledger.map(withoutId),
      replay(keeper.known, keeper.timeline, keeper.now).transitions,
      'and the ledger is that of one replay',
    );
  });
}

function withoutId({ id: _id, ...transition }: Transition & { id: string }) {
  return transition;
}
