// Why a customer is where they are: over HTTP, on a real Postgres.

import t from 'tap';
import { startService } from '../helpers/service.js';

const service = await startService(t);
const { inject, clock } = service;
const DAY_MS = 86_400_000;

async function activate(rules: object[]): Promise<void> {
  const policy = { template: 'ecommerce', timeZone: 'UTC', rules, otherwise: 'prospect' };
  const answer = await inject('PUT', '/v1/policies/live', { body: { policy, effectiveFrom: 'beginning' } });
  if (answer.statusCode !== 200) throw new Error(answer.body);
}

/** A customer with one order, made now. */
async function customerWithOrder(more: object = {}): Promise<string> {
  const { id } = (await inject('POST', '/v1/customers', { body: more })).json();
  const placedAt = clock.now().toISOString();
  const lines = [{ product: 'p', category: 'books', quantity: 1, unitPriceMinor: 1_000 }];
  const body = { customer: id, placedAt, amountMinor: 1_000, currency: 'EUR', lines };
  const answer = await inject('POST', '/v1/orders', {
    body: { ...body, externalId: { namespace: 'shop', id } },
  });
  if (answer.statusCode !== 201) throw new Error(answer.body);
  return id;
}

async function explained(ref: string) {
  const answer = await inject('GET', `/v1/customers/${ref}/explanation`);
  if (answer.statusCode !== 200) throw new Error(answer.body);
  return answer.json();
}

t.test('the rules with their figures, the next change, and what would bring the customer back', async (t) => {
  await activate([
    { stage: 'churned', when: { type: 'silence', days: 90 } },
    { stage: 'declining', when: { type: 'recentOrders', days: 45, lessThan: 1 } },
    { stage: 'new', when: { type: 'orders', atLeast: 1 } },
  ]);
  const first = clock.now().getTime();
  const id = await customerWithOrder();
  clock.advance(50 * DAY_MS);
  await service.services.transitions.advanceDue(clock.now());
  const told = await explained(id);
  t.match(told, {
    customerId: id,
    stage: 'declining',
    since: new Date(first + 45 * DAY_MS).toISOString(),
    next: { at: new Date(first + 90 * DAY_MS).toISOString(), stage: 'churned', rule: 0 },
    moves: [{ fact: 'order', stage: 'new', type: 'recovered' }],
  });
  t.match(told.rules[1], { decided: true, when: { value: 0, threshold: 1, days: 45, flipsAt: null } });
  t.match(told.sentences.en, /^Declining since .* An order now would bring them back to New\.$/);
  t.match(told.sentences.zh, /^自 .*退化期/);
});

t.test('it is what the ledger says: the stage, since when, and the next change of the profile', async (t) => {
  await activate([
    {
      stage: 'mature',
      when: {
        type: 'all',
        of: [
          { type: 'tag', tag: 'vip' },
          { type: 'channel', in: ['web'] },
        ],
      },
    },
    { stage: 'declining', when: { type: 'silence', days: 10 } },
    { stage: 'new', when: { type: 'orders', atLeast: 1 } },
  ]);
  const id = await customerWithOrder({ channel: 'web' });
  t.match(await explained(id), { stage: 'new' });
  clock.advance(1_000);
  await inject('PUT', `/v1/customers/${id}/tags/vip`);
  const told = await explained(id);
  const profile = (await inject('GET', `/v1/customers/${id}`)).json();
  t.equal(told.stage, 'mature');
  t.equal(told.stage, profile.stage);
  t.equal(told.since, profile.stageSince);
  t.equal(told.since, clock.now().toISOString());
  const { data } = (await inject('GET', `/v1/customers/${id}/transitions`)).json();
  t.match(data[0], { from: 'new', to: 'mature', cause: 'profile' });
  t.match(data[0].evidence.condition.of[0], { type: 'tag', field: 'tag:vip', found: true, holds: true });
  t.match(told.sentences.en, 'has the tag vip and channel is web');
});

t.test('whoever is not there is a 404', async (t) => {
  const answer = await inject('GET', '/v1/customers/ext:crm:nobody/explanation');
  t.equal(answer.statusCode, 404);
  t.equal(answer.json().code, 'customer_not_found');
});
