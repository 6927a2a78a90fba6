// Owns the quantities that conditions of more than one type speak of, so that these can be compared: purchase
// days, money and interactions, each of the last so many days or of all time. Does not own how they are counted.
//
// A window is one claim and never two: "less than n" is the denial of "at least n". All that is counted is at
// least nothing, and there is no less of it in more days, so at least n in D days is at least n in any more
// days, and in all time.

import type { Claim } from '../claims.js';

export function purchaseDays(atLeast: number, days = Infinity): Claim {
  return { about: 'purchase_days', window: days, min: atLeast };
}

/** Money is summed without what is zero or less, so it only ever adds up. */
export function spent(currency: string, atLeastMinor: number, days = Infinity): Claim {
  return { about: `spend:${currency}`, window: days, min: atLeastMinor };
}

export function interactions(atLeast: number, days = Infinity): Claim {
  return { about: 'interactions', window: days, min: atLeast };
}

/** Any order at all. */
export const AN_ORDER = purchaseDays(1);
