// Owns the vocabulary of conditions: the shape of each, its bounds, and the types made from them. Does not
// own what a condition means over time (predicates.ts).

import Type, { type TProperties } from 'typebox';
import { SATISFACTION_SCALES } from './facts.js';
import { DROPOUT_MODELS } from './models/dropout.js';
import { StageKey } from './stages.js';

/** How deep conditions may be nested, a bare one being 1. */
export const CONDITION_DEPTH_MAX = 8;
const DAYS_MAX = 3_650;
const LIST_MAX = 100;

const nested = Type.Ref('Condition#');
const count = (maximum: number) => Type.Integer({ minimum: 1, maximum, format: 'int32' });
const days = () => Type.Number({ exclusiveMinimum: 0, maximum: DAYS_MAX });
const money = () => Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, format: 'int64' });
const currency = () => Type.String({ minLength: 3, maxLength: 3, pattern: '^[A-Z]{3}$' });
const number = () => Type.Number({ minimum: -1e15, maximum: 1e15 });
const words = (max: number) => Type.String({ minLength: 1, maxLength: max, pattern: '^[^\\u0000]+$' });
const share = () => Type.Number({ minimum: 0.001, maximum: 0.999 });
const model = () =>
  Type.Enum([...DROPOUT_MODELS], {
    description: 'BG/NBD or MBG/NBD; the tenant needs a fit in which dropout is identified.',
  });
const scale = () => Type.Enum([...SATISFACTION_SCALES]);

function condition<const T extends string, P extends TProperties>(
  type: T,
  properties: P,
  description: string,
) {
  return Type.Object(
    { type: Type.Literal(type), ...properties },
    { additionalProperties: false, description },
  );
}

