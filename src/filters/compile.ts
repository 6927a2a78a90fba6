// Owns the form in which the database asks a filter: a jsonpath predicate over facts (`FilterFacts` as JSON).
// Two-valued and without errors whatever the facts are, since whoever asks it is writing an order. Pure; it is
// the twin of evaluate.ts, and a property test holds the two together.

import {
  AMOUNT_FIELD,
  attributeOf,
  comparedWith,
  type Filter,
  type FilterCondition,
  type FilterValue,
  type OrderOp,
} from './fields.js';

const SIGNS: Record<OrderOp | 'eq', string> = { eq: '==', gt: '>', gte: '>=', lt: '<', lte: '<=' };

/** For `jsonb_path_match`; of a filter that check.ts has found sound. */
export function compileFilter(filter: Filter): string {
  if ('all' in filter) return `(${filter.all.map(compileFilter).join(' && ')})`;
  if ('any' in filter) return `(${filter.any.map(compileFilter).join(' || ')})`;
  if ('not' in filter) return `!(${compileFilter(filter.not)})`;
  return compileCondition(filter);
}

/**
 * Each leaf is `exists(… ? (…))`: a comparison alone would be unknown where the types differ, and unknown is
 * contagious; whether there is something for which it is true is only ever yes or no. The path is in lax mode,
 * which is why what is not there is no error, and why a list is asked item by item.
 */
function compileCondition(condition: FilterCondition): string {
  switch (condition.op) {
    case 'exists':
      return `exists(${pathOf(condition)} ? (@ != null))`;
    case 'ne':
      return `!(${compileCondition({ ...condition, op: 'eq' })})`;
    case 'notIn':
      return `!(${compileCondition({ ...condition, op: 'in' })})`;
    case 'in':
      return someCompared(condition, 'eq');
    default:
      return someCompared(condition, condition.op);
  }
}

function someCompared(condition: FilterCondition, op: OrderOp | 'eq'): string {
  const { field, currency } = condition;
  const isAmount = field === AMOUNT_FIELD;
  const subject = isAmount ? `@.${AMOUNT_FIELD}` : '@';
  const tests = comparedWith(condition).map((value) => `${subject} ${SIGNS[op]} ${literal(value)}`);
  const some = tests.join(' || ');
  if (!isAmount) return `exists(${pathOf(condition)} ? (${some}))`;
  return `exists($ ? (@.currency == ${literal(currency ?? '')} && (${some})))`;
}

/** Names are quoted like values, so that none can end its part of the path. */
function pathOf({ field }: FilterCondition): string {
  const key = attributeOf(field);
  return key === undefined ? `$.${literal(field)}` : `$.attributes.${literal(key)}`;
}

/** Strings and numbers of JSON mean the same in a path. */
function literal(value: FilterValue): string {
  return JSON.stringify(value);
}
