// The decision: which rule, until when, and what then.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { decide, type Hold } from '../../src/lifecycle/decide.js';
import { DEFAULT_POLICY } from '../../src/lifecycle/defaultPolicies.js';
import { emptyFacts } from '../../src/lifecycle/facts.js';
import { cadence, order, policy, SPAN_DAYS, START, stage } from './arbitraries.js';
import { DAY, plainParts } from './reference.js';
import { at, calibration, factsOf, orderAt, ordersAt, policyOf, silencePolicy } from './samples.js';

const never = { reviewAt: null, nextStage: null, nextBecause: null };

t.test('the most severe rule that holds decides; none leaves what is otherwise', async (t) => {
  const ask = (orders: string[], now: string) => {
    const facts = factsOf(ordersAt(...orders));
    return decide({ facts, hold: null, at: at(now), policy: silencePolicy(45, 91), calibration });
  };
  t.match(ask([], '2024-01-01'), { stage: 'prospect', rule: null, ...never });
  t.match(ask(['2024-01-01'], '2024-01-01'), { stage: 'new', rule: 3 });
  t.match(ask(['2024-01-01', '2024-01-02'], '2024-01-02'), { stage: 'mature', rule: 2 });
  t.match(ask(['2024-01-01'], '2024-02-15'), {
    stage: 'declining',
    rule: 1,
    reviewAt: at('2024-04-01'),
    nextStage: 'churned',
  });
  t.match(ask(['2024-01-01'], '2024-04-01'), { stage: 'churned', rule: 0, ...never });
});

t.test(
  'the default policy: declining, then churned, for one purchase and nothing known of the tenant',
  async (t) => {
    const facts = factsOf(ordersAt('2024-01-01'));
    const ask = (now: number) => decide({ facts, hold: null, at: now, policy: DEFAULT_POLICY, calibration });
    const first = ask(at('2024-01-01'));
    // r 3, alpha 90: 90 · (4^(1/3) − 1) = 52.87 days and 90 · (10^(1/3) − 1) = 103.9 days.
    t.match(first, { stage: 'new', nextStage: 'declining' });
    t.equal(Math.floor(((first.reviewAt ?? 0) - at('2024-01-01')) / DAY), 52);
    const second = ask(first.reviewAt ?? 0);
    t.match(second, { stage: 'declining', nextStage: 'churned' });
    t.equal(Math.floor(((second.reviewAt ?? 0) - at('2024-01-01')) / DAY), 103);
  },
);

t.test('two purchase days are mature only across two categories', async (t) => {
  const ask = (category: string) => {
    const facts = factsOf([
      orderAt('a', '2024-01-01', { categories: ['books'] }),
      orderAt('b', '2024-01-05', { categories: [category] }),
    ]);
    return decide({ facts, hold: null, at: at('2024-01-05'), policy: DEFAULT_POLICY, calibration }).stage;
  };
  t.equal(ask('books'), 'new');
  t.equal(ask('films'), 'mature');
});

t.test('flips that leave the stage as it is are stepped over', async (t) => {
  const facts = factsOf(ordersAt('2024-01-01'));
  const rules = policyOf(
    [
      [
        'declining',
        {
          type: 'all',
          of: [
            { type: 'silence', days: 5 },
            { type: 'silence', days: 30 },
          ],
        },
      ],
      ['mature', { type: 'silence', days: 10 }],
      [
        'mature',
        {
          type: 'any',
          of: [
            { type: 'silence', days: 20 },
            { type: 'orders', atLeast: 1 },
          ],
        },
      ],
    ],
    'new',
  );
  const decision = decide({ facts, hold: null, at: at('2024-01-01'), policy: rules, calibration });
  t.match(decision, { stage: 'mature', rule: 2, reviewAt: at('2024-01-31'), nextStage: 'declining' });
});

t.test(
  'evidence says which rule, what was measured against what, and the calibration where it is read',
  async (t) => {
    const facts = factsOf(ordersAt('2024-01-01', '2024-01-11'));
    const silent = decide({
      facts,
      hold: null,
      at: at('2024-03-01'),
      policy: silencePolicy(45, 91),
      calibration,
    });
    t.strictSame(silent.because, {
      stage: 'declining',
      rule: 1,
      condition: {
        type: 'silence',
        holds: true,
        value: 50,
        threshold: 45,
        unit: 'days',
        at: '2024-02-25T00:00:00.000Z',
      },
      facts: { orders: 2, purchaseDays: 2, lastOrderAt: '2024-01-11T00:00:00.000Z' },
    });
    const tuned = { ...calibration, version: 4, cadence: { r: 2, alphaDays: 50, medianGapDays: 12 } };
    const quiet = decide({
      facts,
      hold: null,
      at: at('2026-01-01'),
      policy: DEFAULT_POLICY,
      calibration: tuned,
    });
    t.match(quiet.because, {
      stage: 'churned',
      condition: { type: 'cadenceQuantile', q: 0.9 },
      facts: { spanDays: 10 },
      calibration: { version: 4, r: 2, alphaDays: 50, medianGapDays: 12 },
    });
    const otherwise = decide({ facts: emptyFacts(), hold: null, at: 0, policy: DEFAULT_POLICY, calibration });
    t.strictSame(otherwise.because, {
      stage: 'prospect',
      rule: null,
      condition: null,
      facts: { orders: 0, purchaseDays: 0, lastOrderAt: null },
    });
  },
);

