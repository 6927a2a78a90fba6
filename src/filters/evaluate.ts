// Owns asking a filter of facts that are at hand. Pure; it is the twin of compile.ts, by which the database asks.

import {
  AMOUNT_FIELD,
  attributeOf,
  comparedWith,
  type Filter,
  type FilterCondition,
  type FilterFacts,
} from './fields.js';

/** Whether the filter, one that check.ts has found sound, lets these facts through. */
export function matchesFilter(filter: Filter, facts: FilterFacts): boolean {
  if ('all' in filter) return filter.all.every((part) => matchesFilter(part, facts));
  if ('any' in filter) return filter.any.some((part) => matchesFilter(part, facts));
  if ('not' in filter) return !matchesFilter(filter.not, facts);
  return holds(filter, facts);
}

function holds(condition: FilterCondition, facts: FilterFacts): boolean {
  const { op, field, currency } = condition;
  if (op === 'ne' || op === 'notIn') {
    return !holds({ ...condition, op: op === 'ne' ? 'eq' : 'in' }, facts);
  }
  const items = itemsOf(field, facts);
  if (op === 'exists') return items.some((item) => item !== null);
  if (field === AMOUNT_FIELD && facts.currency !== currency) return false;
  const compared = comparedWith(condition);
  return items.some((item) =>
    compared.some((value) => {
      if (op === 'eq' || op === 'in') return item === value;
      if (typeof item !== 'number' || typeof value !== 'number') return false;
      if (op === 'gt') return item > value;
      if (op === 'gte') return item >= value;
      return op === 'lt' ? item < value : item <= value;
    }),
  );
}

/** What a field holds: nothing, one value, or the items of a list. */
function itemsOf(field: string, facts: FilterFacts): readonly unknown[] {
  const key = attributeOf(field);
  const holder: object = key === undefined ? facts : (facts.attributes ?? {});
  const name = key ?? field;
  if (!Object.hasOwn(holder, name)) return [];
  const value = (holder as Record<string, unknown>)[name];
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
