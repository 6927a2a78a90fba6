// Owns the look back at single facts: how much there was between two of them, by day, money or number, in
// logarithmic time. Does not own what a window means (leaves/windows.ts).

import { localDay } from './calendar.js';
import type { FactLists, OrderFact } from './facts.js';

/** What only a whole history can answer. A walk is one: it says how much of each list has come so far. */
export interface Past {
  readonly lists: FactLists;
  readonly ordersDone: number;
  readonly touchpointsDone: number;
  /** The profile's dated values in force. */
  readonly values: ReadonlyMap<string, unknown>;
  /** The stage in force and since when; null before the first decision. */
  readonly stage: string | null;
  readonly since: number;
  /** The longest stay, in ms, in each stage that was left at or after the last order. */
  readonly stays: ReadonlyMap<string, number>;
  /** Prefix sums over the lists, by what is summed; made when first asked for. */
  readonly sums: Map<string, Series>;
}

/** Facts in the order of time, with the sum of what each of them adds. */
export interface Series {
  readonly times: readonly number[];
  /** What the facts from index `from` up to, not including, `to` come to. */
  total(from: number, to: number): number;
}

export const NO_PAST: Past = {
  lists: { orders: [], touchpoints: [], moves: [], changes: [] },
  ordersDone: 0,
  touchpointsDone: 0,
  values: new Map(),
  stage: null,
  since: 0,
  stays: new Map(),
  sums: new Map(),
};

/** Touchpoints, one each. */
export function interactionsOf(past: Past): Series {
  return kept(past, 'interactions', () => {
    const times = past.lists.touchpoints.map(({ at }) => at);
    return { times, total: (from, to) => to - from };
  });
}

/** Money in one currency, in minor units. */
export function spendOf(past: Past, currency: string): Series {
  return kept(past, `spend:${currency}`, () => {
    const { orders } = past.lists;
    const sums = prefixSums(orders, (order) =>
      order.currency === currency ? Math.max(order.amountMinor, 0) : 0,
    );
    return { times: orders.map(({ at }) => at), total: (from, to) => (sums[to] ?? 0) - (sums[from] ?? 0) };
  });
}

/** Purchase days, in the zone's calendar: two orders of one day are one. */
export function purchaseDaysOf(past: Past, timeZone: string): Series {
  return kept(past, `days:${timeZone}`, () => {
    const { orders } = past.lists;
    let last = Number.NEGATIVE_INFINITY;
    const sums = prefixSums(orders, (order) => {
      const day = localDay(order.at, timeZone);
      if (day <= last) return 0;
      last = day;
      return 1;
    });
    const through = (count: number) => sums[count] ?? 0;
    return {
      times: orders.map(({ at }) => at),
      total(from, to) {
        if (from >= to) return 0;
        // The day of the first order may have begun with one before it; here it counts all the same.
        const goesOn = through(from + 1) === through(from) ? 1 : 0;
        return through(to) - through(from) + goesOn;
      },
    };
  });
}

/** The first of the first `count` facts that lies after `at`. */
export function firstAfter({ times }: Series, at: number, count: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? Infinity) > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The latest index from which the facts up to `count` come to at least `amount`; −1 where all of them do not. */
export function latestStart(series: Series, count: number, amount: number): number {
  let low = -1;
  let high = count;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (series.total(middle, count) >= amount) low = middle;
    else high = middle;
  }
  return low;
}

function kept(past: Past, name: string, make: () => Series): Series {
  const known = past.sums.get(name);
  if (known !== undefined) return known;
  const made = make();
  past.sums.set(name, made);
  return made;
}

function prefixSums(orders: readonly OrderFact[], amount: (order: OrderFact) => number): number[] {
  const sums = [0];
  let sum = 0;
  for (const order of orders) {
    sum += amount(order);
    sums.push(sum);
  }
  return sums;
}
