// A tenant with some of everything, and the names by which it can be spoken of: the tests of all routes fill
// their requests with these, with another tenant's, or with ones that nobody has.

import { v4 as uuidv4 } from 'uuid';
import { createReceiver } from '../helpers/receiver.js';
import type { TestService } from '../helpers/service.js';
import { deliverAll } from '../outbox/teller.js';

export { deliverAll };

/** Every value is one that no other tenant's things have. */
export interface Things {
  tenantId: string;
  customerId: string;
  /** Of the same customer as all that follows. */
  customerRef: string;
  /** An external id that the customer has besides. */
  identityNamespace: string;
  identityId: string;
  email: string;
  phone: string;
  owner: string;
  channel: string;
  orderId: string;
  orderRef: string;
  refundId: string;
  touchpointId: string;
  touchpointExternalId: string;
  eventId: string;
  apiKeyId: string;
  endpointId: string;
  /** Another one, which has no replays. */
  quietEndpointId: string;
  /** It has succeeded. */
  deliveryId: string;
  pendingDeliveryId: string;
  /** Of the endpoint, and under way. */
  replayId: string;
  policyVersion: string;
  /** For what a request creates: an external id or a slug that is not taken. */
  fresh: string;
}

export type ThingName = keyof Things;

interface Teardown {
  teardown(work: () => Promise<void>): unknown;
}

export interface Furnishing {
  service: TestService;
  /** Goes into every name, and makes them this tenant's alone. */
  name: string;
  /** Below 999, for the phone number. */
  number: number;
  policies: number;
}

type Post = (url: string, body?: unknown, headers?: Record<string, string>) => Promise<{ id: string }>;

/** What a request would name that names nothing. */
export function unknownThings(name: string): Things {
  return {
    tenantId: uuidv4(),
    customerId: uuidv4(),
    customerRef: `ext:crm:${name}`,
    identityNamespace: `extra-${name}`,
    identityId: `${name}-extra`,
    email: `${name}@example.com`,
    phone: phoneOf(999),
    owner: `owner of ${name}`,
    channel: `channel of ${name}`,
    orderId: uuidv4(),
    orderRef: `ext:shop:${name}`,
    refundId: `${name}-refund`,
    touchpointId: uuidv4(),
    touchpointExternalId: `${name}-touchpoint`,
    eventId: uuidv4(),
    apiKeyId: uuidv4(),
    endpointId: uuidv4(),
    quietEndpointId: uuidv4(),
    deliveryId: uuidv4(),
    pendingDeliveryId: uuidv4(),
    replayId: uuidv4(),
    policyVersion: '9999',
    fresh: `${name}-fresh`,
  };
}

/** Fills a tenant by way of the API, a second apart, so that ids made by the clock have one order. */
export async function furnish(t: Teardown, furnishing: Furnishing): Promise<Things> {
  const { service, name, number, policies } = furnishing;
  const receiver = await createReceiver(t, {
    respond: ({ json }) => ({
      status: (json as { type: string }).type === 'touchpoint.recorded' ? 503 : 200,
    }),
  });
  const said = {
    customerRef: `ext:crm:${name}`,
    identityNamespace: `extra-${name}`,
    identityId: `${name}-extra`,
    email: `${name}@example.com`,
    phone: phoneOf(number),
    owner: `owner of ${name}`,
    channel: `channel of ${name}`,
    orderRef: `ext:shop:${name}`,
    refundId: `${name}-refund`,
    touchpointExternalId: `${name}-touchpoint`,
    fresh: `${name}-fresh`,
  };
  const post: Post = async (url, body, headers) => {
    service.clock.advance(1_000);
    return answered<{ id: string }>(await service.inject('POST', url, { body, headers }));
  };
  const endpoint = await post('/v1/webhook-endpoints', { url: `${receiver.url}/${name}` });
  const key = await post('/v1/api-keys', { name: `key of ${name}`, scopes: ['orders:read'] });
  const { email, phone, owner, channel } = said;
  const externalIds = [
    { namespace: 'crm', id: name },
    { namespace: said.identityNamespace, id: said.identityId },
  ];
  const customer = await post('/v1/customers', {
    email,
    phone,
    owner,
    channel,
    externalIds,
    attributes: { a: 1 },
  });
  const order = await post('/v1/orders', orderOf(said.customerRef, name, service.clock.now()), {
    'idempotency-key': `key-of-${name}`,
  });
  await post(`/v1/orders/${order.id}/refunds`, { externalId: said.refundId, amountMinor: 100 });
  const touchpoint = await post('/v1/touchpoints', {
    ...{ customer: said.customerRef, channel, direction: 'inbound', kind: 'call' },
    externalId: { namespace: 'phone-log', id: said.touchpointExternalId },
  });
  await post(`/v1/customers/${customer.id}/transitions`, { to: 'churned', reason: `reason of ${name}` });
  await post('/v1/calibrations');
  for (let version = 2; version <= policies; version++) await activate(service, version);
  // To a real receiver, so that there are attempts to look at.
  await deliverAll(t, service);
  const quietEndpointId = await furnishMore(service, post, `${name}-2`);
  const replay = await replayed(post, endpoint.id);
  const ofStatus = (status: string) =>
    read(service, `/v1/webhook-deliveries?endpointId=${endpoint.id}&status=${status}`);
  const { data: succeeded } = await ofStatus('succeeded');
  const { data: pending } = await ofStatus('pending');
  const { data: events } = await read(service, '/v1/events?types=order.recorded');
  return {
    ...said,
    tenantId: service.tenant.id,
    customerId: customer.id,
    orderId: order.id,
    touchpointId: touchpoint.id,
    eventId: first(events).id,
    apiKeyId: key.id,
    endpointId: endpoint.id,
    quietEndpointId,
    deliveryId: first(succeeded).id,
    pendingDeliveryId: first(pending).id,
    replayId: replay.id,
    policyVersion: String(policies),
  };
}

