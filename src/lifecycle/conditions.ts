// Owns the vocabulary of conditions: the shape of each, its bounds, and the types made from them. Does not
// own what a condition means over time (predicates.ts).

import Type from 'typebox';

/** How deep conditions may be nested, a bare one being 1. */
export const CONDITION_DEPTH_MAX = 8;

const closed = { additionalProperties: false };
const nested = Type.Ref('Condition#');

/** One entry for each type of condition; predicates.ts has one entry for each of these. */
const CONDITION_SCHEMAS = {
  orders: Type.Object(
    {
      type: Type.Literal('orders'),
      atLeast: Type.Integer({ minimum: 1, maximum: 100_000, format: 'int32' }),
    },
    { ...closed, description: 'Holds from this many purchase days (local days with a counting order) on.' },
  ),
  categories: Type.Object(
    {
      type: Type.Literal('categories'),
      atLeast: Type.Integer({ minimum: 1, maximum: 50, format: 'int32' }),
    },
    { ...closed, description: 'Holds from this many distinct product categories bought on.' },
  ),
  silence: Type.Object(
    { type: Type.Literal('silence'), days: Type.Number({ exclusiveMinimum: 0, maximum: 3_650 }) },
    { ...closed, description: 'Holds once this many days of 24 hours have passed since the last order.' },
  ),
  cadenceQuantile: Type.Object(
    { type: Type.Literal('cadenceQuantile'), q: Type.Number({ minimum: 0.01, maximum: 0.999 }) },
    {
      ...closed,
      description:
        'Holds once the silence is longer than a share q of the gaps that ended, among customers with this ' +
        'history (see the cadence model).',
    },
  ),
  cadenceMultiple: Type.Object(
    { type: Type.Literal('cadenceMultiple'), multiple: Type.Number({ exclusiveMinimum: 0, maximum: 100 }) },
    { ...closed, description: "Holds once the silence is this multiple of the customer's own mean gap." },
  ),
  all: Type.Object(
    { type: Type.Literal('all'), of: Type.Array(nested, { minItems: 1, maxItems: 100 }) },
    { ...closed, description: 'Holds while all of these hold.' },
  ),
  any: Type.Object(
    { type: Type.Literal('any'), of: Type.Array(nested, { minItems: 1, maxItems: 100 }) },
    { ...closed, description: 'Holds while at least one of these holds.' },
  ),
  not: Type.Object(
    { type: Type.Literal('not'), of: nested },
    { ...closed, description: 'Holds while this does not.' },
  ),
};

type Schemas = typeof CONDITION_SCHEMAS;
export type ConditionType = keyof Schemas;
export type Condition = Type.Static<Schemas[ConditionType], { 'Condition#': Schemas[ConditionType] }>;
export type ConditionOf<T extends ConditionType> = Extract<Condition, { type: T }>;

/**
 * `oneOf` with a discriminator, not the plain union: a validator that knows the keyword then names the fault
 * in the condition that was meant, where it would otherwise list what is wrong with every other type too.
 * Conditions refer to this schema by its `$id`, so it is registered once and appears once in the API document.
 */
export const ConditionSchema = Type.Unsafe<Condition>({
  $id: 'Condition',
  description: 'A condition over one customer and time.',
  type: 'object',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: Object.values(CONDITION_SCHEMAS),
});

/** The conditions that this one is made of; none for a plain one. */
export function partsOf(condition: Condition): readonly Condition[] {
  if (!('of' in condition)) return [];
  return Array.isArray(condition.of) ? condition.of : [condition.of];
}
