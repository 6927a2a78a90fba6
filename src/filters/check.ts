// Owns the faults of a filter that its shape does not show: forms that are mixed, fields that nobody knows,
// values that a field cannot have, and sizes. Pure.

import type { Fault } from '../errors.js';
import {
  AMOUNT_FIELD,
  attributeOf,
  comparedWith,
  FIELD_WORDS,
  type Filter,
  type FilterCondition,
  type FilterValue,
  LIST_OPS,
  ORDER_OPS,
  TEXT_FIELDS,
} from './fields.js';
import { CONDITIONS_MAX, DEPTH_MAX, VALUES_MAX } from './schema.js';

const FORMS = ['all', 'any', 'not', 'field'] as const;
const OF_CONDITION = ['op', 'value', 'values', 'currency'] as const;
const FAULTS_MAX = 20;

/** Pointers lead from the filter's root. Empty for a sound one. */
export function filterFaults(filter: Filter): Fault[] {
  const faults: Fault[] = [];
  const counts = { conditions: 0, values: 0 };
  const visit = (part: Filter, pointer: string, depth: number): void => {
    if (depth > DEPTH_MAX) {
      faults.push({ pointer, detail: `must not lie more than ${DEPTH_MAX} deep` });
      return;
    }
    const form = formFault(part);
    if (form !== undefined) faults.push({ pointer, detail: form });
    else if ('not' in part) visit(part.not, `${pointer}/not`, depth + 1);
    else if ('field' in part) {
      counts.conditions += 1;
      counts.values += comparedWith(part).length;
      for (const fault of conditionFaults(part)) {
        faults.push({ ...fault, pointer: `${pointer}${fault.pointer}` });
      }
    } else {
      const [name, parts] = 'all' in part ? (['all', part.all] as const) : (['any', part.any] as const);
      for (const [index, one] of parts.entries()) visit(one, `${pointer}/${name}/${index}`, depth + 1);
    }
  };
  visit(filter, '', 1);
  for (const [name, max] of [
    ['conditions', CONDITIONS_MAX],
    ['values', VALUES_MAX],
  ] as const) {
    if (counts[name] > max)
      faults.push({ pointer: '', detail: `must not have more than ${max} ${name} in all` });
  }
  return faults.slice(0, FAULTS_MAX);
}

function formFault(part: Filter): string | undefined {
  const forms = FORMS.filter((form) => form in part);
  if (forms.length !== 1) return 'must have one of all, any, not and field';
  const strays = forms[0] === 'field' ? [] : OF_CONDITION.filter((name) => name in part);
  return strays.length === 0 ? undefined : `must not have ${strays[0]} beside ${forms[0]}`;
}

function conditionFaults(condition: FilterCondition): Fault[] {
  const { field, op } = condition;
  if (op === undefined) return [{ pointer: '/op', detail: 'is required' }];
  const isAmount = field === AMOUNT_FIELD;
  const choices = TEXT_FIELDS.get(field);
  if (!isAmount && choices === undefined && attributeOf(field) === undefined) {
    return [{ pointer: '/field', detail: `must be one of ${FIELD_WORDS}` }];
  }
  const isOrdering = isOneOf(ORDER_OPS, op);
  if (isOrdering && choices !== undefined) {
    return [{ pointer: '/op', detail: `must not be ${op} for the text ${field}` }];
  }
  const faults = [...shapeFaults(condition)];
  const fits = (value: FilterValue): string | undefined => {
    if (isAmount || isOrdering) return typeof value === 'number' ? undefined : 'must be a number';
    if (choices === undefined) return undefined;
    if (typeof value !== 'string') return 'must be a text';
    return choices === null || choices.includes(value) ? undefined : `must be a ${field} that there is`;
  };
  for (const [index, value] of comparedWith(condition).entries()) {
    const detail = fits(value);
    const pointer = condition.values === undefined ? '/value' : `/values/${index}`;
    if (detail !== undefined) faults.push({ pointer, detail });
  }
  return faults;
}

/** Whether a condition has what its operator compares with, and nothing else. */
function* shapeFaults(condition: FilterCondition): Generator<Fault> {
  const { field, op } = condition;
  const needed = op === 'exists' ? undefined : isOneOf(LIST_OPS, op) ? 'values' : 'value';
  for (const name of ['value', 'values'] as const) {
    if (name === needed && condition[name] === undefined) {
      yield { pointer: `/${name}`, detail: `is required for ${op}` };
    }
    if (name !== needed && condition[name] !== undefined) {
      yield { pointer: `/${name}`, detail: `must not be given for ${op}` };
    }
  }
  const needsCurrency = field === AMOUNT_FIELD && op !== 'exists';
  if (needsCurrency && condition.currency === undefined) {
    yield { pointer: '/currency', detail: 'is required where an amount is compared' };
  }
  if (!needsCurrency && condition.currency !== undefined) {
    yield { pointer: '/currency', detail: 'must only be given where an amount is compared' };
  }
}

function isOneOf(ops: readonly string[], op: string): boolean {
  return ops.includes(op);
}
