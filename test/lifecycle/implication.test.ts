// What conditions of each type say of each other, at the very figures at which they cease to.

import t from 'tap';
import type { Condition, ConditionOf } from '../../src/lifecycle/conditions.js';
import {
  alwaysHolds,
  effortOfOnePolicy,
  excludeEachOther,
  implies,
  neverHolds,
} from '../../src/lifecycle/implication.js';

const all = (...of: Condition[]): Condition => ({ type: 'all', of });
const any = (...of: Condition[]): Condition => ({ type: 'any', of });
const not = (of: Condition): Condition => ({ type: 'not', of });
const orders = (atLeast: number): Condition => ({ type: 'orders', atLeast });
const silence = (days: number): Condition => ({ type: 'silence', days });
const quiet = (days: number): Condition => ({ type: 'interactionSilence', days });
const bought = (days: number, atLeast: number): Condition => ({ type: 'recentOrders', days, atLeast });
const boughtLess = (days: number, lessThan: number): Condition => ({ type: 'recentOrders', days, lessThan });
const touched = (days: number, atLeast: number): Condition => ({ type: 'recentInteractions', days, atLeast });
const touchedLess = (days: number, lessThan: number): Condition => {
  return { type: 'recentInteractions', days, lessThan };
};
const spent = (days: number, atLeastMinor: number, currency = 'EUR'): Condition => {
  return { type: 'recentSpend', days, currency, atLeastMinor };
};
const spentLess = (days: number, lessThanMinor: number, currency = 'EUR'): Condition => {
  return { type: 'recentSpend', days, currency, lessThanMinor };
};
const worth = (atLeastMinor: number, currency = 'EUR'): Condition => ({
  type: 'spend',
  currency,
  atLeastMinor,
});
type Answer = Partial<ConditionOf<'satisfaction'>>;
const csat = (answer: Answer): Condition => ({ type: 'satisfaction', scale: 'csat', ...answer });
const channel = (...channels: string[]): Condition => ({ type: 'channel', in: channels });
const country = (...countries: string[]): Condition => ({ type: 'country', in: countries });
type Attribute = Partial<ConditionOf<'attribute'>>;
const tier = (of: Attribute): Condition => ({ type: 'attribute', key: 'tier', ...of });
const stayed = (stage: string, atLeast: number): Condition => ({ type: 'daysInStage', stage, atLeast });
const unlikely = (withinDays: number, below: number, model: 'bg' | 'mbg' = 'mbg'): Condition => {
  return { type: 'orderProbability', model, withinDays, below };
};
const lost = (below: number, model: 'bg' | 'mbg' = 'mbg'): Condition => {
  return { type: 'aliveProbability', model, below };
};
const drop = (by: number, days = 30): Condition => ({ type: 'drop', measure: 'orders', days, by });

type Pair = [a: Condition, b: Condition];

const EXCLUDING: Pair[] = [
  [bought(30, 2), boughtLess(60, 2)],
  [bought(30, 2), boughtLess(30, 1)],
  [bought(30, 2), not(bought(30, 1))],
  [spent(30, 500), spentLess(30, 500)],
  [touched(7, 3), touchedLess(8, 2)],
  [bought(30, 2), not(orders(2))],
  [spent(30, 500), not(worth(400))],
  [silence(30), bought(30, 1)],
  [silence(30), bought(29, 3)],
  [silence(30), spent(30, 1)],
  [silence(30), not(orders(1))],
  [silence(30), not(silence(20))],
  [quiet(30), touched(30, 1)],
  [quiet(30), csat({ atLeast: 1, withinDays: 30 })],
  [csat({ atLeast: 4 }), csat({ atMost: 3 })],
  [csat({ atLeast: 4, withinDays: 30 }), csat({ atMost: 3, withinDays: 10 })],
  [channel('web', 'shop'), channel('fair')],
  [country('DE'), country('FR', 'CN')],
  [tier({ exists: false }), tier({ in: ['gold'] })],
  [tier({ exists: false }), tier({ atMost: 3 })],
  [tier({ exists: false }), tier({ exists: true })],
  [tier({ atLeast: 5 }), tier({ atMost: 3 })],
  // Only a number is within bounds, and a list is none.
  [tier({ atLeast: 5 }), tier({ in: ['gold', 3, true] })],
];

