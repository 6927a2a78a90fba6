// Owns the shape of a filter in the API. Does not own what a shape cannot see: check.ts.

import Type from 'typebox';
import { CURRENCIES } from '../api/currencies.js';
import { choice, type Shared, shared } from '../api/schema.js';
import { text } from '../api/shapes.js';
import { FIELD_WORDS, FILTER_OPS, type Filter } from './fields.js';

export const DEPTH_MAX = 5;
export const CONDITIONS_MAX = 50;
/** In all conditions together. Every one is compared with at every event. */
export const VALUES_MAX = 200;

const nested = Type.Unsafe<Filter>({ $ref: 'Filter#' });
const parts = (description: string) =>
  Type.Optional(Type.Array(nested, { minItems: 1, maxItems: CONDITIONS_MAX, description }));
const value = Type.Union([text({ min: 0, max: 200 }), Type.Number(), Type.Boolean()]);

/**
 * One object with all fields, not a union of the four forms: a fault is then named where it is, and not by what
 * the nearest of four forms would have had instead.
 */
export const FilterSchema: Shared = shared(
  'Filter',
  Type.Unsafe<Filter>({
    ...Type.Object(
      {
        all: parts('Holds where all of these hold.'),
        any: parts('Holds where at least one of these holds.'),
        not: Type.Optional(nested),
        field: Type.Optional(
          Type.String({
            pattern: '^[A-Za-z][A-Za-z0-9_.-]*$',
            maxLength: 75,
            description: `One of ${FIELD_WORDS}.`,
          }),
        ),
        op: Type.Optional(
          choice(FILTER_OPS, {
            description:
              '`exists` has no value, `in` and `notIn` have `values`, all others `value`. `ne` and `notIn` ' +
              'hold where `eq` and `in` do not; `gt` and its like compare numbers.',
          }),
        ),
        value: Type.Optional(value),
        values: Type.Optional(
          Type.Array(value, { minItems: 1, maxItems: CONDITIONS_MAX, uniqueItems: true }),
        ),
        currency: Type.Optional(
          choice(CURRENCIES, {
            description: 'With `amountMinor`, and then always: only amounts in it are compared.',
          }),
        ),
      },
      { additionalProperties: false },
    ),
    minProperties: 1,
    description:
      'A condition (`field`, `op` and what it compares with), or `all`, `any` or `not` of others: at most ' +
      `${DEPTH_MAX} deep, ${CONDITIONS_MAX} conditions and ${VALUES_MAX} values. A condition on what is not ` +
      'there does not hold (but for `ne` and `notIn`); one on `tag`, or on an attribute that is a list, holds ' +
      'where it holds for one of its items.',
  }),
);
