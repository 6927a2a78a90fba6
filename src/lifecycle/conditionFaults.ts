// Owns the faults of a single condition that its schema cannot see: which of its optional fields go together.

import type { Condition } from './conditions.js';
import { SATISFACTION_BOUNDS } from './facts.js';

/** What is wrong with the condition itself, whatever it is part of; undefined where nothing is. */
export function conditionFault(condition: Condition): string | undefined {
  switch (condition.type) {
    case 'recentOrders':
    case 'recentInteractions':
      return oneOf(condition, ['atLeast', 'lessThan']);
    case 'recentSpend':
      return oneOf(condition, ['atLeastMinor', 'lessThanMinor']);
    case 'drop':
      if (condition.measure === 'spend')
        return condition.currency === undefined ? 'spend needs a currency' : undefined;
      return condition.currency === undefined ? undefined : `${condition.measure} have no currency`;
    case 'satisfaction':
      return oneOf(condition, ['atLeast', 'atMost']) ?? scaleFault(condition);
    case 'attribute':
      return attributeFault(condition);
    default:
      return undefined;
  }
}

function oneOf(condition: object, fields: readonly string[]): string | undefined {
  const given = fields.filter((field) => field in condition);
  return given.length === 1 ? undefined : `needs exactly one of ${fields.join(' and ')}`;
}

function scaleFault({
  scale,
  atLeast,
  atMost,
}: Extract<Condition, { type: 'satisfaction' }>): string | undefined {
  const [min, max] = SATISFACTION_BOUNDS[scale];
  const bound = atLeast ?? atMost ?? min;
  return bound >= min && bound <= max ? undefined : `${scale} goes from ${min} to ${max}`;
}

function attributeFault(condition: Extract<Condition, { type: 'attribute' }>): string | undefined {
  const { atLeast, atMost } = condition;
  const isBounded = atLeast !== undefined || atMost !== undefined;
  const ways =
    Number(condition.in !== undefined) + Number(isBounded) + Number(condition.exists !== undefined);
  if (ways !== 1) return 'needs exactly one of in, bounds (atLeast, atMost), and exists';
  return atLeast !== undefined && atMost !== undefined && atLeast > atMost
    ? 'atLeast is above atMost'
    : undefined;
}
