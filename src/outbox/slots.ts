// Owns the arithmetic of a rate limit that holds across processes: how far apart slots lie, and when, by this
// process's own clock, a slot of the database's clock may be used. Pure. Does not own the giving of slots
// (pace-store.ts) nor when they are asked for (pace.ts).
//
// A slot is the right to start one request within SLOT_MS from its time. Slots of one endpoint lie
// (1 + SPACING) / N seconds apart, whoever takes them. N + 1 requests would take N spaces, 1 + SPACING seconds
// less the lateness of the first: more than one second as long as SPACING is more than SLOT_MS. The difference is
// for the network, so that a receiver that counts for itself finds the same. A slot that is missed is lost, so
// what is reached is N / (1 + SPACING) less what processes oversleep.

import type { Slot } from './lane.js';

export const SLOT_MS = 40;
export const SPACING = 0.06;

export function spacingMs(rateLimitPerS: number): number {
  return (1000 * (1 + SPACING)) / rateLimitPerS;
}

/** The database's clock, read somewhere between two instants of this process's. */
export interface ClockReading {
  databaseMs: number;
  beforeMs: number;
  afterMs: number;
}

/** What two good clocks drift apart at most, one of them being put right gently. */
const DRIFT = 0.0005;
/** With more doubt than this too little would be left of a slot: another reading is needed. */
const DOUBT_MAX_MS = SLOT_MS / 4;
/** Where so many readings leave too much doubt, the database is that slow, and the middle is taken for true. */
const READINGS_MAX = 10;

/**
 * What is known of the difference between the database's clock and this process's: each reading gives a range,
 * and all of them are true, so the difference lies where they overlap.
 */
export class SlotClock {
  #leastMs = Number.NEGATIVE_INFINITY;
  #mostMs = Number.POSITIVE_INFINITY;
  #asOfMs = 0;
  #doubtful = 0;

  /** Whether a slot that is taken now could be used as it is meant. */
  isSure(nowMs: number): boolean {
    return this.#doubtful >= READINGS_MAX || this.#doubtMs + (nowMs - this.#asOfMs) * DRIFT <= DOUBT_MAX_MS;
  }

  observe({ databaseMs, beforeMs, afterMs }: ClockReading): void {
    const driftMs = Math.max(0, afterMs - this.#asOfMs) * DRIFT;
    const leastMs = databaseMs - afterMs;
    const mostMs = databaseMs - beforeMs;
    this.#leastMs = Math.max(this.#leastMs - driftMs, leastMs);
    this.#mostMs = Math.min(this.#mostMs + driftMs, mostMs);
    this.#asOfMs = afterMs;
    // No overlap: one of the clocks was set, and only the newest reading counts.
    if (this.#leastMs > this.#mostMs) [this.#leastMs, this.#mostMs] = [leastMs, mostMs];
    this.#doubtful = this.#doubtMs > DOUBT_MAX_MS ? this.#doubtful + 1 : 0;
  }

  get #doubtMs(): number {
    return (this.#mostMs - this.#leastMs) / 2;
  }

  /** `count` slots from `firstMs` of the database's clock on, by this process's, with all doubt left out. */
  slots({ firstMs, count, eachMs }: { firstMs: number; count: number; eachMs: number }): Slot[] {
    const middleMs = (this.#leastMs + this.#mostMs) / 2;
    const doubtMs = Math.min(this.#doubtMs, DOUBT_MAX_MS);
    return Array.from({ length: count }, (_, index) => {
      const atMs = firstMs + index * eachMs - middleMs;
      return { fromMs: atMs + doubtMs, untilMs: atMs + SLOT_MS - doubtMs };
    });
  }
}
