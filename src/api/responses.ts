// Owns how a route lists what it can answer. Does not own the answers that every route of a kind can give
// (authentication, limits, faults of the request): the document adds those by itself (plugins/openapi).

import Type, { type TSchema, type TUnsafe } from 'typebox';

export type ProblemStatus = 400 | 401 | 403 | 404 | 409 | 410 | 412 | 413 | 415 | 422 | 429 | 500 | 503;

/** A response without a body, for 204 and 304. */
export const Empty = Type.Unsafe<undefined>({ type: 'null' });

const problem: TUnsafe<never> = Type.Unsafe<never>({ $ref: 'Problem#' });

type Responses<Success, Codes extends number> = Success & { [Code in Codes]: TUnsafe<never> };

/**
 * `response: responses({ 201: ref(Customer) }, 404, 409)`. A problem's static type is `never`: handlers throw
 * problems, they do not return them.
 */
export function responses<Success extends Record<number, TSchema>, Codes extends ProblemStatus = never>(
  success: Success,
  ...codes: Codes[]
): Responses<Success, Codes> {
  const problems = Object.fromEntries(codes.map((code) => [code, problem]));
  return { ...success, ...problems } as Responses<Success, Codes>;
}
