// Owns the policy: its schema, the default one, and the faults that a schema cannot see. A policy is data;
// what its conditions mean is in predicates.ts, its versions in time are in timeline.ts.

import Type from 'typebox';
import { isTimeZone } from './calendar.js';
import { CONDITION_DEPTH_MAX, type Condition, partsOf } from './conditions.js';
import { implies, neverHolds } from './implication.js';
import { readsCalibration } from './predicates.js';
import { LIFECYCLE_TEMPLATES, TEMPLATE_KEYS } from './stages.js';

/** How many conditions a policy may have in all, compound ones included: each is asked at each decision. */
export const CONDITIONS_MAX = 100;

const StageKey = Type.String({
  minLength: 1,
  maxLength: 40,
  pattern: '^[a-z][a-z0-9_]*$',
  description: "The key of one of the lifecycle's stages.",
});

const RuleSchema = Type.Object(
  { stage: StageKey, when: Type.Ref('Condition#') },
  { additionalProperties: false, description: 'While the condition holds, customers are in the stage.' },
);

/** Refers to ConditionSchema by its `$id`; both have to be known to whoever validates or documents. */
export const PolicySchema = Type.Object(
  {
    template: Type.Enum([...TEMPLATE_KEYS], { description: 'The lifecycle whose stages the rules name.' }),
    timeZone: Type.String({
      minLength: 1,
      maxLength: 64,
      pattern: '^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$',
      description: 'The IANA time zone whose calendar days are purchase days.',
    }),
    rules: Type.Array(RuleSchema, {
      minItems: 1,
      maxItems: 50,
      description: 'From the most severe on: the first one that holds decides.',
    }),
    otherwise: StageKey,
  },
  { $id: 'Policy', additionalProperties: false, description: "The rules that decide each customer's stage." },
);

export interface Rule {
  stage: string;
  when: Condition;
}

type PolicyShape = Type.Static<typeof PolicySchema>;
export interface Policy extends Omit<PolicyShape, 'rules'> {
  rules: Rule[];
}

/** What a tenant starts with, for the `ecommerce` template. */
export const DEFAULT_POLICY: Policy = {
  template: 'ecommerce',
  timeZone: 'UTC',
  rules: [
    { stage: 'churned', when: { type: 'cadenceQuantile', q: 0.9 } },
    { stage: 'declining', when: { type: 'cadenceQuantile', q: 0.75 } },
    {
      stage: 'mature',
      when: {
        type: 'any',
        of: [
          { type: 'orders', atLeast: 3 },
          {
            type: 'all',
            of: [
              { type: 'orders', atLeast: 2 },
              { type: 'categories', atLeast: 2 },
            ],
          },
        ],
      },
    },
    { stage: 'new', when: { type: 'orders', atLeast: 1 } },
  ],
  otherwise: 'prospect',
};

export interface PolicyFault {
  /** RFC 6901, from the policy's root. */
  pointer: string;
  message: string;
}

/** The faults of a policy that its schema accepts; empty for a sound one. */
export function validatePolicy(policy: Policy): PolicyFault[] {
  const faults = [...stageFaults(policy)];
  if (!isTimeZone(policy.timeZone)) {
    faults.push({ pointer: '/timeZone', message: `${policy.timeZone} is not a known IANA time zone` });
  }
  const tooBig = sizeFaults(policy);
  // Rules of any size are not compared with each other: that would be the work that the bounds are to spare.
  return tooBig.length > 0 ? [...faults, ...tooBig] : [...faults, ...deadRuleFaults(policy)];
}

/** Whether a new calibration can change what the policy decides. */
export function usesCalibration(policy: Policy): boolean {
  return policy.rules.some((rule) => readsCalibration(rule.when));
}

function stageFaults(policy: Policy): PolicyFault[] {
  const known = LIFECYCLE_TEMPLATES[policy.template].stages.map((stage) => stage.key);
  const named = policy.rules.map((rule, i) => ({ pointer: `/rules/${i}/stage`, stage: rule.stage }));
  return [...named, { pointer: '/otherwise', stage: policy.otherwise }]
    .filter(({ stage }) => !known.includes(stage))
    .map(({ pointer, stage }) => ({
      pointer,
      message: `${stage} is not a stage of the ${policy.template} lifecycle; its stages are ${known.join(', ')}`,
    }));
}

function sizeFaults(policy: Policy): PolicyFault[] {
  const faults: PolicyFault[] = [];
  let conditions = 0;
  const visit = (condition: Condition, pointer: string, depth: number): void => {
    conditions += 1;
    if (depth > CONDITION_DEPTH_MAX) {
      faults.push({ pointer, message: `conditions are nested more than ${CONDITION_DEPTH_MAX} deep` });
      return;
    }
    if (conditions > CONDITIONS_MAX) return;
    const parts = partsOf(condition);
    const at = (i: number) => (condition.type === 'not' ? `${pointer}/of` : `${pointer}/of/${i}`);
    for (const [i, part] of parts.entries()) visit(part, at(i), depth + 1);
  };
  for (const [i, rule] of policy.rules.entries()) visit(rule.when, `/rules/${i}/when`, 1);
  if (conditions > CONDITIONS_MAX) {
    faults.push({ pointer: '/rules', message: `there are more than ${CONDITIONS_MAX} conditions in all` });
  }
  return faults;
}

/** Rules that can never decide: their condition cannot hold, or an earlier rule holds whenever they do. */
function deadRuleFaults(policy: Policy): PolicyFault[] {
  const faults: PolicyFault[] = [];
  for (const [i, rule] of policy.rules.entries()) {
    const pointer = `/rules/${i}/when`;
    if (neverHolds(rule.when)) {
      faults.push({ pointer, message: 'this condition contradicts itself, so the rule can never decide' });
      continue;
    }
    const earlier = policy.rules.findIndex((other, j) => j < i && implies(rule.when, other.when));
    if (earlier !== -1) {
      const message = `rule ${earlier} holds whenever this one does, so this one can never decide`;
      faults.push({ pointer, message });
    }
  }
  return faults;
}
