// Owns the shapes that several modules share: ids, times, money, text, lists and batches. Does not own
// references (references.ts), problems (problem.ts) or what belongs to one module (its schemas.ts).
// Every string, number and array has a bound: what a client may send is finite by its schema already.

import Type, { type TSchema } from 'typebox';
import { CURRENCIES } from './currencies.js';
import { PATTERNS } from './patterns.js';
import { choice, closed, nullable, type Shared, shared } from './schema.js';

export const Uuid = shared('Uuid', Type.String({ format: 'uuid', maxLength: 36, description: 'A UUID.' }));

export const Timestamp = shared(
  'Timestamp',
  Type.String({
    format: 'date-time',
    maxLength: 35,
    description: 'RFC 3339, in UTC, in whole milliseconds.',
  }),
);

export const TimestampInput = shared(
  'TimestampInput',
  Type.String({
    format: 'date-time',
    maxLength: 35,
    pattern: PATTERNS.years,
    description: 'RFC 3339 with `Z` or an offset, from 1970 to 2099; kept in whole milliseconds.',
  }),
);

export const Currency = shared('Currency', choice(CURRENCIES, { description: 'An ISO 4217 code.' }));

export const AmountMinor = shared(
  'AmountMinor',
  Type.Integer({
    format: 'int64',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    description: 'Money in the minor unit of its currency, for example cents.',
  }),
);

export const Version = shared(
  'Version',
  Type.Integer({
    format: 'int32',
    minimum: 1,
    maximum: 2_147_483_647,
    description: 'Grows with every change; it is the ETag.',
  }),
);

interface TextOptions {
  min?: number;
  max: number;
  description?: string;
}

/** One line of text: no control characters. Lengths are in characters. */
export function text({ min = 1, max, description }: TextOptions) {
  return Type.String({
    pattern: PATTERNS.oneLine,
    minLength: min,
    maxLength: max,
    ...(description === undefined ? {} : { description }),
  });
}

/** As the API takes and shows it. A new lifecycle's stages are named more narrowly (lifecycle/stages.ts). */
export function stageKey(description = 'The key of a stage of the tenant’s lifecycle.') {
  return text({ max: 64, description });
}

/** Text of several lines: tabs and line breaks are its only control characters. */
export function prose({ min = 1, max, description }: TextOptions) {
  return Type.String({
    pattern: PATTERNS.manyLines,
    minLength: min,
    maxLength: max,
    ...(description === undefined ? {} : { description }),
  });
}

interface CountOptions {
  min?: number;
  max?: number;
  description?: string;
}

/** A count of things: a whole number of 32 bits. */
export function count({ min = 0, max = 2_147_483_647, description }: CountOptions = {}) {
  return Type.Integer({
    format: 'int32',
    minimum: min,
    maximum: max,
    ...(description === undefined ? {} : { description }),
  });
}

export const PAGE_LIMIT_MAX = 200;
export const PAGE_LIMIT_DEFAULT = 50;
const CURSOR_LENGTH_MAX = 2048;

const cursor = { pattern: PATTERNS.cursor, maxLength: CURSOR_LENGTH_MAX };

/** The query parameters of every list; spread them into the list's own filters. */
export const pageQuery = {
  limit: Type.Optional(
    Type.Integer({
      format: 'int32',
      minimum: 1,
      maximum: PAGE_LIMIT_MAX,
      default: PAGE_LIMIT_DEFAULT,
      description: 'How many items to return at most.',
    }),
  ),
  cursor: Type.Optional(
    Type.String({
      ...cursor,
      minLength: 1,
      description: '`nextCursor` of the page before, with the same filter.',
    }),
  ),
};

/** The envelope of a list. Name it: `shared('CustomerPage', page(ref(Customer)))`. */
export function page<T extends TSchema>(item: T) {
  return closed({
    data: Type.Array(item, { maxItems: PAGE_LIMIT_MAX }),
    nextCursor: nullable(Type.String(cursor), { description: 'Null on the last page.' }),
  });
}

export const BATCH_ITEMS_MAX = 1000;

/** What one item of a batch came to: its status and either the resource or a problem. */
export function batchResult<T extends TSchema, P extends TSchema>(resource: T, problem: P) {
  return closed({
    results: Type.Array(
      closed({
        status: Type.Integer({ format: 'int32', minimum: 200, maximum: 599 }),
        data: Type.Optional(resource),
        problem: Type.Optional(problem),
      }),
      { maxItems: BATCH_ITEMS_MAX, description: 'One result for each item, in the order of the request.' },
    ),
  });
}

/** The shared schemas of this file, for registration. */
export const SHAPES: Shared[] = [Uuid, Timestamp, TimestampInput, Currency, AmountMinor, Version];
