// A shop with a policy in shadow beside the live one, and the few things that the tests do with it.

import type { Test } from 'tap';
import { v7 as uuidv7 } from 'uuid';
import type { Policy } from '../../src/lifecycle/policy.js';
import type { TestService } from '../helpers/service.js';
import { orderOf, policyOf } from '../routes/things.js';

export const DAY_MS = 86_400_000;

export function beside(shared: TestService) {
  return { open: (t: Test, slug: string) => open(t, shared, slug), start, end, run, sell, get };
}

/** A live policy of 100 and 200 silent days, and a shadow of 10 and 20. */
async function open(t: Test, shared: TestService, slug: string) {
  const service = await shared.forTenant(slug);
  const body = { policy: policyOf(100), effectiveFrom: 'beginning' };
  t.equal((await service.inject('PUT', '/v1/policies/live', { body })).statusCode, 200);
  return { service, policyId: uuidv7() };
}

function start({ database, services, ...service }: TestService, policyId: string, more: object = {}) {
  const context = service.context();
  const given = { policyId, policy: policyOf(10) as Policy, since: context.now, ...more };
  return database.write(context, (tx) => services.shadows.start(tx, context, given));
}

function end(service: TestService, how: 'stop' | 'remove', policyId: string) {
  const context = service.context();
  return service.database.write(context, (tx) => service.services.shadows[how](tx, context, policyId));
}

async function run({ services, clock }: TestService): Promise<void> {
  for (let more = true; more; ) more = (await services.shadows.advance(clock.now())).more;
}

async function sell(t: Test, service: TestService, name: string): Promise<string> {
  const body = { externalIds: [{ namespace: 'crm', id: name }] };
  const customer = await service.inject('POST', '/v1/customers', { body });
  const order = { body: orderOf(`ext:crm:${name}`, `${name}-${uuidv7()}`, service.clock.now()) };
  t.equal((await service.inject('POST', '/v1/orders', order)).statusCode, 201);
  return customer.json().id;
}

async function get(t: Test, service: TestService, url: string) {
  const answer = await service.inject('GET', url);
  t.equal(answer.statusCode, 200, `${url} ${answer.body.slice(0, 200)}`);
  return answer.json();
}
