// The faults that name where and what, for lifecycles, carry-overs, single conditions and missing models.

import t from 'tap';
import type { Condition } from '../../src/lifecycle/conditions.js';
import { DEFAULT_POLICY } from '../../src/lifecycle/defaultPolicies.js';
import type { Policy } from '../../src/lifecycle/policy.js';
import { LIFECYCLE_TEMPLATES } from '../../src/lifecycle/templates.js';
import { policyWarnings, validatePolicy } from '../../src/lifecycle/validation.js';
import { policyOf } from './samples.js';

const lifecycle = LIFECYCLE_TEMPLATES.ecommerce;
const pointersOf = (policy: Policy) => validatePolicy(policy).map((fault) => fault.pointer);
const faultsOf = (...conditions: Condition[]) =>
  pointersOf(policyOf(conditions.map((when) => ['mature', when])));

t.test('a copy of a lifecycle: keys once, and no way to a stage that is not there', async (t) => {
  const [first] = lifecycle.stages;
  if (first === undefined) throw new Error('a lifecycle has stages');
  const twice = { ...lifecycle, stages: [...lifecycle.stages, first] };
  t.same(pointersOf({ ...DEFAULT_POLICY, lifecycle: twice }), ['/lifecycle/stages/5/key']);
  const moves = [
    { from: 'new', to: ['mature', 'gone'] },
    { from: 'new', to: [] },
    { from: 'lost', to: [] },
  ];
  t.same(pointersOf({ ...DEFAULT_POLICY, lifecycle: { ...lifecycle, moves, closedOnceOrdered: ['none'] } }), [
    '/lifecycle/moves/0/to/1',
    '/lifecycle/moves/1/from',
    '/lifecycle/moves/2/from',
    '/lifecycle/closedOnceOrdered/0',
  ]);
});

t.test('rules are held against the copy, not against the template', async (t) => {
  const stages = [
    ...lifecycle.stages.slice(0, 4),
    { key: 'lost', labels: { en: 'Lost', zh: '流失' }, kind: 'churned' as const },
  ];
  const edited = { ...lifecycle, stages, moves: [] };
  t.same(pointersOf({ ...DEFAULT_POLICY, lifecycle: edited }), ['/rules/0/stage']);
  const [churned, ...rest] = DEFAULT_POLICY.rules;
  if (churned === undefined) throw new Error('the default policy has rules');
  const rules = [{ ...churned, stage: 'lost' }, ...rest];
  t.same(pointersOf({ ...DEFAULT_POLICY, rules, lifecycle: edited, carryOver: { churned: 'lost' } }), []);
  const wrong = { churned: 'gone', new: 'mature' };
  t.same(pointersOf({ ...DEFAULT_POLICY, rules, lifecycle: edited, carryOver: wrong }), [
    '/carryOver/churned',
    '/carryOver/new',
  ]);
});

t.test('optional figures that go together, or do not', async (t) => {
  t.same(faultsOf({ type: 'recentOrders', days: 5 }), ['/rules/0/when']);
  t.same(faultsOf({ type: 'recentOrders', days: 5, atLeast: 1, lessThan: 2 }), ['/rules/0/when']);
  t.same(faultsOf({ type: 'recentSpend', days: 5, currency: 'EUR' }), ['/rules/0/when']);
  t.same(faultsOf({ type: 'drop', measure: 'spend', days: 5, by: 0.5 }), ['/rules/0/when']);
  t.same(faultsOf({ type: 'drop', measure: 'orders', currency: 'EUR', days: 5, by: 0.5 }), ['/rules/0/when']);
  t.same(faultsOf({ type: 'satisfaction', scale: 'csat', atMost: 7 }), ['/rules/0/when']);
  t.same(faultsOf({ type: 'satisfaction', scale: 'csat' }), ['/rules/0/when']);
  t.same(faultsOf({ type: 'attribute', key: 'a' }), ['/rules/0/when']);
  t.same(faultsOf({ type: 'attribute', key: 'a', atLeast: 3, atMost: 2 }), ['/rules/0/when']);
  t.same(faultsOf({ type: 'all', of: [{ type: 'attribute', key: 'a', exists: true, in: ['x'] }] }), [
    '/rules/0/when/of/0',
  ]);
  t.same(faultsOf({ type: 'not', of: { type: 'daysInStage', stage: 'gone', atLeast: 2 } }), [
    '/rules/0/when/of/stage',
  ]);
});

t.test('a model that the tenant has no identified fit of', async (t) => {
  const policy = policyOf([
    ['churned', { type: 'not', of: { type: 'aliveProbability', model: 'bg', below: 0.5 } }],
  ]);
  t.same(validatePolicy(policy, { bg: true, mbg: false }), []);
  const [fault] = validatePolicy(policy, { bg: false, mbg: true });
  t.equal(fault?.pointer, '/rules/0/when/of/model');
  t.match(fault?.message, /no bg fit in which dropout is identified/);
});

t.test(
  'a narrower condition below a wider one of its kind never decides; one of another kind may',
  async (t) => {
    const recent = (days: number, atLeast: number): Condition => ({ type: 'recentOrders', days, atLeast });
    t.same(faultsOf(recent(30, 1), recent(30, 2)), ['/rules/1/when']);
    t.same(faultsOf(recent(30, 1), recent(60, 2)), []);
    const chance = (below: number, withinDays: number): Condition => ({
      type: 'orderProbability',
      model: 'mbg',
      withinDays,
      below,
    });
    t.same(faultsOf(chance(0.5, 30), chance(0.2, 30)), ['/rules/1/when']);
    t.same(faultsOf(chance(0.2, 30), chance(0.5, 30)), []);
    t.same(faultsOf(chance(0.5, 30), chance(0.2, 60)), []);
    const less = (days: number, lessThan: number): Condition => ({
      type: 'recentInteractions',
      days,
      lessThan,
    });
    t.same(faultsOf(less(30, 3), less(30, 2)), ['/rules/1/when']);
    t.same(faultsOf({ type: 'orders', atLeast: 1 }, { type: 'spend', currency: 'EUR', atLeastMinor: 1 }), [
      '/rules/1/when',
    ]);
  },
);

t.test('warnings: stages that no rule leads to, and rules that always hold', async (t) => {
  const policy = policyOf([
    [
      'mature',
      {
        type: 'any',
        of: [
          { type: 'orders', atLeast: 1 },
          { type: 'not', of: { type: 'orders', atLeast: 1 } },
        ],
      },
    ],
  ]);
  const warnings = policyWarnings(policy);
  t.same(
    warnings.map(({ pointer }) => pointer),
    ['/template', '/template', '/template', '/rules/0/when'],
  );
  t.match(warnings[0]?.message, /no rule leads to new: only a person can/);
});

t.test('a policy that would hold up whoever looks at it is refused for its size alone', async (t) => {
  const drop = (days: number): Condition => ({ type: 'drop', measure: 'orders', days, by: 0.5 });
  const drops = (count: number): Condition => ({
    type: 'any',
    of: Array.from({ length: count }, (_, i) => drop(10 + i)),
  });
  t.same(faultsOf(drops(8)), []);
  t.same(faultsOf(drops(9)), ['/rules']);
  const values = Array.from({ length: 100 }, (_, i) => `${i}${'x'.repeat(700)}`);
  t.same(faultsOf({ type: 'attribute', key: 'a', in: values }), ['']);
});
