// Owns conditions over sums of all facts: purchase days, categories, money. Nothing but a fact changes them.

import type { Condition, ConditionOf } from '../conditions.js';
import type { Facts } from '../facts.js';
import type { ConditionEvidence, EvidenceUnit, Predicate } from '../predicate.js';

interface Counted<C extends Condition> {
  unit: EvidenceUnit;
  count(condition: C): (facts: Facts) => number;
  atLeast(condition: C): number;
  /** What two conditions must have in common to be compared. */
  family?(condition: C): string;
}

export const orders = counted<ConditionOf<'orders'>>({
  unit: 'purchase_days',
  count: () => (facts) => facts.purchaseDays,
  atLeast: ({ atLeast }) => atLeast,
});

export const categories = counted<ConditionOf<'categories'>>({
  unit: 'categories',
  count: () => (facts) => facts.categories.length,
  atLeast: ({ atLeast }) => atLeast,
});

export const spend = counted<ConditionOf<'spend'>>({
  unit: 'minor_units',
  count:
    ({ currency }) =>
    (facts) =>
      facts.spend[currency] ?? 0,
  atLeast: ({ atLeastMinor }) => atLeastMinor,
  family: ({ currency }) => currency,
});

function counted<C extends Condition>({ unit, count, atLeast, family }: Counted<C>): Predicate<C> {
  return {
    needs: () => ({}),
    needsOrder: () => true,
    threshold: (condition) => ({ family: family?.(condition) ?? '', figure: atLeast(condition) }),
    compile(condition) {
      const counts = count(condition);
      const least = atLeast(condition);
      return (view) => {
        view.holds = counts(view.facts) >= least;
        view.until = Infinity;
      };
    },
    explain(condition, { facts }) {
      const value = count(condition)(facts);
      const threshold = atLeast(condition);
      const evidence: ConditionEvidence = {
        type: condition.type,
        holds: value >= threshold,
        value,
        threshold,
        unit,
      };
      if ('currency' in condition) evidence.currency = condition.currency as string;
      return evidence;
    },
  };
}
