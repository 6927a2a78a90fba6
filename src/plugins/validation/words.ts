// Owns the words in which faults are told. Does not own finding them (faults.ts).

import { PATTERN_WORDS } from '../../api/patterns.js';

const SHOWN_MAX = 12;

export function typeWords(types: readonly (string | undefined)[]): string {
  const names = [...new Set(types)].map((type) => {
    if (type === 'null') return 'null';
    return type === 'array' || type === 'integer' || type === 'object' ? `an ${type}` : `a ${type}`;
  });
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

export function allowed(values: readonly unknown[]): string {
  if (values.length > SHOWN_MAX) return 'is not one of the permitted values';
  return `must be one of ${values.map((value) => JSON.stringify(value)).join(', ')}`;
}

export function amount(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

export function forbiddenPattern(pattern: string): string {
  return PATTERN_WORDS.get(pattern) ?? `must match ${pattern}`;
}
