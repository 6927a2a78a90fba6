// Owns the vocabulary of filters: which facts of a customer and of what happened they can ask about, by which
// operators, and the types made of it. Knows nothing of who asks: endpoints, segments.

import { CURRENCIES } from '../api/currencies.js';
import { COUNTRIES } from '../customers/countries.js';
import { CUSTOMER_KINDS } from '../customers/kinds.js';

/** What a filter is asked of. What is not known is left out; of a list, each item is asked. */
export interface FilterFacts {
  stage?: string;
  previousStage?: string;
  kind?: string;
  country?: string;
  channel?: string;
  owner?: string;
  tag?: readonly string[];
  currency?: string;
  amountMinor?: number;
  attributes?: Readonly<Record<string, unknown>>;
}

/** Texts: those that they can be, where not everything goes. */
export const TEXT_FIELDS: ReadonlyMap<string, readonly string[] | null> = new Map<
  Exclude<keyof FilterFacts, 'amountMinor' | 'attributes'>,
  readonly string[] | null
>([
  ['stage', null],
  ['previousStage', null],
  ['kind', CUSTOMER_KINDS],
  ['country', COUNTRIES],
  ['channel', null],
  ['owner', null],
  ['tag', null],
  ['currency', CURRENCIES],
]);

/** Amounts of different currencies are never compared: a condition on this one names its currency. */
export const AMOUNT_FIELD = 'amountMinor';
const ATTRIBUTE_PREFIX = 'attributes.';
const ATTRIBUTE_KEY = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;

/** In words, for documents and for who has named another. */
export const FIELD_WORDS = [...TEXT_FIELDS.keys(), AMOUNT_FIELD, `${ATTRIBUTE_PREFIX}<key>`].join(', ');

/** The key of an attribute that a field names; undefined where it names none. */
export function attributeOf(field: string): string | undefined {
  if (!field.startsWith(ATTRIBUTE_PREFIX)) return undefined;
  const key = field.slice(ATTRIBUTE_PREFIX.length);
  return ATTRIBUTE_KEY.test(key) ? key : undefined;
}

export const SINGLE_OPS = ['eq', 'ne'] as const;
export const LIST_OPS = ['in', 'notIn'] as const;
export const ORDER_OPS = ['gt', 'gte', 'lt', 'lte'] as const;
export const FILTER_OPS = ['exists', ...SINGLE_OPS, ...LIST_OPS, ...ORDER_OPS] as const;
export type FilterOp = (typeof FILTER_OPS)[number];
export type OrderOp = (typeof ORDER_OPS)[number];

export type FilterValue = string | number | boolean;

/** `exists` has neither value, `in` and `notIn` have `values`, all others `value`: check.ts sees to it. */
export interface FilterCondition {
  field: string;
  op: FilterOp;
  value?: FilterValue;
  values?: readonly FilterValue[];
  currency?: string;
}

export type Filter =
  | { all: readonly Filter[] }
  | { any: readonly Filter[] }
  | { not: Filter }
  | FilterCondition;

/** The values that a condition compares with. */
export function comparedWith({ value, values }: FilterCondition): readonly FilterValue[] {
  return values ?? (value === undefined ? [] : [value]);
}
