// Owns the checking of a batch item by item: the validator leaves the items to their route, so that a bad one
// fails alone. Does not own what is done with the items (items.ts has their results).

import type { FastifyRequest } from 'fastify';
import Type, { type Static, type TSchema, type TUnsafe } from 'typebox';
import { InvalidError, type PerennialError } from '../errors.js';
import { BATCH_ITEMS_MAX } from './shapes.js';

/** Marks an array whose items the route checks itself (plugins/validation). */
export const ITEMWISE = 'x-itemwise';

/** The items of a batch: documented with their full schema, checked by `checkItems`. */
export function batchItems<T extends TSchema>(item: T, description: string): TUnsafe<unknown[]> {
  return Type.Unsafe<unknown[]>(
    Type.Array(item, { minItems: 1, maxItems: BATCH_ITEMS_MAX, [ITEMWISE]: true, description }),
  );
}

export const backfill = Type.Optional(
  Type.Boolean({ default: false, description: 'History: events enter the feed and no webhook goes out.' }),
);

/** What each item came to: the value that its schema promises, or why it is refused. */
export function checkItems<T extends TSchema>(
  request: Pick<FastifyRequest, 'getValidationFunction' | 'compileValidationSchema'>,
  schema: T,
  items: readonly unknown[],
): (Static<T> | PerennialError)[] {
  const check = request.getValidationFunction(schema) ?? request.compileValidationSchema(schema);
  return items.map((item) => {
    // Fastify's type for a compiled check says boolean; ours answers with the value or the error.
    const outcome = check(item) as unknown as { value: Static<T> } | { error: PerennialError };
    return 'error' in outcome ? outcome.error : outcome.value;
  });
}

/** A fault at one field, in the words of a validator. */
export function invalidField(pointer: string, detail: string): InvalidError {
  return new InvalidError('invalid_request', `${pointer} ${detail}.`, { faults: [{ pointer, detail }] });
}
