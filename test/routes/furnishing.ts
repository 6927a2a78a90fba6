// The steps by which a tenant is furnished (things.ts): a second one of each kind, drafts and a policy in shadow,
// twins, replays and backtests.

import { v7 as uuidv7 } from 'uuid';
import type { Policy } from '../../src/lifecycle/policy.js';
import type { TestService } from '../helpers/service.js';

export type Post = (url: string, body?: unknown, headers?: Record<string, string>) => Promise<{ id: string }>;

/** How long before its making the shadow begins. */
const SHADOW_BACK_MS = 3_600_000;

/** A second one of each kind, so that every list has another page; answers the endpoint's id. */
export async function furnishMore(
  service: TestService,
  post: Post,
  { name, tag }: { name: string; tag: string },
): Promise<string> {
  const { id } = await post('/v1/webhook-endpoints', { url: `https://127.0.0.1/${name}`, status: 'paused' });
  await post('/v1/customers', { tags: [tag], externalIds: [{ namespace: 'crm', id: name }] });
  await post('/v1/orders', orderOf(`ext:crm:${name}`, name, service.clock.now()));
  const customer = `ext:crm:${name}`;
  await post('/v1/touchpoints', { customer, channel: 'phone', direction: 'outbound', kind: 'visit' });
  await post('/v1/calibrations');
  await post('/v1/models/fits');
  return id;
}

/** Drafts and a policy in shadow; one of the drafts has a preview, and so has the shadow. */
export async function draftPolicies(post: Post, name: string) {
  const ids = [];
  for (const [index, role] of ['draft', 'candidate', 'understudy', 'obsolete', 'shadow'].entries()) {
    const body = { name: `${role} of ${name}`, policy: policyOf(50 + index) };
    ids.push((await post('/v1/policies', body)).id);
  }
  const [draftId = '', candidateId = '', understudyId = '', obsoleteId = '', shadowId = ''] = ids;
  const preview = await post(`/v1/policies/${draftId}/previews`, {});
  await post(`/v1/policies/${shadowId}/shadow`);
  await post(`/v1/policies/${shadowId}/previews`, {});
  return { draftId, candidateId, understudyId, obsoleteId, shadowId, previewId: preview.id };
}

/** A policy in shadow that has dealt with everybody, but for what one of the customers did since. */
export async function shadowed(service: TestService, post: Post, name: string): Promise<string> {
  const { database, services, clock } = service;
  const customer = `ext:crm:${name}-3`;
  await post('/v1/customers', { externalIds: [{ namespace: 'crm', id: `${name}-3` }] });
  await post('/v1/orders', orderOf(customer, `${name}-3`, clock.now()));
  const policyId = uuidv7();
  service.clock.advance(1_000);
  const context = service.context();
  const since = new Date(clock.now().getTime() - SHADOW_BACK_MS);
  // Whoever has ordered would be given up after a fraction of a second.
  const policy = policyOf(1e-6) as Policy;
  await database.write(context, (tx) => services.shadows.start(tx, context, { policyId, policy, since }));
  service.clock.advance(60_000);
  while ((await services.shadows.advance(clock.now())).more) {
    // One stretch after the other.
  }
  await post('/v1/touchpoints', { customer, channel: 'phone', direction: 'outbound', kind: 'visit' });
  return policyId;
}

/** One customer merged into the first, another like them, and one to be erased. */
export async function furnishTwins(
  service: TestService,
  post: Post,
  { name, customerId }: { name: string; customerId: string },
) {
  const named = (id: string) => ({ externalIds: [{ namespace: 'crm', id: `${name}-${id}` }] });
  const early = await post('/v1/customers', named('early'));
  await post(`/v1/customers/${customerId}/merges`, { from: early.id });
  const merged = await post('/v1/customers', named('merged'));
  await post('/v1/orders', orderOf(`ext:crm:${name}-merged`, `${name}-merged`, service.clock.now()));
  const { id: mergeId } = await post(`/v1/customers/${customerId}/merges`, { from: merged.id });
  const twin = await post('/v1/customers', named('twin'));
  const leaver = await post('/v1/customers', named('leaver'));
  for (const n of [1, 2, 3]) {
    await post('/v1/customers', { email: `${name}+${n}@likely.example.com` });
  }
  // Where several tenants are furnished at once, another's walk may have come by here before.
  let data: { id: string }[] = [];
  for (let walks = 0; data.length < 3 && walks < 5; walks++) {
    service.clock.advance(120_000);
    await service.services.duplicates.walkDue(service.clock.now());
    ({ data } = await read(service, '/v1/customers/duplicates'));
  }
  await post(`/v1/customers/duplicates/${first(data).id}/dismiss`);
  const open = await read(service, '/v1/customers/duplicates');
  return { mergeId, twinId: twin.id, leaverId: leaver.id, duplicateId: first(open.data).id };
}

/** Two replays of an endpoint: one that was cancelled, and the one that is answered. */
export async function replayed(post: Post, endpointId: string): Promise<{ id: string }> {
  const path = `/v1/webhook-endpoints/${endpointId}/replays`;
  const body = { from: '2026-03-01T00:00:00Z' };
  const cancelled = await post(path, body);
  await post(`${path}/${cancelled.id}/cancel`);
  return post(path, body);
}

/** Two backtests of the newest policy, both done. */
export async function backtested({ services, clock }: TestService, post: Post): Promise<{ id: string }> {
  const body = { horizonDays: 30, cuts: ['2026-01-01T00:00:00Z'], segmentBy: 'channel' };
  await post('/v1/policies/live/backtests', body);
  const backtest = await post('/v1/policies/live/backtests', body);
  while ((await services.backtests.advance(clock.now())).more) {
    // Until both are done.
  }
  return backtest;
}

/** Of the numbers that Berlin keeps for films, so that nobody's is among them. */
export function phoneOf(number: number): string {
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

export async function activate(service: TestService, version: number): Promise<void> {
  service.clock.advance(1_000);
  const body = { policy: policyOf(100 + version) };
  answered(await service.inject('PUT', '/v1/policies/live', { body }));
}

export async function read(service: TestService, url: string): Promise<{ data: { id: string }[] }> {
  return answered<{ data: { id: string }[] }>(await service.inject('GET', url));
}

export function answered<T>(pending: { statusCode: number; body: string; json<Body>(): Body }): T {
  if (pending.statusCode >= 300) throw new Error(`a tenant could not be furnished: ${pending.body}`);
  return pending.json<T>();
}

export function first<T>(items: T[]): T {
  const [item] = items;
  if (item === undefined) throw new Error('a furnished tenant has one');
  return item;
}
