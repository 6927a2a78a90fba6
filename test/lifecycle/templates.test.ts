// The lifecycles that ship, and the policies they begin with.

import t from 'tap';
import { Compile } from 'typebox/compile';
import { ConditionSchema } from '../../src/lifecycle/conditions.js';
import { TEMPLATE_POLICIES } from '../../src/lifecycle/defaultPolicies.js';
import { LifecycleSchema, PolicySchema } from '../../src/lifecycle/policy.js';
import { permittedMoves, TEMPLATE_KEYS } from '../../src/lifecycle/stages.js';
import { LIFECYCLE_TEMPLATES } from '../../src/lifecycle/templates.js';
import { policyWarnings, validatePolicy } from '../../src/lifecycle/validation.js';

const context = { 'Condition#': ConditionSchema, 'Lifecycle#': LifecycleSchema };
const policies = Compile(context, PolicySchema);
const lifecycles = Compile(context, LifecycleSchema);

for (const key of TEMPLATE_KEYS) {
  t.test(`${key} is sound: its schema, its labels, its graph, its policy`, async (t) => {
    const lifecycle = LIFECYCLE_TEMPLATES[key];
    const policy = TEMPLATE_POLICIES[key];
    t.ok(lifecycles.Check(lifecycle));
    t.ok(policies.Check(policy));
    t.same(validatePolicy(policy), []);
    t.same(policyWarnings(policy), [], 'every stage is reached by a rule');
    t.equal(policy.template, key);
    // A copy that a tenant begins to edit is as sound as what was copied.
    t.same(validatePolicy({ ...policy, lifecycle }), []);
    for (const { labels } of lifecycle.stages) {
      t.match(labels.en, /^[A-Z][a-z]+$/);
      t.match(labels.zh, /^[\u4e00-\u9fff]+$/);
    }
  });
}

t.test('the stages are those of the field, in their order', async (t) => {
  const keysOf = (key: (typeof TEMPLATE_KEYS)[number]) =>
    LIFECYCLE_TEMPLATES[key].stages.map((stage) => stage.key);
  t.same(keysOf('ecommerce'), ['prospect', 'new', 'mature', 'declining', 'churned']);
  t.same(keysOf('banking'), ['potential', 'developing', 'growing', 'mature', 'declining', 'terminated']);
  t.same(keysOf('relationship'), ['exploration', 'formation', 'stable', 'decline']);
  t.same(keysOf('acquisition'), ['contact', 'acquire', 'convert', 'retain', 'loyal', 'lapsed']);
  t.same(keysOf('engagement'), ['introduce', 'establish', 'maintain', 'deepen', 'lapsed']);
});

t.test(
  'nobody becomes a prospect once an order counts, nor goes from one to anything but another or the end',
  async (t) => {
    for (const key of TEMPLATE_KEYS) {
      const lifecycle = LIFECYCLE_TEMPLATES[key];
      const prospects = lifecycle.stages
        .filter((stage) => stage.kind === 'prospect')
        .map((stage) => stage.key);
      const end = lifecycle.stages.at(-1)?.key ?? '';
      for (const from of prospects) t.same(permittedMoves(lifecycle, from, false), [...prospects, end]);
      for (const { key: from, kind } of lifecycle.stages) {
        if (kind === 'prospect') continue;
        t.notOk(permittedMoves(lifecycle, from, true).some((to) => prospects.includes(to)));
      }
    }
  },
);
