// Owns what a tag is: its normal form, the order and the number of a customer's, and what changes between two
// lists of them. Does not own the rows (store.ts). Pure.

import type { Fault } from '../errors.js';

export const TAGS_MAX = 50;
/** In characters, before and after the normal form is made. */
export const TAG_LENGTH_MAX = 64;
/** Dated facts hold a tag by its name behind this: true from when it was put on, false from when it was taken off. */
const FACT_PREFIX = 'tag:';

/** Trimmed and composed, so that what looks the same is the same; undefined where composing has made it too long. */
export function normalTag(given: string): string | undefined {
  const tag = given.trim().normalize('NFC');
  // A few characters have no composed form and come out as several.
  return [...tag].length > TAG_LENGTH_MAX ? undefined : tag;
}

/** The given tags in normal form, distinct and in order; `/tags` leads to those that have none. */
export function checkedTags(given: readonly string[], faults: Fault[]): string[] {
  const tags: string[] = [];
  for (const [index, text] of given.entries()) {
    const tag = normalTag(text);
    if (tag === undefined) faults.push({ pointer: `/tags/${index}`, detail: TAG_FAULT });
    else tags.push(tag);
  }
  return inOrder(tags);
}

export const TAG_FAULT = `must not be longer than ${TAG_LENGTH_MAX} characters in its composed form`;

export function withTags(held: readonly string[], added: readonly string[]): string[] {
  return inOrder([...held, ...added]);
}

export function withoutTag(held: readonly string[], tag: string): string[] {
  return held.filter((other) => other !== tag);
}

/** Of lists in order. */
export function sameTags(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((tag, index) => tag === b[index]));
}

/** What `after` has that `before` has not, and the other way about. */
export function tagChanges(before: readonly string[], after: readonly string[]) {
  if (sameTags(before, after)) return { added: [], removed: [] };
  return {
    added: after.filter((tag) => !before.includes(tag)),
    removed: before.filter((tag) => !after.includes(tag)),
  };
}

/** The name under which the dated facts of a tag are kept. */
export function factField(tag: string): string {
  return `${FACT_PREFIX}${tag}`;
}

/** The tag that a dated fact is of; undefined for a fact of another field. */
export function tagOfField(field: string): string | undefined {
  return field.startsWith(FACT_PREFIX) ? field.slice(FACT_PREFIX.length) : undefined;
}

/** By code units, which is the same wherever it is done. */
function inOrder(tags: readonly string[]): string[] {
  return [...new Set(tags)].sort();
}
