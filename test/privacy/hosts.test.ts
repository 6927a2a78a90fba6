// Erasure of one who was merged into others for a time: of the person nothing is left with any of those, however far
// their data had come, and what is the others' own is left alone.

import t from 'tap';
import { v7 as uuidv7 } from 'uuid';
import type { Policy } from '../../src/lifecycle/policy.js';
import { startService } from '../helpers/service.js';
import { merge, undo } from '../merges/twins.js';
import { openShop, orderOf, POLICY, type Shop } from '../orders/shop.js';
import { openRows } from '../routes/rows.js';
import { beside } from '../shadows/beside.js';
import { leaksOf } from './leaks.js';

const NOW = '2026-03-02T09:00:00.000Z';
const shared = await startService(t, { now: NOW });
const rows = await openRows(t, shared);
const { start, end, run } = beside(shared);

t.beforeEach(() => shared.clock.set(NOW));

const GUEST = {
  name: 'Wilhelmina Guestlove',
  email: 'wilhelmina@guest.example',
  externalId: 'crm-guest-77',
  owner: 'owner-of-guest',
  attribute: 'guest eats gooseberries',
  tag: 'guest-tag',
  reason: 'the guest was grumpy',
};
const NEEDLES = Object.values(GUEST);

/** A shop whose ledger looks at an attribute, and a guest who has it, a tag, an order and a move by hand. */
async function openInn(slug: string) {
  const shop = await openShop(shared, slug);
  const { inject, services } = shop.service;
  const say = async (method: 'POST' | 'PATCH' | 'PUT', url: string, body: object, key?: string) => {
    shared.clock.advance(1_000);
    const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
    const answer = await inject(method, url, { body, headers });
    t.ok(answer.statusCode < 300, `${url} ${answer.body}`);
    return answer.json();
  };
  const looking = {
    stage: 'mature',
    when: { type: 'attribute', key: 'diet', exists: true },
  };
  await say('PUT', '/v1/policies/live', { policy: { ...POLICY, rules: [looking, ...POLICY.rules] } });
  await services.policies.recomputeDue(shared.clock.now());
  const { name, email, externalId, owner, attribute, tag, reason } = GUEST;
  const guest = await say('POST', '/v1/customers', {
    ...{ name, email, owner, tags: [tag], attributes: { diet: attribute } },
    externalIds: [{ namespace: 'crm', id: externalId }],
  });
  await say('POST', '/v1/orders', orderOf(externalId, 'g1', '2026-02-01'));
  await say('POST', `/v1/customers/${guest.id}/transitions`, { to: 'churned', reason });
  return { shop, say, guest: guest.id as string };
}

async function step<T>(work: () => Promise<T>): Promise<T> {
  shared.clock.advance(120_000);
  return work();
}

async function mergedFor(shop: Shop, host: string, guest: string): Promise<string> {
  return (await step(() => merge(shop, host, guest))).json().id;
}

t.test('the host’s ledger and dated values keep nothing of the guest', async (t) => {
  const { shop, say, guest } = await openInn('inn');
  const { inject } = shop.service;
  const host = await shop.customer('host');
  await shop.post(orderOf('host', 'h1', '2026-02-03'));
  // The host had one later than the guest, and gave it up: the merge itself writes the guest's to the host.
  await say('PATCH', `/v1/customers/${host}`, { attributes: { diet: 'none' } });
  await say('PATCH', `/v1/customers/${host}`, { attributes: { diet: null } });
  const path = await shop.ledger('host');
  const mergeId = await mergedFor(shop, host, guest);
  const moved = await say('POST', `/v1/customers/${host}/transitions`, { to: 'new', reason: 'own reason' });
  t.equal(moved.stage, 'new');
  t.equal((await step(() => undo(shop, host, mergeId))).statusCode, 200);
  t.same(
    await rows.query(
      'SELECT id FROM customer_attribute_facts WHERE customer_id = $1 AND value::text LIKE $2',
      [host, `%${GUEST.attribute}%`],
    ),
    [],
    'the undo takes back what the merge had written',
  );
  t.ok((await leaksOf(rows, NEEDLES)).includes(`transitions: ${GUEST.reason}`));
  t.equal((await step(() => inject('DELETE', `/v1/customers/${guest}`))).statusCode, 200);
  t.same(await leaksOf(rows, NEEDLES), []);
  const url = `/v1/customers/${host}/transitions?superseded=true&limit=200`;
  const ledger = (await inject('GET', url)).json().data;
  t.ok(
    ledger.some(({ reason }: { reason: string }) => reason === '[erased]'),
    'what was said of the guest is not',
  );
  t.ok(
    ledger.some(({ reason }: { reason: string }) => reason === 'own reason'),
    'what was said of the host is',
  );
  const kept = (await shop.ledger('host')).slice(0, path.length);
  t.same(
    kept.map(({ to, evidence }) => [to, evidence]),
    path.map(({ to, evidence }) => [to, evidence]),
  );
});

