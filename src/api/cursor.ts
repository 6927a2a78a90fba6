// Owns cursors: opaque to clients, bound to one list and one filter, and safe to decode whatever is sent.
// Does not own what the keys mean (each module's store).

import { createHash } from 'node:crypto';
import { InvalidError } from '../errors.js';

const KEY_KINDS = {
  uuid: (value: unknown) =>
    typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value),
  time: (value: unknown) =>
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/.test(value) && isTime(value),
  integer: (value: unknown) => Number.isSafeInteger(value),
  text: (value: unknown) => typeof value === 'string' && !/[\0\p{Surrogate}]/u.test(value),
} as const;

/** The keys that a page ends with, in order: they are checked on the way in, so that a store can trust them. */
export type KeyKind = keyof typeof KEY_KINDS;
type KeyOf<K extends KeyKind> = K extends 'integer' ? number : string;
export type Keys<K extends readonly KeyKind[]> = { -readonly [I in keyof K]: KeyOf<K[I]> };

/** One list: its name, which no other list has, and its keys. */
export interface CursorScope<K extends readonly KeyKind[]> {
  list: string;
  keys: K;
}

export type Filter = Record<string, unknown>;

export function cursorScope<const K extends readonly KeyKind[]>(list: string, keys: K): CursorScope<K> {
  return { list, keys };
}

/** `filter` is whatever changes the list's members or order; `limit` and `cursor` are left out by themselves. */
export function encodeCursor<K extends readonly KeyKind[]>(
  scope: CursorScope<K>,
  filter: Filter,
  keys: Keys<K>,
): string {
  return Buffer.from(JSON.stringify([seal(scope, filter, keys), ...keys])).toString('base64url');
}

export function decodeCursor<K extends readonly KeyKind[]>(
  scope: CursorScope<K>,
  filter: Filter,
  cursor: string,
): Keys<K> {
  const parsed = parse(cursor);
  if (parsed === undefined) throw unusable();
  const [tag, ...keys] = parsed;
  const fits =
    keys.length === scope.keys.length && scope.keys.every((kind, index) => KEY_KINDS[kind](keys[index]));
  if (!fits || tag !== seal(scope, filter, keys)) throw unusable();
  return keys as Keys<K>;
}

/**
 * A checksum and not a signature: replicas share no secret, and a cursor grants nothing that the filter and
 * the tenant do not. It is there to tell a cursor of another list, of another filter, or a damaged one.
 */
function seal(scope: CursorScope<readonly KeyKind[]>, filter: Filter, keys: readonly unknown[]): string {
  const conditions = Object.entries(filter)
    .filter(([name, value]) => name !== 'limit' && name !== 'cursor' && value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const sealed = JSON.stringify([scope.list, conditions, keys]);
  return createHash('sha256').update(sealed).digest('base64url').slice(0, 12);
}

function parse(cursor: string): unknown[] | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isTime(value: string): boolean {
  return !Number.isNaN(Date.parse(value));
}

function unusable(): InvalidError {
  const detail = 'The cursor does not belong to this list with this filter.';
  return new InvalidError('invalid_cursor', detail, { faults: [{ pointer: '/query/cursor', detail }] });
}
