// Owns a shop's day as the service sees it: several clerks at once, from its opening to its close, and the book
// of what they were answered. Does not own what a clerk does (clerk.ts).

import { type Book, emptyBook } from './book.js';
import type { Chance } from './chance.js';
import { Clerk, type Counter, isSuccess, REGULARS } from './clerk.js';
import type { Answer, Call, PersistentClient } from './persistent-client.js';
import { activation } from './shop-policies.js';

export interface ShopOptions {
  client: PersistentClient;
  chance: Chance;
  clerks?: number;
  /** Told after each entry of the book. */
  onBooked?: () => void;
}

const CLERKS = 3;

export class Shop implements Counter {
  readonly book: Book = emptyBook();
  #isOpen = false;
  #clerks: Promise<unknown> = new Promise(() => undefined);

  constructor(private readonly options: ShopOptions) {}

  /** Makes the customers that all clerks sell to, then lets the clerks work until `close`. */
  async open(): Promise<void> {
    const { client, chance, clerks = CLERKS } = this.options;
    const regulars = Array.from({ length: REGULARS }, (_, index) => `regular-${index}`);
    const items = regulars.map((id) => ({ externalIds: [{ namespace: 'shop', id }] }));
    await client.send({ method: 'POST', path: '/v1/customers/batch', body: { items } });
    await this.changePolicy(chance);
    for (const id of regulars) this.book.customers.set(id, { name: null, changes: 0 });
    this.#isOpen = true;
    const working = Array.from({ length: clerks }, (_, number) =>
      this.#work(new Clerk({ number, clerks, shop: this, chance: chance.fork() })),
    );
    this.#clerks = Promise.all(working);
    // Awaited by `close`; a clerk that fails before that is no unhandled rejection.
    this.#clerks.catch(() => undefined);
  }

  /** Rejects as soon as a clerk has been answered what no clerk may be. */
  get day(): Promise<unknown> {
    return this.#clerks;
  }

  /** Every clerk finishes what is in hand. */
  async close(): Promise<void> {
    this.#isOpen = false;
    await this.#clerks;
  }

  /** The tenant's first one thinks in months: with the shop's, ticks find something every second. */
  async changePolicy(chance: Chance): Promise<void> {
    this.book.policies += 1;
    await this.tell(
      { method: 'PUT', path: '/v1/policies/live', body: activation(this.book.policies, chance) },
      isSuccess,
    );
  }

  async tell(call: Call, isWelcome: (answer: Answer) => boolean): Promise<Answer> {
    const answer = await this.options.client.send(call);
    if (isWelcome(answer)) return answer;
    throw new Error(
      `${call.method} ${call.path} was answered ${answer.status} ${JSON.stringify(answer.json)}`,
    );
  }

  async #work(clerk: Clerk): Promise<void> {
    while (this.#isOpen) {
      await clerk.doSomething();
      this.options.onBooked?.();
    }
  }
}