/** A second one of each kind, so that every list has another page; answers the endpoint's id. */
async function furnishMore(service: TestService, post: Post, name: string): Promise<string> {
  const { id } = await post('/v1/webhook-endpoints', { url: `https://127.0.0.1/${name}`, status: 'paused' });
  await post('/v1/customers', { externalIds: [{ namespace: 'crm', id: name }] });
  await post('/v1/orders', orderOf(`ext:crm:${name}`, name, service.clock.now()));
  const customer = `ext:crm:${name}`;
  await post('/v1/touchpoints', { customer, channel: 'phone', direction: 'outbound', kind: 'visit' });
  await post('/v1/calibrations');
  return id;
}

/** Two replays of an endpoint: one that was cancelled, and the one that is answered. */
async function replayed(post: Post, endpointId: string): Promise<{ id: string }> {
  const path = `/v1/webhook-endpoints/${endpointId}/replays`;
  const body = { from: '2026-03-01T00:00:00Z' };
  const cancelled = await post(path, body);
  await post(`${path}/${cancelled.id}/cancel`);
  return post(path, body);
}

/** Of the numbers that Berlin keeps for films, so that nobody's is among them. */
function phoneOf(number: number): string {
  return `+493023125${String(number).padStart(3, '0')}`;
}

export function orderOf(customer: string, id: string, placedAt: Date) {
  const lines = [{ product: `product of ${id}`, category: 'books', quantity: 1, unitPriceMinor: 5_000 }];
  return {
    customer,
    externalId: { namespace: 'shop', id },
    placedAt: placedAt.toISOString(),
    amountMinor: 5_000,
    currency: 'EUR',
    lines,
  };
}

export function policyOf(silentDays: number) {
  return {
    template: 'ecommerce',
    timeZone: 'UTC',
    rules: [
      { stage: 'churned', when: { type: 'silence', days: silentDays * 2 } },
      { stage: 'declining', when: { type: 'silence', days: silentDays } },
      { stage: 'new', when: { type: 'orders', atLeast: 1 } },
    ],
    otherwise: 'prospect',
  };
}

async function activate(service: TestService, version: number): Promise<void> {
  service.clock.advance(1_000);
  const body = { policy: policyOf(100 + version) };
  answered(await service.inject('PUT', '/v1/policies/live', { body }));
}

async function read(service: TestService, url: string): Promise<{ data: { id: string }[] }> {
  return answered<{ data: { id: string }[] }>(await service.inject('GET', url));
}

function answered<T>(pending: { statusCode: number; body: string; json<Body>(): Body }): T {
  if (pending.statusCode >= 300) throw new Error(`a tenant could not be furnished: ${pending.body}`);
  return pending.json<T>();
}

function first<T>(items: T[]): T {
  const [item] = items;
  if (item === undefined) throw new Error('a furnished tenant has one');
  return item;
}
