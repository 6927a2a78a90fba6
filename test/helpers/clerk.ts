// Owns one clerk of a shop under test: what they do next is drawn by chance, and what was answered they book.
// Does not own how a request gets through (persistent-client.ts), nor the other clerks (shop.ts).

import type { Book, BookedOrder } from './book.js';
import type { Chance } from './chance.js';
import type { Answer, Call } from './persistent-client.js';

/** The customers whom all clerks sell to. */
export const REGULARS = 24;
const BATCH_SIZE_MAX = 10;
const DAY_MS = 86_400_000;
/** Stages that a move asks for; the graph refuses some, which is an answer too. */
const STAGES = ['new', 'mature', 'declining', 'churned'];
const CATEGORIES = ['books', 'music', 'games', 'tea'];

/** What a clerk has of their shop. */
export interface Counter {
  book: Book;
  /** Resolves with an answer that is welcome, and throws at any other. */
  tell(call: Call, isWelcome: (answer: Answer) => boolean): Promise<Answer>;
  changePolicy(chance: Chance): Promise<void>;
}

export interface Post {
  /** From 0 on. */
  number: number;
  /** How many clerks there are. */
  clerks: number;
  shop: Counter;
  chance: Chance;
}

interface DraftOrder {
  externalId: { namespace: string; id: string };
  customer: unknown;
  placedAt: string;
  amountMinor: number;
  currency: string;
  lines: unknown[];
}

export const isSuccess = ({ status }: Answer) => status < 300;
const isSuccessOrConflict = ({ status }: Answer) => status < 300 || status === 409;

export class Clerk {
  #made = 0;
  /** Orders that may still be changed: each is changed once. */
  #open: string[] = [];
  readonly #deeds: (() => Promise<void>)[];
  private readonly number: number;
  private readonly clerks: number;
  private readonly shop: Counter;
  private readonly chance: Chance;

  constructor({ number, clerks, shop, chance }: Post) {
    this.number = number;
    this.clerks = clerks;
    this.shop = shop;
    this.chance = chance;
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
    const hasKey = this.#isKeyed();
    const { json } = await this.#post('/v1/orders/batch', body, { hasKey, first: 207 });
    const { results } = json as { results: { status: number }[] };
    const failed = results.filter(({ status }) => status >= 300 || (hasKey && status !== 201));
    if (failed.length > 0) throw new Error(`items of a batch came to ${JSON.stringify(failed)}`);
    for (const item of items) this.#bookOrder(item, { status: 'placed', told: ['order.recorded'] });
  }

  async #recordOne(): Promise<void> {
    const draft = this.#draft();
    await this.#post('/v1/orders', draft, { hasKey: this.#isKeyed(), first: 201 });
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
    await this.#post(`/v1/orders/ext:shop:${id}/cancel`, undefined, { hasKey: this.#isKeyed(), first: 200 });
    this.#rebook(id, 'order.cancelled', { status: 'cancelled' });
  }

  async #refund(id: string): Promise<void> {
    const { amountMinor } = this.#booked(id);
    const refundedMinor = this.chance.percent(50) ? amountMinor : Math.ceil(amountMinor / 4);
    const refund = { externalId: `refund-${id}`, amountMinor: refundedMinor };
    await this.#post(`/v1/orders/ext:shop:${id}/refunds`, refund, { hasKey: this.#isKeyed(), first: 201 });
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
    await this.#post('/v1/touchpoints', body, { hasKey: !hasId, first: 201 });
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
    await this.#post('/v1/calibrations', undefined, { hasKey: true, first: 201 });
    this.shop.book.calibrations += 1;
  }

  /** A repeat without a key is answered 200 where the first try had come through; with it, as the first was. */
  #post(path: string, body: unknown, { hasKey, first }: { hasKey: boolean; first: number }): Promise<Answer> {
    if (!hasKey) return this.shop.tell({ method: 'POST', path, body }, isSuccess);
    const call = { method: 'POST', path, body, idempotencyKey: this.#name('key') } as const;
    return this.shop.tell(call, ({ status }) => status === first);
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

  #isKeyed(): boolean {
    return this.chance.percent(50);
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
