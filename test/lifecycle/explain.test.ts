// What an explanation says: the rules with their figures and flips, what decided, what would move the customer.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { Condition } from '../../src/lifecycle/conditions.js';
import { type ConditionExplanation, explainCustomer } from '../../src/lifecycle/explain.js';
import { compileTimeline, replay } from '../../src/lifecycle/replay.js';
import { sentencesOf } from '../../src/lifecycle/sentences.js';
import { LIFECYCLE_TEMPLATES } from '../../src/lifecycle/templates.js';
import { condition, history, instant } from './arbitraries.js';
import { plainParts } from './reference.js';
import {
  at,
  historyOf,
  moveAt,
  orderAt,
  ordersAt,
  policiesFrom,
  policyOf,
  silencePolicy,
} from './samples.js';

const silent = silencePolicy(45, 91);

function told(facts: Parameters<typeof historyOf>[1], now: string, policy = silent) {
  const explanation = explainCustomer(historyOf('2024-01-01', facts), policiesFrom(policy), at(now));
  const lifecycle = LIFECYCLE_TEMPLATES.ecommerce;
  return { explanation, sentences: sentencesOf({ explanation, lifecycle, timeZone: 'UTC' }) };
}

t.test(
  'a declining customer: what decided, when the rest flips, and that an order brings them back',
  async (t) => {
    const orders = ordersAt('2024-01-01', '2024-01-11');
    const { explanation, sentences } = told({ orders }, '2024-03-01');
    t.match(explanation, {
      stage: 'declining',
      since: '2024-02-25T00:00:00.000Z',
      hold: null,
      otherwise: { stage: 'prospect', decided: false },
      next: { at: '2024-04-11T00:00:00.000Z', stage: 'churned', rule: 0 },
    });
    t.same(
      explanation.rules.map(({ stage, holds, decided, when }) => [stage, holds, decided, when.flipsAt]),
      [
        ['churned', false, false, '2024-04-11T00:00:00.000Z'],
        ['declining', true, true, null],
        ['mature', true, false, null],
        ['new', true, false, null],
      ],
    );
    t.match(explanation.rules[0]?.when, { value: 50, threshold: 91, unit: 'days' });
    t.same(explanation.moves, [{ fact: 'order', stage: 'mature', type: 'recovered' }]);
    t.equal(
      sentences.en,
      'Declining since 2024-02-25: 50 days without an order, no less than 45 days. Without news, Churned on ' +
        '2024-04-11. An order now would bring them back to Mature.',
    );
    t.equal(
      sentences.zh,
      '自 2024-02-25 起处于退化期：已 50 天未下单，达到 45 天。若无新的事实，将于 2024-04-11 进入流失期。现在下单将使其回到成熟期。',
    );
  },
);

t.test('a hold is what decides while it lasts, and the rules are shown all the same', async (t) => {
  const moves = [moveAt('m', '2024-02-01', 'churned', '2024-12-01')];
  const { explanation, sentences } = told({ orders: ordersAt('2024-01-01'), moves }, '2024-03-01');
  t.match(explanation, { stage: 'churned', hold: { moveId: 'm', until: '2024-12-01T00:00:00.000Z' } });
  t.ok(explanation.rules.every((rule) => !rule.decided));
  t.match(sentences.en, 'held until 2024-12-01');
  t.match(sentences.zh, '由人工调整');
});

t.test(
  'nobody decides for a prospect, and an order of a new category can do more than another',
  async (t) => {
    const policy = policyOf([
      ['mature', { type: 'categories', atLeast: 2 }],
      ['new', { type: 'orders', atLeast: 1 }],
    ]);
    const none = told({}, '2024-01-05', policy).explanation;
    t.match(none, { stage: 'prospect', otherwise: { decided: true }, next: null });
    t.same(none.moves, [{ fact: 'order', stage: 'new', type: null }]);
    const once = told({ orders: [orderAt('o', '2024-01-02')] }, '2024-01-05', policy).explanation;
    t.same(once.moves, [{ fact: 'order_of_new_category', stage: 'mature', type: null }]);
  },
);

t.test('the stage explained is the one that a replay gives, and exactly one thing decides', async (t) => {
  fc.assert(
    fc.property(history, condition, instant, (facts, when, until) => {
      const timeline = compileTimeline({
        policies: [{ version: 1, effectiveFrom: null, policy: policyOf([['mature', when]]) }],
        calibrations: [],
      });
      const explanation = explainCustomer(facts, timeline, until);
      assert.equal(explanation.stage, replay(facts, timeline, until).state.stage);
      const deciders = [
        explanation.hold !== null,
        explanation.otherwise.decided,
        explanation.rules[0]?.decided,
      ];
      assert.equal(deciders.filter(Boolean).length, 1);
    }),
    { numRuns: 300 },
  );
  t.pass('held in every run');
});

