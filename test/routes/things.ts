// A tenant with some of everything, and the names by which it can be spoken of: the tests of all routes fill
// their requests with these, with another tenant's, or with ones that nobody has.

import { v4 as uuidv4 } from 'uuid';
import { createReceiver } from '../helpers/receiver.js';
import type { TestService } from '../helpers/service.js';
import { deliverAll } from '../outbox/teller.js';
import {
  activate,
  answered,
  backtested,
  draftPolicies,
  first,
  furnishMore,
  furnishTwins,
  orderOf,
  type Post,
  phoneOf,
  read,
  replayed,
  shadowed,
} from './furnishing.js';

export { orderOf, policyOf } from './furnishing.js';
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
  tag: string;
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
  /** It is done. */
  fitId: string;
  /** Of the newest version, and done. */
  backtestId: string;
  draftId: string;
  /** Other drafts, each for one step that can be taken once. */
  candidateId: string;
  understudyId: string;
  obsoleteId: string;
  /** A policy in shadow. */
  shadowId: string;
  /** A preview of the draft. */
  previewId: string;
  /** Of a policy in shadow: it puts everybody in other stages, and has one change left to look at. */
  shadowPolicyId: string;
  /** Another customer, who may be the same person. */
  twinId: string;
  /** Of the customer, and not undone. */
  mergeId: string;
  /** Of the customer's likely duplicates, one that is open and one that was dismissed. */
  duplicateId: string;
  /** A customer for whom nothing else is asked, to be erased. */
  leaverId: string;
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
    tag: `tag of ${name}`,
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
    fitId: uuidv4(),
    backtestId: uuidv4(),
    draftId: uuidv4(),
    candidateId: uuidv4(),
    understudyId: uuidv4(),
    obsoleteId: uuidv4(),
    shadowId: uuidv4(),
    previewId: uuidv4(),
    shadowPolicyId: uuidv4(),
    twinId: uuidv4(),
    mergeId: uuidv4(),
    leaverId: uuidv4(),
    duplicateId: uuidv4(),
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
    tag: `tag of ${name}`,
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
  // One that hears only of what fails: whichever answer of the other comes last, there is a health to look at.
  const eventTypes = ['touchpoint.recorded'];
  await post('/v1/webhook-endpoints', { url: `${receiver.url}/${name}-failing`, eventTypes });
  const key = await post('/v1/api-keys', { name: `key of ${name}`, scopes: ['orders:read'] });
  const { email, phone, owner, tag, channel } = said;
  const externalIds = [
    { namespace: 'crm', id: name },
    { namespace: said.identityNamespace, id: said.identityId },
  ];
  const customer = await post('/v1/customers', {
    email,
    phone,
    owner,
    tags: [tag],
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
  const fit = await post('/v1/models/fits');
  await service.services.models.fitDue(service.clock.now());
  for (let version = 2; version <= policies; version++) await activate(service, version);
  // To a real receiver, so that there are attempts to look at.
  await deliverAll(t, service);
  const quietEndpointId = await furnishMore(service, post, { name: `${name}-2`, tag });
  const drafted = await draftPolicies(post, name);
  const shadowPolicyId = await shadowed(service, post, name);
  const replay = await replayed(post, endpoint.id);
  const backtest = await backtested(service, post);
  const parted = await furnishTwins(service, post, { name, customerId: customer.id });
  const ofStatus = (status: string) =>
    read(service, `/v1/webhook-deliveries?endpointId=${endpoint.id}&status=${status}`);
  const { data: succeeded } = await ofStatus('succeeded');
  const { data: pending } = await ofStatus('pending');
  const { data: events } = await read(service, '/v1/events?types=order.recorded');
  return {
    ...said,
    ...drafted,
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
    fitId: fit.id,
    backtestId: backtest.id,
    shadowPolicyId,
    ...parted,
  };
}