const COMPATIBLE: Pair[] = [
  [bought(30, 2), boughtLess(29, 2)],
  [bought(30, 2), boughtLess(60, 3)],
  [spent(30, 500), spentLess(60, 500, 'USD')],
  [bought(30, 2), touchedLess(60, 1)],
  [bought(30, 2), not(orders(3))],
  [silence(30), bought(30.001, 1)],
  [silence(30), not(silence(31))],
  [silence(30), touched(30, 1)],
  [quiet(30), bought(30, 1)],
  [quiet(30), csat({ atLeast: 1, withinDays: 31 })],
  [csat({ atLeast: 4 }), csat({ atMost: 4 })],
  [csat({ atLeast: 4 }), { type: 'satisfaction', scale: 'nps', atMost: 3 }],
  [channel('web', 'shop'), channel('shop', 'fair')],
  [channel('web'), country('DE')],
  // An attribute may be a list of both.
  [tier({ in: ['gold'] }), tier({ in: ['blue'] })],
  [tier({ exists: true }), not(tier({ in: ['gold'] }))],
  [tier({ atLeast: 3 }), tier({ atMost: 3 })],
  [tier({ atLeast: 3 }), tier({ in: ['gold', 3] })],
  [tier({ atLeast: 5 }), { type: 'attribute', key: 'points', atMost: 3 }],
  // A stay that was long enough counts until the next order, whatever stage came after it.
  [stayed('new', 5), stayed('mature', 5)],
];

const IMPLYING: Pair[] = [
  [bought(30, 2), bought(30, 1)],
  [bought(30, 2), bought(60, 2)],
  [bought(30, 2), orders(2)],
  [spent(30, 500), spent(60, 400)],
  [spent(30, 500), worth(500)],
  [spent(30, 500), bought(30, 1)],
  [boughtLess(60, 2), boughtLess(30, 3)],
  [not(orders(2)), boughtLess(30, 2)],
  [silence(30), boughtLess(30, 1)],
  [all(orders(1), boughtLess(30, 1)), silence(30)],
  [quiet(30), touchedLess(20, 5)],
  [worth(1), orders(1)],
  [drop(0.5), orders(1)],
  [drop(0.5), drop(0.4)],
  [csat({ atLeast: 4, withinDays: 30 }), csat({ atLeast: 3, withinDays: 60 })],
  [csat({ atLeast: 4, withinDays: 30 }), csat({ atLeast: 3 })],
  [csat({ atMost: 2, withinDays: 30 }), touched(30, 1)],
  [channel('web'), channel('shop', 'web')],
  [country('FR', 'DE'), country('DE', 'CN', 'FR')],
  [not(channel('shop', 'web')), not(channel('web'))],
  [tier({ in: ['gold'] }), tier({ in: ['gold', 3] })],
  [tier({ in: ['gold'] }), tier({ exists: true })],
  [tier({ atLeast: 4, atMost: 6 }), tier({ atLeast: 4 })],
  [tier({ atMost: 6 }), tier({ exists: true })],
  [not(tier({ exists: true })), tier({ exists: false })],
  [stayed('new', 5), stayed('new', 4)],
  [unlikely(30, 0.2), unlikely(30, 0.25)],
  [unlikely(60, 0.2), unlikely(30, 0.25)],
  [lost(0.2), lost(0.25)],
  [lost(0.2), unlikely(3_650, 0.25)],
  // What is together so of several parts, and of every branch.
  [all(any(bought(10, 1), spent(20, 5)), channel('web')), bought(20, 1)],
  [all(channel('web', 'shop'), not(channel('web'))), channel('shop', 'fair')],
];

const NOT_IMPLYING: Pair[] = [
  [bought(30, 2), bought(29, 2)],
  [bought(30, 2), bought(60, 3)],
  [orders(2), bought(3_650, 2)],
  [spent(30, 500), bought(29, 1)],
  [spent(30, 500), worth(500, 'USD')],
  [bought(30, 1), spent(30, 1)],
  [boughtLess(30, 2), boughtLess(60, 2)],
  [boughtLess(30, 1), silence(30)],
  [boughtLess(30, 1), orders(1)],
  [drop(0.5), drop(0.4, 31)],
  [csat({ atLeast: 4 }), csat({ atLeast: 3, withinDays: 3_650 })],
  [csat({ atLeast: 3 }), csat({ atLeast: 4 })],
  [channel('web', 'fair'), channel('shop', 'web')],
  [tier({ in: ['gold', 3] }), tier({ atLeast: 3 })],
  // A list may hold the number.
  [tier({ in: [3] }), tier({ atLeast: 3 })],
  [tier({ atLeast: 4, atMost: 6 }), tier({ atLeast: 5 })],
  [tier({ exists: true }), tier({ atLeast: -1e15 })],
  [stayed('new', 5), stayed('mature', 4)],
  [unlikely(30, 0.2), unlikely(60, 0.25)],
  [unlikely(30, 0.2), unlikely(30, 0.25, 'bg')],
  // The order of two crossings that are found by search could be lost in rounding.
  [unlikely(30, 0.25), unlikely(30, 0.250_1)],
  [unlikely(60, 0.25), unlikely(30, 0.25)],
  [unlikely(30, 0.2), lost(0.25)],
];

