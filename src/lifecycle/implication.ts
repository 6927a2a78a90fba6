// Owns what can be seen of conditions without a customer: that one implies another, always holds, or never
// can. Sound but not complete: what it says is so; where it says no, it may only not have seen it.

import { type Condition, partsOf } from './conditions.js';
import { sameJson } from './json.js';
import { predicateOf } from './predicates.js';

/** Whether `b` holds whenever `a` does, for every customer and every instant. */
export function implies(a: Condition, b: Condition): boolean {
  return alwaysHolds(b) || follows(a, b);
}

/** Whether the condition holds for everybody at every instant. */
export function alwaysHolds(condition: Condition): boolean {
  const parts = partsOf(condition);
  if (condition.type === 'not') return neverHolds(condition.of);
  if (condition.type === 'all') return parts.every(alwaysHolds);
  if (condition.type === 'any') return parts.some(alwaysHolds) || somePairOpposes(parts, 'any');
  return false;
}

/** Whether the condition can hold for nobody. */
export function neverHolds(condition: Condition): boolean {
  const parts = partsOf(condition);
  if (condition.type === 'not') return alwaysHolds(condition.of);
  if (condition.type === 'any') return parts.every(neverHolds);
  if (condition.type === 'all') return parts.some(neverHolds) || somePairOpposes(parts, 'all');
  return false;
}

/** x beside `not y`: of `all`, impossible where x implies y; of `any`, certain where y implies x. */
function somePairOpposes(parts: readonly Condition[], type: 'all' | 'any'): boolean {
  return parts.some((negated) => {
    if (negated.type !== 'not') return false;
    const y = negated.of;
    return parts.some((x) => (type === 'all' ? follows(x, y) : follows(y, x)));
  });
}

/**
 * By structure: first what leaves no choice (every part must do), then what does (some part must). It takes
 * each condition apart in a fixed order and never both ways, so a policy of the largest size stays cheap.
 */
function follows(a: Condition, b: Condition): boolean {
  if (a.type === 'any') return a.of.every((part) => follows(part, b));
  if (b.type === 'all') return b.of.every((part) => follows(a, part));
  if (sameJson(a, b)) return true;
  if (a.type === 'not' && b.type === 'not') return follows(b.of, a.of);
  if (b.type === 'any' && b.of.some((part) => follows(a, part))) return true;
  if (a.type === 'all') return a.of.some((part) => follows(part, b));
  return leafFollows(a, b);
}

function leafFollows(a: Condition, b: Condition): boolean {
  const of = predicateOf(a);
  if (b.type === 'orders' && b.atLeast === 1 && of.needsOrder(a)) return true;
  if (a.type !== b.type || of.threshold === undefined) return false;
  const one = of.threshold(a);
  const other = of.threshold(b);
  return one.family === other.family && one.figure >= other.figure;
}
