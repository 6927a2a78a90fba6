// Owns the policy: its schema and types, and which lifecycle its rules are about. A policy is data; what its
// conditions mean is in predicates.ts, its faults in validation.ts, its versions in time in timeline.ts.

import Type from 'typebox';
import type { Condition } from './conditions.js';
import { needsOf } from './predicates.js';
import { type Lifecycle, STAGE_KINDS, StageKey, TEMPLATE_KEYS } from './stages.js';
import { LIFECYCLE_TEMPLATES } from './templates.js';

const STAGES_MAX = 30;
const closed = { additionalProperties: false };

const label = () => Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\u0000]+$' });

const StageSchema = Type.Object(
  {
    key: StageKey,
    labels: Type.Object({ en: label(), zh: label() }, closed),
    kind: Type.Enum([...STAGE_KINDS], { description: 'What events and reports go by.' }),
  },
  closed,
);

const keys = (description: string) => Type.Array(StageKey, { maxItems: STAGES_MAX, description });

export const LifecycleSchema = Type.Object(
  {
    stages: Type.Array(StageSchema, {
      minItems: 2,
      maxItems: STAGES_MAX,
      description: 'In the order in which a customer is meant to go through them.',
    }),
    moves: Type.Array(
      Type.Object({ from: StageKey, to: keys('Where a person may move a customer.') }, closed),
      {
        maxItems: STAGES_MAX,
        description: 'The graph that limits manual moves; the rules always go where they say.',
      },
    ),
    closedOnceOrdered: keys('Stages that nobody may be moved into once an order counts.'),
  },
  { $id: 'Lifecycle', ...closed, description: 'Stages and the graph between them.' },
);

const RuleSchema = Type.Object(
  { stage: StageKey, when: Type.Ref('Condition#') },
  { ...closed, description: 'While the condition holds, customers are in the stage.' },
);

/** Refers to ConditionSchema and LifecycleSchema by `$id`: whoever validates or documents has to know both. */
export const PolicySchema = Type.Object(
  {
    template: Type.Enum([...TEMPLATE_KEYS], { description: 'The lifecycle whose stages the rules name.' }),
    lifecycle: Type.Optional(
      Type.Ref('Lifecycle#', { description: "The tenant's own copy of it; without one it is as shipped." }),
    ),
    carryOver: Type.Optional(
      Type.Record(StageKey, StageKey, {
        maxProperties: STAGES_MAX,
        additionalProperties: false,
        description:
          'For stages that the lifecycle no longer has: the one in their place. Customers whom a person has ' +
          'put there are held in that one; everybody else is where the rules put them.',
      }),
    ),
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
  { $id: 'Policy', ...closed, description: "The rules that decide each customer's stage." },
);

export interface Rule {
  stage: string;
  when: Condition;
}

type PolicyShape = Type.Static<typeof PolicySchema>;
export interface Policy extends Omit<PolicyShape, 'rules' | 'lifecycle' | 'carryOver'> {
  lifecycle?: Lifecycle;
  carryOver?: Record<string, string>;
  rules: Rule[];
}

/** The stages that a policy's rules are about: the tenant's copy, or the template as it is shipped. */
export function lifecycleOf({ template, lifecycle }: Policy): Lifecycle {
  return lifecycle ?? LIFECYCLE_TEMPLATES[template];
}

/** Whether a new calibration can change what the policy decides. */
export function usesCalibration(policy: Policy): boolean {
  return needsOf(policy.rules.map((rule) => rule.when)).calibration.size > 0;
}
