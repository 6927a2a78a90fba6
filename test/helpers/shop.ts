// Owns a shop's day as the service sees it: several clerks at once record orders, one or many, change them,
// note touchpoints, move customers, and change the policy, all drawn by chance. What was answered is booked.
// Does not own how a request gets through (persistent-client.ts).

import { type Book, type BookedOrder, emptyBook } from './book.js';
import type { Chance } from './chance.js';
import type { Answer, Call, PersistentClient } from './persistent-client.js';
import { activation } from './shop-policies.js';

export interface ShopOptions {
  client: PersistentClient;
  chance: Chance;
  clerks?: number;
  /** Told after each entry of the book. */
  onBooked?: () => void;
}

const REGULARS = 24;
const BATCH_SIZE_MAX = 10;
const CLERKS = 3;
const DAY_MS = 86_400_000;
/** Stages that a move asks for; the graph refuses some, which is an answer too. */
const STAGES = ['new', 'mature', 'declining', 'churned'];
const CATEGORIES = ['books', 'music', 'games', 'tea'];

interface DraftOrder {
  externalId: { namespace: string; id: string };
  customer: unknown;
  placedAt: string;
  amountMinor: number;
  currency: string;
  lines: unknown[];
}

export class Shop {
  readonly book: Book = emptyBook();
  #isOpen = false;
  #clerks: Promise<unknown> = Promise.resolve();

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
      this.#work(new Clerk(number, clerks, this, chance.fork())),
    );
    this.#clerks = Promise.all(working);
    // Awaited by `close`; a clerk that fails before that is no unhandled rejection.
    this.#clerks.catch(() => undefined);
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

const isSuccess = ({ status }: Answer) => status < 300;
const isSuccessOrConflict = ({ status }: Answer) => status < 300 || status === 409;

class Clerk {
  #made = 0;
  /** Orders that may still be changed: each is changed once. */
  #open: string[] = [];
  readonly #deeds: (() => Promise<void>)[];

