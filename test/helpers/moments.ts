// Owns moments in a running trial that a test waits for or that chance picks: behind so many requests, entries
// or deliveries, in a start, in a tick. Does not own what happens then.

import { setTimeout as moment } from 'node:timers/promises';
import type { Chance } from './chance.js';

export type Sight = 'request' | 'delivery' | 'booked';

export class Moments {
  #waiting: { sight: Sight; left: number; done: () => void }[] = [];

  constructor(private readonly chance: Chance) {}

  /** For the options of a trial. */
  get watch() {
    return {
      onSend: () => this.#saw('request'),
      onBooked: () => this.#saw('booked'),
      onDelivery: () => this.#saw('delivery'),
    };
  }

  /** When so many more have been seen. */
  async after(count: number, sight: Sight): Promise<void> {
    await new Promise<void>((done) => this.#waiting.push({ sight, left: count, done }));
  }

  /** Any moment in the life of a process that becomes ready; says of which kind. */
  async any(ready: Promise<unknown>): Promise<string> {
    const { chance } = this;
    const kind = chance.pick(['start', 'tick', 'request', 'request', 'delivery', 'delivery'] as const);
    if (kind === 'start') {
      await moment(chance.below(1_500));
      return kind;
    }
    await ready;
    if (kind === 'tick') {
      // Ticks begin with the second.
      await moment(1_000 - (Date.now() % 1_000) + chance.below(80));
      return kind;
    }
    await this.after(1 + chance.below(30), kind);
    await moment(chance.below(25));
    return kind;
  }

  #saw(sight: Sight): void {
    for (const waiter of this.#waiting) if (waiter.sight === sight) waiter.left -= 1;
    const over = this.#waiting.filter(({ left }) => left <= 0);
    this.#waiting = this.#waiting.filter(({ left }) => left > 0);
    for (const { done } of over) done();
  }
}
