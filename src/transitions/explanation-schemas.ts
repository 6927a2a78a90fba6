// Owns the API shape of an explanation. Its figures are the core's (lifecycle/explain.ts).

import Type, { type Static } from 'typebox';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import { count, prose, stageKey, Timestamp, text, Uuid } from '../api/shapes.js';
import type { ConditionExplanation as Explained, Explanation as Told } from '../lifecycle/explain.js';
import { PARTICULAR_TYPES } from '../lifecycle/transition.js';

/** Its members differ by the type of the condition, as those of a condition do; parts are nested in `of`. */
export const ConditionExplanation = shared(
  'ConditionExplanation',
  Type.Unsafe<Explained>({
    type: 'object',
    required: ['type', 'holds', 'flipsAt'],
    maxProperties: 30,
    description:
      'A condition with what was measured (`value`), against what (`threshold`, in `unit`), whether it holds, ' +
      'and when it would next be otherwise if no fact arrives (`flipsAt`).',
    properties: {
      type: { type: 'string', maxLength: 40, pattern: '^[A-Za-z]+$' },
      holds: { type: 'boolean' },
      value: { type: ['number', 'null'] },
      threshold: { type: ['number', 'null'] },
      unit: { type: 'string', maxLength: 40, pattern: '^[a-z_]+$' },
      flipsAt: { anyOf: [{ $ref: 'Timestamp#' }, { type: 'null' }] },
      of: { type: 'array', maxItems: 100, items: { $ref: 'ConditionExplanation#' } },
    },
  }),
);

const RuleExplanation = closed({
  rule: count({ description: 'The place of the rule in the policy, from 0.' }),
  stage: stageKey(),
  holds: Type.Boolean(),
  decided: Type.Boolean({ description: 'The first rule that holds decides, unless a hold does.' }),
  when: ref(ConditionExplanation),
});

const sentence = (description: string) => prose({ max: 20_000, description });

/** What every explanation says, of a customer or of a history that somebody has made up. */
export const explanationMembers = {
  at: ref(Timestamp),
  stage: stageKey(),
  since: ref(Timestamp),
  policyVersion: count(),
  calibrationVersion: count({ description: '0 before the first fit.' }),
  hold: nullable(
    closed({
      moveId: text({ max: 64, description: 'The move.' }),
      stage: stageKey(),
      since: ref(Timestamp),
      until: nullable(ref(Timestamp), { description: 'Null: until the next order or move.' }),
    }),
    { description: 'A person’s move that the rules wait for.' },
  ),
  rules: Type.Array(RuleExplanation, { maxItems: 50, description: 'From the most severe on.' }),
  otherwise: closed({ stage: stageKey(), decided: Type.Boolean() }),
  next: nullable(
    closed({
      at: ref(Timestamp),
      stage: stageKey(),
      rule: nullable(count(), { description: 'Null: no rule holds then.' }),
    }),
    { description: 'The next change of stage if no fact arrives.' },
  ),
  moves: Type.Array(
    closed({
      fact: choice(['order', 'order_of_new_category', 'interaction']),
      stage: stageKey(),
      type: nullable(choice(PARTICULAR_TYPES)),
    }),
    { maxItems: 3, description: 'What would put the customer into another stage, were it to happen now.' },
  ),
  sentences: closed({ en: sentence('In English.'), zh: sentence('In Chinese.') }),
};

export const CustomerExplanation = shared(
  'CustomerExplanation',
  closed({ customerId: ref(Uuid), ...explanationMembers }),
);

export const EXPLANATION_SCHEMAS: Shared[] = [ConditionExplanation, CustomerExplanation];

export interface CustomerTold {
  customerId: string;
  explanation: Told;
  sentences: { en: string; zh: string };
}

export function toApiExplanation(told: CustomerTold): Static<typeof CustomerExplanation> {
  return { customerId: told.customerId, ...told.explanation, sentences: told.sentences };
}