const written = (pair: readonly Condition[]) => JSON.stringify(pair);

t.test('conditions that exclude each other, whichever comes first, nested or not', async (t) => {
  for (const [a, b] of EXCLUDING) {
    t.ok(excludeEachOther([a, b]) && excludeEachOther([b, a]), written([a, b]));
    t.ok(neverHolds(all(orders(1), all(b, any(a)))), `nested: ${written([a, b])}`);
    t.ok(implies(a, not(b)), `so the one implies that the other does not hold: ${written([a, b])}`);
    t.ok(alwaysHolds(any(not(a), not(b))), `and one of them never does: ${written([a, b])}`);
  }
});

t.test('conditions that can hold together are not said to exclude each other', async (t) => {
  for (const [a, b] of COMPATIBLE) t.notOk(excludeEachOther([a, b]), written([a, b]));
});

t.test('conditions that imply others', async (t) => {
  for (const [a, b] of IMPLYING) {
    t.ok(implies(a, b), written([a, b]));
    t.ok(implies(not(b), not(a)), `and the other way round where they do not hold: ${written([a, b])}`);
    t.ok(neverHolds(all(not(b), a)), `nor can one hold without the other: ${written([a, b])}`);
  }
});

t.test('conditions that do not imply others', async (t) => {
  for (const [a, b] of NOT_IMPLYING) t.notOk(implies(a, b), written([a, b]));
  for (const [a, b] of [...EXCLUDING, ...COMPATIBLE]) t.notOk(implies(a, b), written([a, b]));
});

t.test('alternatives that leave nobody out, and such as do', async (t) => {
  for (const certain of [
    any(bought(30, 2), boughtLess(30, 2)),
    any(bought(60, 2), boughtLess(30, 2)),
    any(tier({ exists: true }), tier({ exists: false })),
    any(boughtLess(60, 1), bought(90, 1)),
    any(silence(30), bought(30, 1), not(orders(1))),
    not(all(channel('web'), channel('shop'))),
  ]) {
    t.ok(alwaysHolds(certain), written([certain]));
  }
  for (const open of [
    any(bought(30, 2), boughtLess(60, 2)),
    any(spent(60, 2), spentLess(30, 2, 'USD')),
    // Nobody who was never asked, who never bought, or of whom nothing is known is in either.
    any(csat({ atLeast: 3 }), csat({ atMost: 3 })),
    any(silence(30), bought(30, 1)),
    any(tier({ atLeast: 3 }), tier({ atMost: 3 })),
    any(stayed('new', 1), stayed('mature', 1)),
  ]) {
    t.notOk(alwaysHolds(open), written([open]));
  }
});

t.test('a condition that was made to be hard is given up, and no other', async (t) => {
  // Each pigeon sits in one of the holes, of which there is one too few; a hole, being one number, holds one.
  const crowded = (pigeons: number): Condition => {
    const numbers = Array.from({ length: pigeons }, (_, i) => i);
    const sits = (pigeon: number) =>
      numbers.slice(1).map((hole): Condition => {
        return { type: 'attribute', key: `hole${hole}`, atLeast: pigeon, atMost: pigeon };
      });
    return all(...numbers.map((pigeon) => any(...sits(pigeon))));
  };
  t.ok(neverHolds(crowded(5)));
  const effort = effortOfOnePolicy();
  t.notOk(neverHolds(crowded(9), effort), 'it is not seen');
  t.ok(effort.comparisonsLeft < 0, 'for the search has been ended');
  t.notOk(neverHolds(all(orders(1), not(orders(1))), effort), 'nor anything else with what is left');
});
