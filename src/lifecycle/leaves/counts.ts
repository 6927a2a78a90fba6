// Owns conditions over sums of all facts: purchase days, categories, money. Nothing but a fact changes them.

import { type Claim, claimed } from '../claims.js';
import type { Condition, ConditionOf } from '../conditions.js';
import type { Facts } from '../facts.js';
import type { ConditionEvidence, EvidenceUnit, LeafPredicate } from '../predicate.js';
import { AN_ORDER, purchaseDays, spent } from './quantities.js';

interface Counted<C extends Condition> {
  unit: EvidenceUnit;
  count(condition: C): (facts: Facts) => number;
  atLeast(condition: C): number;
  claim(condition: C): Claim;
}

export const orders = counted<ConditionOf<'orders'>>({
  unit: 'purchase_days',
  count: () => (facts) => facts.purchaseDays,
  atLeast: ({ atLeast }) => atLeast,
  claim: ({ atLeast }) => purchaseDays(atLeast),
});

export const categories = counted<ConditionOf<'categories'>>({
  unit: 'categories',
  count: () => (facts) => facts.categories.length,
  atLeast: ({ atLeast }) => atLeast,
  claim: ({ atLeast }) => ({ about: 'categories', min: atLeast }),
});

export const spend = counted<ConditionOf<'spend'>>({
  unit: 'minor_units',
  count:
    ({ currency }) =>
    (facts) =>
      facts.spend[currency] ?? 0,
  atLeast: ({ atLeastMinor }) => atLeastMinor,
  claim: ({ currency, atLeastMinor }) => spent(currency, atLeastMinor),
});

function counted<C extends Condition>({ unit, count, atLeast, claim }: Counted<C>): LeafPredicate<C> {
  return {
    needs: () => ({}),
    meaning: (condition) => ({ says: [claimed(claim(condition))], hence: [AN_ORDER] }),
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