t.test('a flip is at its instant and not a millisecond before', async (t) => {
  let flips = 0;
  // Time in a stage is left out: its flip is one if the stage stays, which other conditions may see to.
  const timed = condition.filter((one) => plainParts(one).every((part) => part.type !== 'daysInStage'));
  fc.assert(
    fc.property(history, timed, instant, (facts, when, until) => {
      const timeline = compileTimeline({
        policies: [{ version: 1, effectiveFrom: null, policy: policyOf([['mature', when]]) }],
        calibrations: [],
      });
      const reached = Math.max(until, replay(facts, timeline, until).transitions[0]?.effectiveAt ?? until);
      const changes = facts.changes.filter((change) => change.at <= Math.max(reached, facts.createdAt));
      const known = { ...facts, changes, moves: [] };
      const by = <T extends { at: number }>(list: readonly T[]) => list.filter((fact) => fact.at <= reached);
      const quiet = { ...known, orders: by(known.orders), touchpoints: by(known.touchpoints) };
      const look = (now: number) => explainCustomer(quiet, timeline, now).rules[0]?.when;
      const now = look(reached);
      if (now?.flipsAt == null) return;
      flips += 1;
      const flipsAt = Date.parse(now.flipsAt);
      assert.equal(look(flipsAt - 1)?.holds, now.holds);
      assert.equal(look(flipsAt)?.holds, !now.holds);
    }),
    { numRuns: 1_500 },
  );
  t.ok(flips > 50, `${flips} flips were looked at`);
});

const EVERY: Condition[] = [
  { type: 'orders', atLeast: 2 },
  { type: 'spend', currency: 'EUR', atLeastMinor: 500 },
  { type: 'categories', atLeast: 2 },
  { type: 'silence', days: 10 },
  { type: 'interactionSilence', days: 10 },
  { type: 'cadenceQuantile', q: 0.75 },
  { type: 'cadenceMultiple', multiple: 2 },
  { type: 'recentOrders', days: 30, atLeast: 1 },
  { type: 'recentSpend', days: 30, currency: 'EUR', lessThanMinor: 10 },
  { type: 'recentInteractions', days: 30, lessThan: 1 },
  { type: 'drop', measure: 'orders', days: 10, by: 0.5 },
  { type: 'orderProbability', model: 'mbg', withinDays: 30, below: 0.2 },
  { type: 'aliveProbability', model: 'bg', below: 0.2 },
  { type: 'satisfaction', scale: 'nps', atMost: 6 },
  { type: 'daysInStage', stage: 'new', atLeast: 5 },
  { type: 'tag', tag: 'vip' },
  { type: 'channel', in: ['web'] },
  { type: 'country', in: ['DE'] },
  { type: 'attribute', key: 'tier', in: ['gold'] },
  {
    type: 'any',
    of: [
      { type: 'orders', atLeast: 1 },
      { type: 'tag', tag: 'vip' },
    ],
  },
  {
    type: 'all',
    of: [
      { type: 'orders', atLeast: 1 },
      { type: 'silence', days: 1 },
    ],
  },
  { type: 'not', of: { type: 'tag', tag: 'vip' } },
];

t.test(
  'every kind of condition has its words in both languages, holding or not, known or unknown',
  async (t) => {
    const bought = {
      orders: ordersAt('2024-01-01', '2024-01-20'),
      touchpoints: [{ id: 't', at: at('2024-01-10'), satisfaction: { scale: 'nps' as const, score: 3 } }],
    };
    for (const when of EVERY) {
      for (const facts of [bought, {}]) {
        const { explanation, sentences } = told(facts, '2024-03-01', policyOf([['new', when]]));
        const explained: ConditionExplanation | undefined = explanation.rules[0]?.when;
        t.equal(explained?.type, when.type);
        t.notMatch(`${sentences.en}${sentences.zh}`, /undefined|null|NaN|\[object/, JSON.stringify(when));
      }
    }
  },
);

t.test('with very many orders in a window the next change is the true one', async (t) => {
  const orders = Array.from({ length: 14_000 }, (_, i) => ({
    ...orderAt(`o${String(i).padStart(5, '0')}`, '2024-01-01'),
    at: at('2024-01-01') + i * 2_160_000,
  }));
  const policy = policyOf([['declining', { type: 'drop', measure: 'orders', days: 170, by: 0.9 }]], 'mature');
  const timeline = policiesFrom(policy);
  const now = at('2025-01-01');
  const { state, reviewAt, next } = replay({ ...historyOf('2024-01-01'), orders }, timeline, now);
  t.equal(state.stage, 'mature');
  t.equal(next?.stage, 'declining');
  const later = (instant: number) =>
    replay({ ...historyOf('2024-01-01'), orders }, timeline, instant).state.stage;
  t.equal(later((reviewAt ?? 0) - 1), 'mature');
  t.equal(later(reviewAt ?? 0), 'declining');
});
