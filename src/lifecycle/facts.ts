// Owns what is known of one customer at an instant: the facts as they are given, and the sum of them that
// every decision reads. Does not own which orders count (orders/) nor the walk through time (walk.ts).

import { localDay } from './calendar.js';

/** An order that counts: placed, not cancelled, not refunded in full. */
export interface OrderFact {
  id: string;
  at: number;
  categories: readonly string[];
  currency: string;
  /** In minor units of the currency, net of refunds. */
  amountMinor: number;
}

/** The scales on which a customer can answer how satisfied they are. */
export const SATISFACTION_SCALES = ['csat', 'nps'] as const;
export type SatisfactionScale = (typeof SATISFACTION_SCALES)[number];
/** The ends of each. */
export const SATISFACTION_BOUNDS = { csat: [1, 5], nps: [0, 10] } as const;

export interface TouchpointFact {
  id: string;
  at: number;
  /** What the customer answered when they were asked; absent or null where they were not. */
  satisfaction?: { scale: SatisfactionScale; score: number } | null;
}

export interface ManualMoveFact {
  id: string;
  at: number;
  to: string;
  /** When the hold ends by itself; null leaves it to an order or a later move. */
  holdUntil: number | null;
  reason: string;
  actor: string;
}

/** A dated field of the profile took on a value: null where it was removed, of a tag whether it is there. */
export interface ProfileChangeFact {
  id: string;
  at: number;
  /** `country`, `channel`, `owner`, `tag:<tag>` or `attributes.<key>`. */
  field: string;
  value: unknown;
}

/** Facts of one customer, each kind in the order of (at, id). */
export interface FactLists {
  orders: readonly OrderFact[];
  touchpoints: readonly TouchpointFact[];
  moves: readonly ManualMoveFact[];
  changes: readonly ProfileChangeFact[];
}

/** The sum of a customer's facts up to an instant. Plain JSON: it is stored with the customer. */
export interface Facts {
  orders: number;
  /** Distinct local days with an order: what policies call the number of orders. */
  purchaseDays: number;
  firstOrderAt: number | null;
  lastOrderAt: number | null;
  /** Local day numbers, in the time zone of the policy in force. */
  firstDay: number | null;
  lastDay: number | null;
  /** Distinct, sorted, at most CATEGORIES_MAX of them. */
  categories: string[];
  /** Minor units by currency; currencies are never added together. */
  spend: Record<string, number>;
  interactions: number;
  lastInteractionAt: number | null;
  /** The last answer on each scale; not there before the first, so that states without one stay as they are. */
  satisfaction?: Partial<Record<SatisfactionScale, { score: number; at: number }>>;
}

/**
 * No threshold goes past 50 and the row has to stay small, so categories stop being taken up here. Which
 * ones are in is decided by the orders' own times, the same in a replay and in a step by step advance.
 */
export const CATEGORIES_MAX = 64;

export function emptyFacts(): Facts {
  return {
    orders: 0,
    purchaseDays: 0,
    firstOrderAt: null,
    lastOrderAt: null,
    firstDay: null,
    lastDay: null,
    categories: [],
    spend: {},
    interactions: 0,
    lastInteractionAt: null,
  };
}

export function copyFacts(facts: Facts): Facts {
  return { ...facts, categories: [...facts.categories], spend: { ...facts.spend } };
}

/**
 * Adds an order to `facts`, which the caller must own. Orders come in the order of (at, id). A free order
 * is a purchase but leaves the money alone.
 */
export function applyOrder(facts: Facts, order: OrderFact, timeZone: string): void {
  facts.orders += 1;
  facts.firstOrderAt ??= order.at;
  facts.lastOrderAt = order.at;
  countDay(facts, localDay(order.at, timeZone));
  if (order.amountMinor > 0) {
    facts.spend[order.currency] = (facts.spend[order.currency] ?? 0) + order.amountMinor;
  }
  addCategories(facts, order.categories);
}

/** Adds a touchpoint to `facts`, which the caller must own. */
export function applyTouchpoint(facts: Facts, touchpoint: TouchpointFact): void {
  facts.interactions += 1;
  facts.lastInteractionAt = touchpoint.at;
  const { satisfaction } = touchpoint;
  if (satisfaction == null) return;
  // Replaced and not written into: copies of facts share it.
  facts.satisfaction = {
    ...facts.satisfaction,
    [satisfaction.scale]: { score: satisfaction.score, at: touchpoint.at },
  };
}

/** Counts the days of all orders so far anew: the same orders fall on other days in another time zone. */
export function recountDays(facts: Facts, ordersSoFar: readonly OrderFact[], timeZone: string): void {
  facts.purchaseDays = 0;
  facts.firstDay = null;
  facts.lastDay = null;
  for (const order of ordersSoFar) countDay(facts, localDay(order.at, timeZone));
}

/** The same lists, those that were not in order sorted. */
export function inOrder({ orders, touchpoints, moves, changes }: FactLists): FactLists {
  return {
    orders: sorted(orders),
    touchpoints: sorted(touchpoints),
    moves: sorted(moves),
    changes: sorted(changes),
  };
}

/**
 * The instant of the earliest fact of lists in order; Infinity where there is none. A change of the profile
 * does not begin a customer: none is earlier than their creation.
 */
export function firstFactAt({ orders, touchpoints, moves }: FactLists): number {
  return Math.min(orders[0]?.at ?? Infinity, touchpoints[0]?.at ?? Infinity, moves[0]?.at ?? Infinity);
}

/**
 * A day counts when it is later than the last one, not merely another one: where clocks go back across
 * midnight, the repeated hour belongs to the day that had already begun.
 */
function countDay(facts: Facts, day: number): void {
  if (facts.lastDay !== null && day <= facts.lastDay) return;
  facts.purchaseDays += 1;
  facts.firstDay ??= day;
  facts.lastDay = day;
}

function addCategories(facts: Facts, categories: readonly string[]): void {
  const room = CATEGORIES_MAX - facts.categories.length;
  if (room <= 0 || categories.length === 0) return;
  // Where not all of an order's categories fit, the alphabet decides, for its lines have no order in time.
  const candidates = categories.length > room ? [...categories].sort() : categories;
  for (const category of candidates) {
    if (facts.categories.length >= CATEGORIES_MAX) return;
    insertSorted(facts.categories, category);
  }
}

function insertSorted(sorted: string[], value: string): void {
  let index = sorted.length;
  while (index > 0) {
    const before = sorted[index - 1];
    if (before === value) return;
    if (before === undefined || before < value) break;
    index -= 1;
  }
  sorted.splice(index, 0, value);
}

interface Placed {
  id: string;
  at: number;
}

function sorted<T extends Placed>(facts: readonly T[]): readonly T[] {
  for (let i = 1; i < facts.length; i += 1) {
    const before = facts[i - 1];
    const fact = facts[i];
    if (before !== undefined && fact !== undefined && byTime(before, fact) > 0) return facts.toSorted(byTime);
  }
  return facts;
}

function byTime(a: Placed, b: Placed): number {
  if (a.at !== b.at) return a.at - b.at;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