/** One entry for each type of condition; predicates.ts has one entry for each of these. */
const CONDITION_SCHEMAS = {
  orders: condition(
    'orders',
    { atLeast: count(100_000) },
    'Holds from this many purchase days (local days with a counting order) on.',
  ),
  spend: condition(
    'spend',
    { currency: currency(), atLeastMinor: money() },
    'Holds once this much has been spent in one currency, net of refunds.',
  ),
  categories: condition(
    'categories',
    { atLeast: count(50) },
    'Holds from this many distinct product categories bought on.',
  ),
  silence: condition(
    'silence',
    { days: days() },
    'Holds once this many days of 24 hours have passed since the last order.',
  ),
  interactionSilence: condition(
    'interactionSilence',
    { days: days() },
    'Holds once this many days of 24 hours have passed since the last touchpoint; never before the first.',
  ),
  cadenceQuantile: condition(
    'cadenceQuantile',
    { q: Type.Number({ minimum: 0.01, maximum: 0.999 }) },
    'Holds once the silence is longer than a share q of the gaps that ended, among customers with this ' +
      'history (see the cadence model).',
  ),
  cadenceMultiple: condition(
    'cadenceMultiple',
    { multiple: Type.Number({ exclusiveMinimum: 0, maximum: 100 }) },
    "Holds once the silence is this multiple of the customer's own mean gap.",
  ),
  recentOrders: condition(
    'recentOrders',
    { days: days(), atLeast: Type.Optional(count(1_000)), lessThan: Type.Optional(count(1_000)) },
    'Purchase days in the last so many days: at least, or less than, a number. Give one of the two.',
  ),
  recentSpend: condition(
    'recentSpend',
    {
      days: days(),
      currency: currency(),
      atLeastMinor: Type.Optional(money()),
      lessThanMinor: Type.Optional(money()),
    },
    'Spend in one currency in the last so many days: at least, or less than, an amount. Give one of the two.',
  ),
  recentInteractions: condition(
    'recentInteractions',
    { days: days(), atLeast: Type.Optional(count(1_000)), lessThan: Type.Optional(count(1_000)) },
    'Touchpoints in the last so many days: at least, or less than, a number. Give one of the two.',
  ),
  drop: condition(
    'drop',
    {
      measure: Type.Enum(['orders', 'spend', 'interactions']),
      currency: Type.Optional(currency()),
      days: Type.Number({ minimum: 1, maximum: DAYS_MAX }),
      by: Type.Number({ minimum: 0.05, maximum: 0.95 }),
    },
    "Holds while the last so many days are more than this share below the customer's own earlier rate: the " +
      'average from their first to the beginning of those days, which must be at least as long. `spend` ' +
      'needs a currency.',
  ),
  orderProbability: condition(
    'orderProbability',
    { model: model(), withinDays: Type.Number({ minimum: 1, maximum: DAYS_MAX }), below: share() },
    'Holds once the probability of an order within so many days has fallen below this.',
  ),
  aliveProbability: condition(
    'aliveProbability',
    { model: model(), below: share() },
    'Holds once the probability that the customer is still one has fallen below this.',
  ),
  satisfaction: condition(
    'satisfaction',
    {
      scale: scale(),
      atLeast: Type.Optional(Type.Integer({ minimum: 0, maximum: 10, format: 'int32' })),
      atMost: Type.Optional(Type.Integer({ minimum: 0, maximum: 10, format: 'int32' })),
      withinDays: Type.Optional(days()),
    },
    'The last answer on a scale (CSAT 1–5, NPS 0–10), while it is no older than so many days where that is ' +
      'given. Give one of the two bounds.',
  ),
  daysInStage: condition(
    'daysInStage',
    { stage: StageKey, atLeast: Type.Number({ minimum: 1, maximum: DAYS_MAX }) },
    'Holds once the customer has been in the stage for so many days at a stretch, and from then on until ' +
      'their next counting order, so that it can move them on.',
  ),
  tag: condition('tag', { tag: words(64) }, 'Holds while the customer has the tag.'),
  channel: condition(
    'channel',
    { in: Type.Array(words(100), { minItems: 1, maxItems: LIST_MAX }) },
    'Holds while the customer came from one of these channels.',
  ),
  country: condition(
    'country',
    {
      in: Type.Array(Type.String({ minLength: 2, maxLength: 2, pattern: '^[A-Z]{2}$' }), {
        minItems: 1,
        maxItems: LIST_MAX,
      }),
    },
    'Holds while the customer is in one of these countries.',
  ),
  attribute: condition(
    'attribute',
    {
      key: Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z][A-Za-z0-9_.-]{0,63}$' }),
      in: Type.Optional(
        Type.Array(Type.Union([words(2_000), number(), Type.Boolean()]), {
          minItems: 1,
          maxItems: LIST_MAX,
        }),
      ),
      atLeast: Type.Optional(number()),
      atMost: Type.Optional(number()),
      exists: Type.Optional(Type.Boolean()),
    },
    'An attribute: one of these values (of a list, any of its members), a number within bounds, or whether ' +
      'it is there. Give `in`, bounds, or `exists`.',
  ),
  all: condition(
    'all',
    { of: Type.Array(nested, { minItems: 1, maxItems: 100 }) },
    'Holds while all of these hold.',
  ),
  any: condition(
    'any',
    { of: Type.Array(nested, { minItems: 1, maxItems: 100 }) },
    'Holds while at least one of these holds.',
  ),
  not: condition('not', { of: nested }, 'Holds while this does not.'),
};

type Schemas = typeof CONDITION_SCHEMAS;
export type ConditionType = keyof Schemas;
export type Condition = Type.Static<Schemas[ConditionType], { 'Condition#': Schemas[ConditionType] }>;
export type ConditionOf<T extends ConditionType> = Extract<Condition, { type: T }>;
/** The types that are not made of others. */
export type LeafType = Exclude<ConditionType, 'all' | 'any' | 'not'>;

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

/** A condition and where it stands, as an RFC 6901 pointer. */
export interface Placed {
  part: Condition;
  pointer: string;
}

/** The conditions that this one is made of, with where they stand. */
export function partsAt({ part, pointer }: Placed): Placed[] {
  if (part.type === 'not') return [{ part: part.of, pointer: `${pointer}/of` }];
  return partsOf(part).map((one, i) => ({ part: one, pointer: `${pointer}/of/${i}` }));
}

/** The condition and all within it, each once, depth first. */
export function* everyPart(condition: Condition, pointer: string): Generator<Placed> {
  const placed = { part: condition, pointer };
  yield placed;
  for (const within of partsAt(placed)) yield* everyPart(within.part, within.pointer);
}