  constructor(
    private readonly number: number,
    private readonly clerks: number,
    private readonly shop: Shop,
    private readonly chance: Chance,
  ) {
    const weighted: [number, () => Promise<void>][] = [
      [6, () => this.#recordMany()],
      [6, () => this.#recordOne()],
      [2, () => this.#putUnknown()],
      [3, () => this.#amend((id) => this.#cancel(id))],
      [3, () => this.#amend((id) => this.#refund(id))],
      [3, () => this.#amend((id) => this.#replace(id))],
      [2, () => this.#touch()],
      [2, () => this.#move()],
      [2, () => this.#rename()],
      // One clerk alone, so that the versions can be counted.
      [number === 0 ? 1 : 0, () => shop.changePolicy(chance)],
      [number === 0 ? 1 : 0, () => this.#calibrate()],
    ];
    this.#deeds = weighted.flatMap(([weight, deed]) => Array.from({ length: weight }, () => deed));
  }

  doSomething(): Promise<void> {
    return this.chance.pick(this.#deeds)();
  }

  async #recordMany(): Promise<void> {
    const items = Array.from({ length: 1 + this.chance.below(BATCH_SIZE_MAX) }, () => this.#draft());
    const body = { items, ...(this.chance.percent(25) ? { backfill: true } : {}) };
    const { json } = await this.#post('/v1/orders/batch', body, this.chance.percent(50));
    const { results } = json as { results: { status: number }[] };
    const failed = results.filter(({ status }) => status >= 300);
    if (failed.length > 0) throw new Error(`items of a batch were refused: ${JSON.stringify(failed)}`);
    for (const item of items) this.#bookOrder(item, { status: 'placed', told: ['order.recorded'] });
  }

  async #recordOne(): Promise<void> {
    const draft = this.#draft();
    await this.#post('/v1/orders', draft, this.chance.percent(50));
    this.#bookOrder(draft, { status: 'placed', told: ['order.recorded'] });
  }

  async #putUnknown(): Promise<void> {
    const { externalId, ...content } = this.#draft();
    const status = this.chance.pick(['placed', 'cancelled'] as const);
    await this.#put(`/v1/orders/ext:shop:${externalId.id}`, { ...content, status });
    this.#bookOrder({ externalId, ...content }, { status, told: ['order.recorded'] });
  }

  async #amend(deed: (id: string) => Promise<void>): Promise<void> {
    const id = this.#open.splice(this.chance.below(this.#open.length), 1)[0];
    if (id !== undefined) await deed(id);
  }

  async #cancel(id: string): Promise<void> {
    await this.#post(`/v1/orders/ext:shop:${id}/cancel`, undefined, this.chance.percent(50));
    this.#rebook(id, 'order.cancelled', { status: 'cancelled' });
  }

  async #refund(id: string): Promise<void> {
    const { amountMinor } = this.#booked(id);
    const refundedMinor = this.chance.percent(50) ? amountMinor : Math.ceil(amountMinor / 4);
    const refund = { externalId: `refund-${id}`, amountMinor: refundedMinor };
    await this.#post(`/v1/orders/ext:shop:${id}/refunds`, refund, this.chance.percent(50));
    this.#rebook(id, 'order.refunded', { refundedMinor });
  }

  async #replace(id: string): Promise<void> {
    const { externalId: _, ...content } = this.#draft();
    const customer = this.#regular();
    const body = { ...content, customer: `ext:shop:${customer}` };
    await this.#put(`/v1/orders/ext:shop:${id}`, body);
    this.#rebook(id, 'order.updated', { customer, amountMinor: content.amountMinor });
  }

  async #touch(): Promise<void> {
    const note = this.#name('touchpoint');
    const content = {
      customer: `ext:shop:${this.#regular()}`,
      channel: 'phone',
      direction: 'inbound',
      kind: 'call',
      note,
    };
    // Either an external id or an Idempotency-Key makes a repeat harmless.
    const hasId = this.chance.percent(50);
    const body = hasId ? { ...content, externalId: { namespace: 'shop', id: note } } : content;
    await this.#post('/v1/touchpoints', body, !hasId);
    this.shop.book.touchpoints.add(note);
  }

  async #move(): Promise<void> {
    const reason = this.#name('move');
    // Far enough ahead to be that still when it is repeated after an outage.
    const until = new Date(Date.now() + 25_000 + this.chance.below(15_000)).toISOString();
    const holdUntil = this.chance.percent(50) ? until : null;
    const path = `/v1/customers/ext:shop:${this.#regular()}/transitions`;
    const body = { to: this.chance.pick(STAGES), reason, holdUntil };
    const call = { method: 'POST', path, body, idempotencyKey: this.#name('key') } as const;
    const { status } = await this.shop.tell(call, isSuccessOrConflict);
    if (status === 201) this.shop.book.moves.add(reason);
  }

  /** Each clerk has customers of their own to rename: two names at once would leave open which one came last. */
  async #rename(): Promise<void> {
    const id = `regular-${this.chance.below(REGULARS / this.clerks) * this.clerks + this.number}`;
    const booked = this.shop.book.customers.get(id);
    if (booked === undefined) return;
    const name = this.#name('name');
    await this.#put(`/v1/customers/ext:shop:${id}`, { name });
    this.shop.book.customers.set(id, { name, changes: booked.changes + 1 });
  }

  async #calibrate(): Promise<void> {
    await this.#post('/v1/calibrations', undefined, true);
    this.shop.book.calibrations += 1;
  }

  async #post(path: string, body: unknown, hasKey: boolean): Promise<Answer> {
    const call: Call = {
      method: 'POST',
      path,
      body,
      ...(hasKey ? { idempotencyKey: this.#name('key') } : {}),
    };
    return this.shop.tell(call, isSuccess);
  }

  #put(path: string, body: unknown): Promise<Answer> {
    return this.shop.tell({ method: 'PUT', path, body }, isSuccess);
  }

  #draft(): DraftOrder {
    const category = this.chance.pick(CATEGORIES);
    const amountMinor = 100 + this.chance.below(10_000);
    return {
      externalId: { namespace: 'shop', id: this.#name('order') },
      customer: this.#customer(),
      placedAt: new Date(Date.now() - this.#ageMs()).toISOString(),
      amountMinor,
      currency: 'EUR',
      lines: [{ product: 'sku', category, quantity: 1, unitPriceMinor: amountMinor }],
    };
  }

  /** Just now for the most part; some late by minutes or days, some of a clock that is ahead. */
  #ageMs(): number {
    const kind = this.chance.below(10);
    if (kind === 0) return -this.chance.below(1_500);
    if (kind === 1) return this.chance.below(10 * DAY_MS);
    return this.chance.below(kind < 4 ? 60_000 : 3_000);
  }

  /** By reference, inline, or unknown until now. */
  #customer(): unknown {
    const kind = this.chance.below(10);
    if (kind < 6) return `ext:shop:${this.#regular()}`;
    const id = kind < 9 ? this.#regular() : this.#name('newcomer');
    return { externalIds: [{ namespace: 'shop', id }] };
  }

  #bookOrder(draft: DraftOrder, { status, told }: Pick<BookedOrder, 'status' | 'told'>): void {
    const { id } = draft.externalId;
    const customer = nameOf(draft.customer);
    const { orders, customers } = this.shop.book;
    orders.set(id, { customer, status, amountMinor: draft.amountMinor, refundedMinor: 0, version: 1, told });
    if (!customers.has(customer)) customers.set(customer, { name: null, changes: 0 });
    if (status === 'placed') this.#open.push(id);
  }

  #rebook(id: string, event: string, change: Partial<BookedOrder>): void {
    const booked = this.#booked(id);
    const next = { ...booked, ...change, version: booked.version + 1, told: [...booked.told, event] };
    this.shop.book.orders.set(id, next);
  }

  #booked(id: string): BookedOrder {
    const booked = this.shop.book.orders.get(id);
    if (booked === undefined) throw new Error(`${id} was never booked`);
    return booked;
  }

  #regular(): string {
    return `regular-${this.chance.below(REGULARS)}`;
  }

  #name(kind: string): string {
    this.#made += 1;
    return `${kind}-${this.number}-${this.#made}`;
  }
}

function nameOf(customer: unknown): string {
  if (typeof customer === 'string') return customer.replace('ext:shop:', '');
  return (customer as { externalIds: { id: string }[] }).externalIds[0]?.id ?? '';
}
