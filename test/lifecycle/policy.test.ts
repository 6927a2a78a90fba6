// What a policy may say: its schema, and the faults that a schema cannot see.

import t from 'tap';
import { Compile } from 'typebox/compile';
import { type Condition, ConditionSchema } from '../../src/lifecycle/conditions.js';
import { DEFAULT_POLICY } from '../../src/lifecycle/defaultPolicies.js';
import { LifecycleSchema, type Policy, PolicySchema, usesCalibration } from '../../src/lifecycle/policy.js';
import { validatePolicy } from '../../src/lifecycle/validation.js';

const validator = Compile({ 'Condition#': ConditionSchema, 'Lifecycle#': LifecycleSchema }, PolicySchema);

const orders = (atLeast: number): Condition => ({ type: 'orders', atLeast });
const silence = (days: number): Condition => ({ type: 'silence', days });
const quantile = (q: number): Condition => ({ type: 'cadenceQuantile', q });
const all = (...of: Condition[]): Condition => ({ type: 'all', of });
const any = (...of: Condition[]): Condition => ({ type: 'any', of });
const not = (of: Condition): Condition => ({ type: 'not', of });

function policyOf(...conditions: Condition[]): Policy {
  const rules = conditions.map((when) => ({ stage: 'mature', when }));
  return { template: 'ecommerce', timeZone: 'UTC', rules, otherwise: 'prospect' };
}

const faultsOf = (...conditions: Condition[]) =>
  validatePolicy(policyOf(...conditions)).map((fault) => fault.pointer);

t.test('the default policy fits its schema and has no fault', async (t) => {
  t.ok(validator.Check(DEFAULT_POLICY));
  t.same(validatePolicy(DEFAULT_POLICY), []);
  t.same(
    DEFAULT_POLICY.rules.map((rule) => rule.stage),
    ['churned', 'declining', 'mature', 'new'],
  );
});

t.test('the schema takes every type of condition, nested', async (t) => {
  const nested = all(
    any(orders(1), not(silence(0.5))),
    { type: 'categories', atLeast: 50 },
    quantile(0.999),
    {
      type: 'cadenceMultiple',
      multiple: 100,
    },
  );
  t.ok(validator.Check(policyOf(nested)));
});

t.test('the schema refuses what is out of bounds or not known', async (t) => {
  const wrong: unknown[] = [
    { type: 'orders', atLeast: 0 },
    { type: 'orders', atLeast: 1.5 },
    { type: 'orders', atLeast: 100_001 },
    { type: 'orders' },
    { type: 'orders', atLeast: 1, days: 1 },
    { type: 'categories', atLeast: 51 },
    { type: 'silence', days: 0 },
    { type: 'silence', days: 3_651 },
    { type: 'silence', days: '30' },
    { type: 'cadenceQuantile', q: 0 },
    { type: 'cadenceQuantile', q: 1 },
    { type: 'cadenceMultiple', multiple: 0 },
    { type: 'cadenceMultiple', multiple: 101 },
    { type: 'all', of: [] },
    { type: 'all', of: { type: 'orders', atLeast: 1 } },
    { type: 'any', of: [{ type: 'all', of: [{ type: 'orders', atLeast: 0 }] }] },
    { type: 'not', of: [{ type: 'orders', atLeast: 1 }] },
    { type: 'moon', phase: 'full' },
    {},
    null,
  ];
  for (const when of wrong) {
    const rules = [{ stage: 'mature', when }];
    t.notOk(validator.Check({ ...DEFAULT_POLICY, rules }), JSON.stringify(when));
  }
  for (const change of [
    { rules: [] },
    { template: 'b2b' },
    { timeZone: '' },
    { otherwise: 'No Stage' },
    { extra: 1 },
  ]) {
    t.notOk(validator.Check({ ...DEFAULT_POLICY, ...change }), JSON.stringify(change));
  }
});

t.test('the schema bounds every number, string and list, and closes every object', async (t) => {
  let seen = 0;
  const visit = (schema: unknown, path: string): void => {
    if (typeof schema !== 'object' || schema === null) return;
    const part = schema as Record<string, unknown>;
    const has = (...keys: string[]) => keys.some((key) => key in part);
    const named = 'const' in part || 'enum' in part;
    if (part.type === 'string' && !named) t.ok(has('maxLength') && has('pattern'), path);
    if (part.type === 'integer' || part.type === 'number') {
      t.ok(has('minimum', 'exclusiveMinimum') && has('maximum', 'exclusiveMaximum'), path);
      seen += 1;
    }
    if (part.type === 'array') t.ok(has('maxItems'), path);
    if (part.type === 'object' && !has('oneOf')) t.equal(part.additionalProperties, false, path);
    for (const [key, value] of Object.entries(part)) visit(value, `${path}/${key}`);
  };
  visit(JSON.parse(JSON.stringify(PolicySchema)), 'Policy');
  visit(JSON.parse(JSON.stringify(LifecycleSchema)), 'Lifecycle');
  visit(JSON.parse(JSON.stringify(ConditionSchema)), 'Condition');
  t.equal(seen, 28);
});

