// Owns what can be seen of conditions without a customer: that one implies another, always holds, or never
// can. Sound but not complete: what it says is so; where it says no, it may only not have seen it. Does not own
// what a single condition says (leaves/), nor when two such claims exclude each other (claims.ts).

import { claimed, contradicts, denied, type Effort, type Literal } from './claims.js';
import type { Condition } from './conditions.js';
import { meaningOf } from './predicates.js';

/**
 * How many pairs of claims are compared for one policy at the most. One that somebody would write takes some
 * thousands; one that was made to take exponential time is answered with "not seen" after half a second.
 */
const COMPARISONS_MAX = 500_000;

/** What may be spent on all the questions about one policy. */
export function effortOfOnePolicy(): Effort {
  return { comparisonsLeft: COMPARISONS_MAX };
}

/** Whether `b` holds whenever `a` does, for every customer and every instant. */
export function implies(a: Condition, b: Condition, effort = effortOfOnePolicy()): boolean {
  return isImpossible([whole(a, true), whole(b, false)], effort);
}

/** Whether the condition holds for everybody at every instant. */
export function alwaysHolds(condition: Condition, effort = effortOfOnePolicy()): boolean {
  return isImpossible([whole(condition, false)], effort);
}

/** Whether the condition can hold for nobody. */
export function neverHolds(condition: Condition, effort = effortOfOnePolicy()): boolean {
  return isImpossible([whole(condition, true)], effort);
}

/** Whether the conditions can never hold at once. */
export function excludeEachOther(conditions: readonly Condition[], effort = effortOfOnePolicy()): boolean {
  return isImpossible(
    conditions.map((condition) => whole(condition, true)),
    effort,
  );
}

/** A condition down to what its parts say, with every denial brought to where it belongs. */
type Formula = Literal | { all: readonly Formula[] } | Choice;
interface Choice {
  any: readonly Formula[];
}

/** That the condition holds, or that it does not. */
function whole(condition: Condition, holds: boolean): Formula {
  switch (condition.type) {
    case 'not':
      return whole(condition.of, !holds);
    case 'all':
    case 'any': {
      const parts = condition.of.map((part) => whole(part, holds));
      return (condition.type === 'all') === holds ? { all: parts } : { any: parts };
    }
    default: {
      const { says, hence = [] } = meaningOf(condition);
      if (holds) return { all: [...says, ...hence.map(claimed)] };
      return { any: says.map(({ claim, isDenied }) => (isDenied ? claimed(claim) : denied(claim))) };
    }
  }
}

function isImpossible(formulas: readonly Formula[], effort: Effort): boolean {
  return isRefuted({ formulas, known: [], choices: [] }, effort);
}

/** What is to be true at once: what has still to be taken apart, and the literals and choices that were found. */
interface Situation {
  formulas: readonly Formula[];
  known: readonly Literal[];
  choices: readonly Choice[];
}

/**
 * Whether it cannot be. First everything that leaves no choice; then what each choice still leaves: one without
 * a branch settles it, one with a single branch is none any more, and of the others the narrowest is tried out
 * branch by branch (the Davis–Putnam–Logemann–Loveland procedure, on claims in the place of variables).
 */
function isRefuted(situation: Situation, effort: Effort): boolean {
  const known = [...situation.known];
  const choices = [...situation.choices];
  const rest = [...situation.formulas];
  for (let formula = rest.pop(); formula !== undefined; formula = rest.pop()) {
    if ('all' in formula) rest.push(...formula.all);
    else if ('any' in formula) choices.push(formula);
    else if (isShutOut(formula, known, effort)) return true;
    else known.push(formula);
  }
  const open = choices.map(({ any }) => ({ any: any.filter((branch) => !isShutOut(branch, known, effort)) }));
  const narrowest = open.reduce<Choice | undefined>(
    (a, b) => (a && a.any.length <= b.any.length ? a : b),
    undefined,
  );
  if (narrowest === undefined) return false;
  const others = open.filter((choice) => choice !== narrowest);
  return narrowest.any.every((branch) => isRefuted({ formulas: [branch], known, choices: others }, effort));
}

/** Whether what is known leaves no room for it, as far as can be seen without trying out choices together. */
function isShutOut(formula: Formula, known: readonly Literal[], effort: Effort): boolean {
  if ('all' in formula) return formula.all.some((part) => isShutOut(part, known, effort));
  if ('any' in formula) return formula.any.every((part) => isShutOut(part, known, effort));
  return contradicts(formula, known, effort);
}
