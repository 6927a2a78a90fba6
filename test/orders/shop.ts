// A tenant that sells, over HTTP: a policy in round numbers, orders in few words, and what the service then
// says of a customer. What the tables hold of events and deliveries is read behind the API.

import type { LightMyRequestResponse } from 'fastify';
import type { TestService } from '../helpers/service.js';

export const DAY_MS = 86_400_000;
export const MINUTE_MS = 60_000;

/** Declining and churned after 45 and 91 silent days, mature with two purchase days. */
export const POLICY = {
  template: 'ecommerce',
  timeZone: 'UTC',
  rules: [
    { stage: 'churned', when: { type: 'silence', days: 91 } },
    { stage: 'declining', when: { type: 'silence', days: 45 } },
    { stage: 'mature', when: { type: 'orders', atLeast: 2 } },
    { stage: 'new', when: { type: 'orders', atLeast: 1 } },
  ],
  otherwise: 'prospect',
};

export interface LedgerEntry {
  id: string;
  from: string | null;
  to: string;
  cause: string;
  causeId: string | null;
  effectiveAt: string;
  recordedAt: string;
  supersededAt: string | null;
  correctionId: string | null;
  evidence: unknown;
}

export interface ToldEvent {
  id: string;
  type: string;
  sequence: number;
  occurredAt: string;
  correctionId?: string;
  data: Record<string, unknown>;
  previous?: Record<string, unknown>;
  /** Whether it goes to webhooks. */
  deliver: boolean;
  deliveries: number;
}

export interface Shop {
  service: TestService;
  /** Creates a customer with the external id `ext:crm:<name>` and answers their id. */
  customer(name: string): Promise<string>;
  post(body: unknown): Promise<LightMyRequestResponse>;
  /** By the external id `ext:shop:<id>`. */
  put(id: string, body: unknown, headers?: Record<string, string>): Promise<LightMyRequestResponse>;
  batch(items: unknown[], extras?: object): Promise<LightMyRequestResponse>;
  cancel(id: string, headers?: Record<string, string>): Promise<LightMyRequestResponse>;
  refund(id: string, body: unknown, headers?: Record<string, string>): Promise<LightMyRequestResponse>;
  order(id: string): Promise<Record<string, unknown>>;
  profile(name: string): Promise<Profile>;
  /** Oldest first; with what was taken back where that is asked for. */
  ledger(name: string, options?: { superseded: boolean }): Promise<LedgerEntry[]>;
  /** `from → to` at the day, oldest first. */
  path(name: string): Promise<string[]>;
  /** In the order of their sequence. */
  events(name: string): Promise<ToldEvent[]>;
  /** The same by the id. */
  eventsOf(customerId: string): Promise<ToldEvent[]>;
  tick(at: string): Promise<void>;
}

export interface Profile {
  id: string;
  stage: string;
  stageSince: string;
  version: number;
  email: string | null;
  facts: {
    orders: number;
    purchaseDays: number;
    lastOrderAt: string | null;
    categories: string[];
    spend: object[];
  };
  next: { at: string; stage: string } | null;
}

export async function openShop(shared: TestService, slug: string): Promise<Shop> {
  const service = await shared.forTenant(slug);
  const { inject, services, clock } = service;
  const activation = { policy: POLICY, effectiveFrom: 'beginning', backfill: true };
  assertDone(await inject('PUT', '/v1/policies/live', { body: activation }));
  await services.policies.recomputeDue(clock.now());
  assertDone(await inject('POST', '/v1/webhook-endpoints', { body: { url: 'https://127.0.0.1/hooks' } }));
  const read = async (url: string) => assertDone(await inject('GET', url)).json();
  const ledger = async (name: string, { superseded } = { superseded: false }): Promise<LedgerEntry[]> => {
    const page = await read(`/v1/customers/ext:crm:${name}/transitions?limit=200&superseded=${superseded}`);
    return page.data.reverse();
  };
  return {
    service,
    async customer(name) {
      const made = await inject('PUT', `/v1/customers/ext:crm:${name}`, { body: {} });
      return assertDone(made).json().id;
    },
    post: (body) => inject('POST', '/v1/orders', { body }),
    put: (id, body, headers) => inject('PUT', `/v1/orders/ext:shop:${id}`, { body, headers }),
    batch: (items, extras) => inject('POST', '/v1/orders/batch', { body: { items, ...extras } }),
    cancel: (id, headers) => inject('POST', `/v1/orders/ext:shop:${id}/cancel`, { headers }),
    refund: (id, body, headers) => inject('POST', `/v1/orders/ext:shop:${id}/refunds`, { body, headers }),
    order: (id) => read(`/v1/orders/ext:shop:${id}`),
    profile: (name) => read(`/v1/customers/ext:crm:${name}`),
    ledger,
    path: async (name) =>
      (await ledger(name)).map(
        ({ from, to, effectiveAt }) => `${from ?? '·'} → ${to} ${effectiveAt.slice(0, 10)}`,
      ),
    events: async (name) => eventsOf(service, (await read(`/v1/customers/ext:crm:${name}`)).id),
    eventsOf: (customerId) => eventsOf(service, customerId),
    async tick(at) {
      clock.set(at);
      await services.policies.recomputeDue(clock.now());
      await services.transitions.advanceDue(clock.now());
    },
  };
}

/** An order of the day at noon, by `ext:shop:<id>`; what it says besides is in `more`. */
export function orderOf(customer: unknown, id: string, day: string, more: object = {}) {
  return { externalId: { namespace: 'shop', id }, ...contentOf(customer, day, more) };
}

/** The same as a PUT takes it, which names the order in its path. */
export function contentOf(customer: unknown, day: string, more: object = {}) {
  const placedAt = day.includes('T') ? day : `${day}T12:00:00Z`;
  const named = typeof customer === 'string' && !customer.includes(':') ? `ext:crm:${customer}` : customer;
  return { customer: named, placedAt, amountMinor: 1_000, currency: 'EUR', ...more };
}

export function eventsOf({ database, tenant }: TestService, customerId: string): Promise<ToldEvent[]> {
  return database.read(tenant.id, async (executor) => {
    const rows = await executor.rows<{ body: string; deliver: boolean; deliveries: number }>({
      text: `SELECT body, deliver, (SELECT count(*)::int FROM deliveries d
                                     WHERE d.tenant_id = $1 AND d.event_id = e.id) AS deliveries
               FROM events e WHERE tenant_id = $1 AND customer_id = $2 ORDER BY sequence`,
      values: [tenant.id, customerId],
    });
    return rows.map(({ body, ...row }) => ({ ...JSON.parse(body), ...row }));
  });
}

export function typesOf(events: readonly ToldEvent[]): string[] {
  return events.map(({ type }) => type);
}

function assertDone(answer: LightMyRequestResponse): LightMyRequestResponse {
  if (answer.statusCode >= 300) throw new Error(`${answer.statusCode} ${answer.body}`);
  return answer;
}
