// Owns when more is claimed: whether this process has room for it, and the wait until it has. Does not own what takes
// the room up (lanes.ts).

/**
 * Claiming stops at so many waiting, and begins again below the lower mark: that is some thirty milliseconds of
 * work, more than a claim takes, and with a claim on top it is less than one quick endpoint may have waiting.
 * What waits for its endpoint (its rate limit, its slowness) does not count, or it would hold up others; memory
 * bounds it.
 */
const WAITING_HIGH = 1_000;
const WAITING_LOW = 128;
const WAITING_ALL_MAX = 10_000;

export interface Waiting {
  readonly waiting: number;
  /** What waits for this process, and not for its endpoint. */
  readonly waitingForUs: number;
}

export class Room {
  #waiters: (() => void)[] = [];
  #isClosed = false;

  constructor(private readonly taken: Waiting) {}

  /** Whether a claim that is under way may go on to the next tenant. */
  get mayClaim(): boolean {
    return !this.#isClosed && this.#isBelow(WAITING_HIGH);
  }

  /** Resolves once there is room to begin claiming again, or will be no claim any more. */
  wait(): Promise<void> {
    if (this.#isClosed || this.#isBelow(WAITING_LOW)) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** To be called when room may have been made. */
  look(): void {
    if (this.#isBelow(WAITING_LOW)) this.#wake();
  }

  /** There is no more claiming: nobody waits for it. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  #isBelow(mark: number): boolean {
    return this.taken.waitingForUs < mark && this.taken.waiting < WAITING_ALL_MAX;
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}
