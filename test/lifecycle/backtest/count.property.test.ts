// A backtest sees nothing of what came after its cut but the outcomes, and comes to the same in whichever
// stretches it is done.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { countStretch } from '../../../src/lifecycle/backtest/count.js';
import { knownAt } from '../../../src/lifecycle/backtest/known.js';
import { observe } from '../../../src/lifecycle/backtest/observe.js';
import { type BacktestPlan, compilePlan } from '../../../src/lifecycle/backtest/plan.js';
import { reportOf } from '../../../src/lifecycle/backtest/report.js';
import { emptyTally, type Tally } from '../../../src/lifecycle/backtest/tally.js';
import { DEFAULT_CALIBRATION } from '../../../src/lifecycle/calibration.js';
import { type History, replay } from '../../../src/lifecycle/replay.js';
import { cadence, history, instant, policy, timeline } from '../arbitraries.js';
import { DAY } from '../reference.js';

const RUNS = { numRuns: 300 };
const HELD = 'held in every run';

const plan: fc.Arbitrary<BacktestPlan> = fc
  .record({
    policy: policy(),
    live: timeline(),
    cuts: fc.uniqueArray(instant, { minLength: 1, maxLength: 3 }),
    cadence,
    horizonDays: fc.integer({ min: 1, max: 40 }),
    isSegmented: fc.boolean(),
  })
  .map(({ policy: tried, live, cuts, cadence: fitted, horizonDays, isSegmented }) => ({
    policy: tried,
    live: live.policies,
    horizonMs: horizonDays * DAY,
    cuts: cuts.map((at) => ({ at, calibration: { ...DEFAULT_CALIBRATION, version: 1, cadence: fitted } })),
    isSegmented,
  }));

const people = fc.array(history, { minLength: 1, maxLength: 6 });

function count(asked: BacktestPlan, histories: readonly History[], stretches = 1): Tally {
  const customers = histories.map((one, index) => ({
    history: one,
    segment: index % 2 === 0 ? 'even' : null,
  }));
  const size = Math.ceil(customers.length / stretches);
  let tally = emptyTally(asked.cuts.length);
  for (let start = 0; start < customers.length; start += size) {
    // As it crosses between threads, and lies in the database between two stretches.
    tally = structuredClone(
      countStretch({ plan: asked, tally, customers: customers.slice(start, start + size) }),
    );
  }
  return tally;
}

/** All of a cut's sums that have nothing to do with what came after it. */
function ofTheCut({ cuts }: Tally) {
  return cuts.map(({ whole, segments, followed, ...sums }) => ({
    ...sums,
    ...{ flags: followed.flags, segments: [...segments.keys()] },
    flagged: [whole.policy, whole.live, ...whole.baselines].map(({ tp, fp, atStake }) => [tp + fp, atStake]),
    others: [whole.policy, whole.live, ...whole.baselines].map(({ fn, tn }) => fn + tn),
    scores: [whole.policy.scores, whole.live.scores, whole.silence].map((counts) => {
      return Array.from(
        { length: counts.length / 2 },
        (_, i) => (counts[2 * i] ?? 0) + (counts[2 * i + 1] ?? 0),
      );
    }),
  }));
}

t.test('what came after a cut changes nothing but outcomes', async (t) => {
  fc.assert(
    fc.property(plan, people, people, (asked, before, more) => {
      const [cut] = asked.cuts;
      if (cut === undefined) return;
      const alone = { ...asked, cuts: [cut] };
      const later = <T extends { at: number }>(facts: readonly T[]) => facts.filter(({ at }) => at > cut.at);
      const known = before.filter((one) => knownAt(one, cut.at) !== null);
      const past = known.map((one) => knownAt(one, cut.at) as History);
      const changed = past.map((one, index) => {
        const other = more[index % more.length] as History;
        return {
          ...one,
          orders: [...later(other.orders), ...one.orders],
          touchpoints: [...one.touchpoints, ...later(other.touchpoints)],
          moves: [...one.moves, ...later(other.moves)],
        };
      });
      assert.deepEqual(ofTheCut(count(alone, changed)), ofTheCut(count(alone, past)));
    }),
    RUNS,
  );
  t.pass(HELD);
});

t.test('who comes after a cut is not there at it', async (t) => {
  fc.assert(
    fc.property(plan, people, (asked, histories) => {
      const tally = count(asked, histories);
      for (const [index, { at }] of asked.cuts.entries()) {
        const first = ({ createdAt, orders, touchpoints, moves }: History) =>
          Math.min(createdAt, ...[...orders, ...touchpoints, ...moves].map((fact) => fact.at));
        assert.equal(tally.cuts[index]?.customers, histories.filter((one) => first(one) <= at).length);
      }
    }),
    RUNS,
  );
  t.pass(HELD);
});

t.test('the stretches in which it is done do not matter', async (t) => {
  fc.assert(
    fc.property(plan, people, fc.integer({ min: 2, max: 6 }), (asked, histories, stretches) => {
      const [once, apart] = [count(asked, histories), count(asked, histories, stretches)];
      assert.deepEqual(apart, once);
      assert.deepEqual(reportOf({ plan: asked, tally: apart }), reportOf({ plan: asked, tally: once }));
    }),
    RUNS,
  );
  t.pass(HELD);
});

t.test('a verdict is what a replay up to the cut gives, and a score of 1 is the flag', async (t) => {
  fc.assert(
    fc.property(plan, history, (asked, one) => {
      for (const { at, policy: versions } of compilePlan(asked).cuts) {
        const known = knownAt(one, at);
        if (known === null) continue;
        const lastOrderAt =
          known.orders.length === 0 ? null : Math.max(...known.orders.map((order) => order.at));
        const { stage, transitions, isChurned, score } = observe(known, versions, { at, lastOrderAt });
        // Known of before they were there: no row of the ledger, and not counted.
        if (transitions.length === 0) continue;
        const expected = replay(known, versions, at);
        assert.equal(stage, expected.state.stage);
        assert.deepEqual(transitions, expected.transitions);
        assert.equal(isChurned, stage === 'churned');
        if (lastOrderAt === null) assert.equal(score, 0);
        else if (lastOrderAt < at) assert.equal(score >= 1, isChurned);
      }
    }),
    RUNS,
  );
  t.pass(HELD);
});