t.test('while a hold holds the rules wait, and have their say at its date', async (t) => {
  const facts = factsOf(ordersAt('2024-01-01'));
  const ask = (until: string | null, stage = 'mature') => {
    const hold: Hold = {
      stage,
      since: at('2024-01-05'),
      until: until === null ? null : at(until),
      moveId: 'm1',
    };
    return decide({ facts, hold, at: at('2024-01-10'), policy: silencePolicy(45, 91), calibration });
  };
  t.match(ask(null), { stage: 'mature', rule: null, ...never });
  t.match(ask('2024-01-20'), { stage: 'mature', reviewAt: at('2024-01-20'), nextStage: 'new' });
  t.match(ask('2024-01-20', 'new'), { stage: 'new', reviewAt: at('2024-02-15'), nextStage: 'declining' });
  t.match(ask('2024-03-01', 'declining'), {
    stage: 'declining',
    reviewAt: at('2024-04-01'),
    nextStage: 'churned',
  });
  t.match(ask('2024-01-10'), { stage: 'new', rule: 3 }, 'a hold that ends now has ended');
  t.strictSame(ask('2024-01-20').because, {
    stage: 'mature',
    rule: null,
    condition: null,
    facts: { orders: 1, purchaseDays: 1, lastOrderAt: '2024-01-01T00:00:00.000Z' },
    hold: { moveId: 'm1', since: '2024-01-05T00:00:00.000Z', until: '2024-01-20T00:00:00.000Z' },
  });
});

t.test('reviewAt is exact: the stage does not change before it and does at it', async (t) => {
  const hold = fc.option(
    fc.record({
      stage,
      since: fc.constant(START),
      until: fc.option(fc.nat({ max: 80 }).map((d) => START + d * DAY)),
      moveId: fc.constant('m'),
    }),
  );
  const now = fc.nat({ max: (SPAN_DAYS + 20) * DAY }).map((ms) => START + ms);
  let changes = 0;
  fc.assert(
    fc.property(
      policy(),
      fc.array(order, { maxLength: 6 }),
      hold,
      now,
      cadence,
      (rules, orders, held, asked, fit) => {
        const placed = orders.map((one, i) => ({ ...one, id: `o${i}` })).sort((a, b) => a.at - b.at);
        const facts = factsOf(placed, rules.timeZone);
        const tuned = { ...calibration, version: 1, cadence: fit };
        const from = Math.max(asked, facts.lastOrderAt ?? 0);
        const stageAt = (instant: number) =>
          decide({ facts, hold: held, at: instant, policy: rules, calibration: tuned }).stage;
        const decision = decide({ facts, hold: held, at: from, policy: rules, calibration: tuned });
        const { reviewAt } = decision;
        // Every instant at which anything in this policy can flip, and the milliseconds beside it.
        const last = facts.lastOrderAt ?? from;
        const dues = rules.rules
          .flatMap((rule) => plainParts(rule.when))
          .map((part) => {
            const alone = { ...rules, rules: [{ stage: 'new', when: part }], otherwise: 'churned' };
            return (
              decide({ facts, hold: null, at: last, policy: alone, calibration: tuned }).reviewAt ?? from
            );
          });
        const near = [...dues, held?.until ?? from].flatMap((due) => [due - 1, due, due + 1]);
        const far = [from + 1, from + 1_000 * DAY, (reviewAt ?? from) - 1];
        for (const instant of [...near, ...far]) {
          if (instant < from || (reviewAt !== null && instant >= reviewAt)) continue;
          assert.equal(stageAt(instant), decision.stage);
        }
        if (reviewAt === null) return;
        changes += 1;
        assert.ok(reviewAt > from);
        assert.notEqual(stageAt(reviewAt), decision.stage);
        assert.equal(stageAt(reviewAt), decision.nextStage);
      },
    ),
    { numRuns: 2_000 },
  );
  t.ok(changes > 300, `${changes} cases had a change to come`);
});
