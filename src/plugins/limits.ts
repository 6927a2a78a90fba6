// Owns the counting of requests: so many for each key in each window. Pure but for its own counters; knows
// no HTTP and reads no clock.

export interface Allowance {
  allowed: boolean;
  remaining: number;
  /** Seconds until the window ends, at least 1. */
  resetS: number;
}

const KEYS_MAX = 50_000;
/** What keys beyond the limit share: an attacker with many addresses fills one counter, not the memory. */
const OVERFLOW = '';

interface Counter {
  taken: number;
}

/**
 * Fixed windows on the clock's own grid: one number for each key, forgotten all together when the window
 * ends, so there is nothing to sweep and no timer. A token bucket would be smoother by at most one window's
 * worth of requests, at twice the state.
 */
export class RequestLimit {
  readonly #counts = new Map<string, Counter>();
  #windowEndMs = 0;

  constructor(
    readonly quota: number,
    readonly windowS: number,
  ) {}

  /** Counts one request. */
  take(key: string, nowMs: number): Allowance {
    const resetS = this.#roll(nowMs);
    const counter = this.#counts.get(key) ?? this.#add(key);
    counter.taken += 1;
    const remaining = this.quota - counter.taken;
    return { allowed: remaining >= 0, remaining: Math.max(0, remaining), resetS };
  }

  #add(key: string): Counter {
    const counted = this.#counts.size < KEYS_MAX ? key : OVERFLOW;
    const counter = this.#counts.get(counted) ?? { taken: 0 };
    this.#counts.set(counted, counter);
    return counter;
  }

  /** Seconds left of the window that `nowMs` lies in; also right when the clock is set back. */
  #roll(nowMs: number): number {
    const windowMs = this.windowS * 1000;
    if (nowMs >= this.#windowEndMs || nowMs < this.#windowEndMs - windowMs) {
      this.#counts.clear();
      this.#windowEndMs = (Math.floor(nowMs / windowMs) + 1) * windowMs;
    }
    return Math.max(1, Math.ceil((this.#windowEndMs - nowMs) / 1000));
  }
}
