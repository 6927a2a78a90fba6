// Owns what is refused in any JSON document, whatever its schema: what Postgres or a double cannot keep as
// it was sent, and what is dangerous to copy. Does not own the syntax (syntax.ts) or the shape (schemas).

import { pointerToken } from '../../api/pointer.js';
import type { Fault } from '../../errors.js';
import { countMembers, findDuplicate } from './duplicates.js';

export const DEPTH_MAX = 32;
const FAULTS_MAX = 20;

/** NUL, which Postgres has no place for, and half a surrogate pair, which UTF-8 would replace in silence. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

/** Faults of a document and of the text that it was parsed from; none for nearly every one, which costs a walk. */
export function inspect(document: unknown, text: string): Fault[] {
  const walk: Walk = { escaped: text.includes('\\u'), members: 0 };
  if (isClean(document, 0, walk)) {
    if (walk.members === countMembers(text)) return [];
    const pointer = findDuplicate(text);
    return pointer === undefined ? [] : [{ pointer, detail: 'is there twice in one object' }];
  }
  const faults: Fault[] = [];
  collect({ value: document, pointer: '', depth: 0 }, faults);
  return faults;
}

interface Walk {
  /** Whether the text holds `\u`: without it no string can hold what is refused. */
  escaped: boolean;
  /** Members of objects that were come by. */
  members: number;
}

function isClean(value: unknown, depth: number, walk: Walk): boolean {
  const { escaped } = walk;
  if (typeof value === 'string') return !escaped || !UNSTORABLE.test(value);
  if (typeof value === 'number') return value <= Number.MAX_SAFE_INTEGER && value >= -Number.MAX_SAFE_INTEGER;
  if (typeof value !== 'object' || value === null) return true;
  if (depth === DEPTH_MAX) return false;
  if (Array.isArray(value)) {
    for (const item of value) if (!isClean(item, depth + 1, walk)) return false;
    return true;
  }
  const record = value as Record<string, unknown>;
  for (const key in record) {
    walk.members += 1;
    if (poisons(record, key) || (escaped && UNSTORABLE.test(key))) return false;
    if (!isClean(record[key], depth + 1, walk)) return false;
  }
  return true;
}

/** Keys that change an object's prototype when somebody copies it carelessly. */
function poisons(record: Record<string, unknown>, key: string): boolean {
  if (key === '__proto__') return true;
  if (key !== 'constructor') return false;
  const value = record[key];
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype');
}

interface Place {
  value: unknown;
  pointer: string;
  depth: number;
}

function collect({ value, pointer, depth }: Place, faults: Fault[]): void {
  if (faults.length >= FAULTS_MAX || pointer.length > 1900) return;
  if (typeof value === 'string' && UNSTORABLE.test(value)) {
    faults.push({ pointer, detail: 'must not have NUL characters or unpaired surrogates' });
  } else if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    faults.push({ pointer, detail: 'must lie between -(2^53 - 1) and 2^53 - 1' });
  }
  if (typeof value !== 'object' || value === null) return;
  if (depth === DEPTH_MAX) {
    faults.push({ pointer, detail: `is nested deeper than ${DEPTH_MAX} levels` });
    return;
  }
  for (const [key, part] of Object.entries(value)) {
    const inner = `${pointer}/${pointerToken(key)}`;
    if (poisons(value as Record<string, unknown>, key)) {
      faults.push({ pointer: inner, detail: 'is not a permitted field name' });
    } else if (UNSTORABLE.test(key)) {
      const shown = inner.replaceAll(/[\0\p{Surrogate}]/gu, '\ufffd');
      faults.push({
        pointer: shown,
        detail: 'must not have NUL characters or unpaired surrogates in its name',
      });
    } else {
      collect({ value: part, pointer: inner, depth: depth + 1 }, faults);
    }
  }
}