t.test('stages and time zones that do not exist are faults, each at its place', async (t) => {
  const policy: Policy = { ...policyOf(orders(1)), timeZone: 'Mars/Olympus', otherwise: 'loyal' };
  policy.rules = [{ stage: 'growing', when: orders(1) }];
  t.same(
    validatePolicy(policy).map((fault) => fault.pointer),
    ['/rules/0/stage', '/otherwise', '/timeZone'],
  );
});

t.test('conditions nested too deep, or too many of them, are faults', async (t) => {
  const nest = (depth: number): Condition => (depth === 1 ? orders(2) : not(nest(depth - 1)));
  t.same(faultsOf(nest(8)), []);
  t.same(faultsOf(orders(5), any(nest(8), orders(3))), ['/rules/1/when/of/0/of/of/of/of/of/of/of']);
  t.same(faultsOf(nest(5_000)).length, 1, 'even absurdly deep');

  const many = (n: number) => any(...Array.from({ length: n }, (_, i) => silence(i + 1)));
  t.same(faultsOf(many(99)), []);
  t.same(faultsOf(many(100)), ['/rules']);
});

t.test('a rule that can never decide is a fault', async (t) => {
  const shadowed: [Condition, Condition][] = [
    [orders(2), orders(2)],
    [orders(2), orders(3)],
    [silence(30), silence(60)],
    [quantile(0.5), quantile(0.9)],
    [orders(1), silence(10)],
    [orders(1), { type: 'categories', atLeast: 2 }],
    [any(orders(3), silence(9)), silence(10)],
    [orders(2), all(orders(2), silence(3))],
    [all(orders(1), silence(3)), all(silence(3), orders(1))],
    [not(orders(5)), not(orders(3))],
    [any(orders(2), not(orders(2))), quantile(0.9)],
    [any(silence(3), not(silence(5))), quantile(0.9)],
  ];
  for (const [earlier, later] of shadowed) {
    t.same(faultsOf(earlier, later), ['/rules/1/when'], JSON.stringify([earlier, later]));
  }
  for (const [impossible, pointer] of [
    [all(orders(2), not(orders(2))), '/rules/0/when/of/1'],
    [all(orders(3), not(orders(2))), '/rules/0/when/of/1'],
    [not(any(silence(1), not(silence(2)))), '/rules/0/when'],
  ] as const) {
    t.same(faultsOf(impossible), [pointer], JSON.stringify(impossible));
  }
});

t.test('rules that can decide are no fault', async (t) => {
  const sound: Condition[][] = [
    [orders(3), orders(2)],
    [silence(60), silence(30)],
    [silence(30), quantile(0.9)],
    [silence(30), orders(1)],
    [all(orders(2), silence(30)), silence(20)],
    [all(orders(2), silence(30)), orders(2)],
    [not(orders(3)), orders(1)],
    [not(silence(5)), not(silence(9))],
    [orders(3), any(orders(2), silence(1))],
    [silence(20), any(silence(30), orders(2))],
    [all(silence(3), not(silence(5))), silence(1)],
  ];
  for (const conditions of sound) t.same(faultsOf(...conditions), [], JSON.stringify(conditions));
});

t.test('the work of comparing the largest rules is bounded', async (t) => {
  const wide = (depth: number, leaf: (i: number) => Condition, salt = 1): Condition => {
    if (depth === 0) return leaf(salt);
    const parts = [wide(depth - 1, leaf, salt * 2), wide(depth - 1, leaf, salt * 2 + 1)];
    return depth % 2 === 0 ? all(...parts) : any(...parts);
  };
  t.same(
    faultsOf(
      wide(4, (i) => silence(i + 40)),
      wide(4, (i) => quantile(0.5 + i / 1_000)),
    ),
    [],
  );
});

t.test('a policy reads the calibration if any part of it does', async (t) => {
  t.equal(usesCalibration(DEFAULT_POLICY), true);
  t.equal(usesCalibration(policyOf(orders(1), all(silence(3), not(orders(2))))), false);
  t.equal(usesCalibration(policyOf(orders(1), any(silence(3), not(quantile(0.5))))), true);
});