t.test('shadows and likely duplicates that were made of both keep nothing of the guest', async (t) => {
  const { shop, guest } = await openInn('shadowed');
  const { service } = shop;
  const { inject, services, clock } = service;
  const host = await shop.customer('host');
  await shop.post(orderOf('host', 'h1', '2026-02-03'));
  const looking = { stage: 'declining', when: { type: 'attribute', key: 'diet', exists: true } };
  const policy = { ...POLICY, rules: [looking, ...POLICY.rules] } as Policy;
  const [running, ended] = [uuidv7(), uuidv7()];
  for (const policyId of [running, ended]) await start(service, policyId, { policy });
  const work = async () => {
    clock.advance(120_000);
    await run(service);
    await services.duplicates.walkDue(clock.now());
  };
  await work();
  const mergeId = await mergedFor(shop, host, guest);
  // Which ends the hold of the guest's move, so that the attribute is looked at.
  await shop.post(orderOf('host', 'h2', shared.clock.now().toISOString()));
  await work();
  await end(service, 'stop', ended);
  const left = async () => {
    const ledger = await rows.query<{ entry: string }>(
      'SELECT l::text AS entry FROM shadow_transitions l WHERE customer_id = $1 ORDER BY policy_id, effective_at',
      [host],
    );
    const keys = await rows.query<{ entry: string }>(
      'SELECT k::text AS entry FROM duplicate_keys k WHERE customer_id = $1',
      [host],
    );
    return [ledger, keys].map((found) => found.map(({ entry }) => entry).join());
  };
  const [ledger, keys] = await left();
  for (const needle of [GUEST.attribute, GUEST.reason]) t.match(ledger, needle, 'it was there');
  t.match(keys, GUEST.email, 'it was there');
  t.equal((await undo(shop, host, mergeId)).statusCode, 200);
  // Before any job has run.
  t.equal((await inject('DELETE', `/v1/customers/${guest}`)).statusCode, 200);
  t.same(await leaksOf(rows, NEEDLES), []);
  await work();
  t.same(await leaksOf(rows, NEEDLES), []);
  const customers = async (policyId: string) =>
    (await inject('GET', `/v1/policies/${policyId}/shadow-report`)).json().customers;
  t.same([await customers(running), await customers(ended)], [2, 0]);
});

t.test('the data is followed through whoever the host was merged with meanwhile', async (t) => {
  const { shop, say, guest } = await openInn('far');
  const { inject } = shop.service;
  const [host, visitor, outer, later] = [
    await shop.customer('host'),
    await shop.customer('visitor'),
    await shop.customer('outer'),
    await shop.customer('later'),
  ];
  // With an e-mail of their own, so that what an answer shows of the guest is the rest.
  await say('PATCH', `/v1/customers/${host}`, { email: 'host@example.com' });
  await say('PATCH', `/v1/customers/${outer}`, { attributes: { diet: 'none' } });
  await say('PATCH', `/v1/customers/${outer}`, { attributes: { diet: null } });
  const inner = await mergedFor(shop, host, guest);
  const beside = await mergedFor(shop, host, visitor);
  await step(() => undo(shop, host, beside));
  const { id: above } = await say('POST', `/v1/customers/${outer}/merges`, { from: host }, 'above');
  await say('PATCH', `/v1/customers/${outer}`, { name: 'Outer' });
  t.equal((await step(() => undo(shop, outer, above))).statusCode, 200);
  t.equal((await step(() => undo(shop, host, inner))).statusCode, 200);
  const own = await mergedFor(shop, host, later);
  t.equal((await step(() => inject('DELETE', `/v1/customers/${guest}`))).statusCode, 200);
  t.same(await leaksOf(rows, NEEDLES), []);
  const body = { from: host };
  const headers = { 'idempotency-key': 'above' };
  t.match((await inject('POST', `/v1/customers/${outer}/merges`, { body, headers })).json(), {
    ...{ status: 409, code: 'customer_erased', customerId: guest },
  });
  t.equal((await step(() => undo(shop, host, own))).statusCode, 200, 'a merge of later keeps its copies');
});

t.test('lists do not look through one who was merged away', async (t) => {
  const { shop, say, guest } = await openInn('lists');
  const { inject, tenant } = shop.service;
  const host = await shop.customer('host');
  await rows.query(`INSERT INTO customer_predictions VALUES ($1, $2, now(), 1, 'bg', 0.5, 1, 1, 1)`, [
    tenant.id,
    guest,
  ]);
  await rows.query(`INSERT INTO customer_values VALUES ($1, $2, 'EUR', 1000, 500)`, [tenant.id, guest]);
  const left = async () => {
    const tables = ['customer_tags', 'customer_predictions', 'customer_values'];
    const counts = tables.map(async (table) => {
      const found = await rows.query(`SELECT 1 FROM ${table} WHERE customer_id = $1`, [guest]);
      return found.length;
    });
    return Promise.all(counts);
  };
  t.same(await left(), [1, 1, 1]);
  const mergeId = await mergedFor(shop, host, guest);
  t.same(await left(), [0, 0, 0]);
  await say('PATCH', `/v1/customers/${host}`, { name: 'Host' });
  t.equal((await step(() => undo(shop, host, mergeId))).statusCode, 200);
  t.same(await left(), [1, 0, 0], 'an undo puts the tags on again');
  const { data } = (await inject('GET', `/v1/customers?tag=${GUEST.tag}`)).json();
  t.match(data, [{ id: guest }]);
});
