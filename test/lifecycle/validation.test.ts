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
    t.same(faultsOf(chance(0.5, 30), chance(0.2, 60)), ['/rules/1/when']);
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

t.test('a contradiction is named where it lies, with what it lies beside', async (t) => {
  const recent = (days: number, atLeast: number): Condition => ({ type: 'recentOrders', days, atLeast });
  const silent = (days: number): Condition => ({ type: 'silence', days });
  const said = (...of: Condition[]) =>
    validatePolicy(policyOf([['mature', { type: 'all', of }]])).map(({ pointer, message }) => [
      pointer,
      message,
    ]);
  const orders: Condition = { type: 'orders', atLeast: 2 };
  t.same(said(orders, silent(30), { type: 'all', of: [{ type: 'tag', tag: 'vip' }, recent(30, 2)] }), [
    [
      '/rules/0/when/of/2/of/1',
      "this cannot hold while the policy's /rules/0/when/of/1 does, so the rule can never decide",
    ],
  ]);
  const inside: Condition = { type: 'all', of: [recent(10, 1), silent(10)] };
  t.same(said(orders, { type: 'any', of: [inside, inside] }), [
    ['/rules/0/when/of/1', 'this contradicts itself, so the rule can never decide'],
  ]);
  const from = (...channels: string[]): Condition => ({ type: 'channel', in: channels });
  const not = (of: Condition): Condition => ({ type: 'not', of });
  t.same(said(not(from('web')), orders, not(from('shop')), from('web', 'shop')), [
    [
      '/rules/0/when/of/3',
      "this cannot hold while the policy's /rules/0/when/of/0 and /rules/0/when/of/2 do, so the rule can never decide",
    ],
  ]);
});

t.test('rules that leave nothing to a later one only together', async (t) => {
  const often: Condition = { type: 'recentOrders', days: 30, atLeast: 2 };
  const vip: Condition = { type: 'tag', tag: 'vip' };
  const seldom: Condition = { type: 'recentOrders', days: 30, lessThan: 2 };
  const policy = (...conditions: Condition[]) => policyOf(conditions.map((when) => ['mature', when]));
  t.match(validatePolicy(policy(often, vip, seldom, { type: 'orders', atLeast: 1 })), [
    { pointer: '/rules/3/when', message: /^one of the rules 0, 2 holds whenever this one does/ },
  ]);
  t.same(faultsOf(often, vip, { ...seldom, days: 31 }, { type: 'orders', atLeast: 1 }), []);
});

t.test('warnings: branches that can never hold, by themselves or where they stand', async (t) => {
  const silent: Condition = { type: 'silence', days: 60 };
  const recent: Condition = { type: 'recentOrders', days: 30, atLeast: 1 };
  const vip: Condition = { type: 'tag', tag: 'vip' };
  const warningsOf = (when: Condition) =>
    policyWarnings(policyOf([['mature', when]]))
      .filter(({ message }) => message.includes('branch'))
      .map(({ pointer, message }) => [pointer, message]);
  t.same(warningsOf({ type: 'any', of: [vip, { type: 'all', of: [silent, recent] }] }), [
    [
      '/rules/0/when/of/1',
      "the policy's /rules/0/when/of/1/of/1 cannot hold while the policy's /rules/0/when/of/1/of/0 does, so this branch decides nothing",
    ],
  ]);
  t.same(warningsOf({ type: 'all', of: [{ type: 'any', of: [recent, vip] }, silent] }), [
    [
      '/rules/0/when/of/0/of/0',
      "this cannot hold while the policy's /rules/0/when/of/1 does, so this branch decides nothing",
    ],
  ]);
  t.same(warningsOf({ type: 'any', of: [recent, silent, { type: 'all', of: [silent, vip] }] }), []);
  const denied: Condition = { type: 'not', of: { type: 'any', of: [recent, vip] } };
  t.match(
    warningsOf({ type: 'all', of: [denied, silent] }),
    [['/rules/0/when/of/0/of/of/0']],
    'denied as well',
  );
  t.same(warningsOf({ type: 'all', of: [silent, recent] }), [], 'a fault is no warning besides');
});

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
