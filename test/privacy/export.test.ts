// All that is held of a person, handed over: every kind of line, as many as the manifest says, however many there are
// and however slowly they are taken.

import { get } from 'node:http';
import t from 'tap';
import { v7 as uuidv7 } from 'uuid';
import { startService } from '../helpers/service.js';
import { merge, undo } from '../merges/twins.js';
import { openShop, orderOf, type Shop } from '../orders/shop.js';
import { openRows } from '../routes/rows.js';
import { beside } from '../shadows/beside.js';

const shared = await startService(t, { now: '2026-03-02T09:00:00.000Z' });
const rows = await openRows(t, shared);

interface Line {
  type: string;
  data: Record<string, never>;
}

const linesOf = (text: string): Line[] =>
  text
    .trimEnd()
    .split('\n')
    .map((each) => JSON.parse(each));

const countsOf = (manifest: Line | undefined): Record<string, number> => manifest?.data.counts ?? {};

async function somebody(slug: string, orders: number): Promise<{ shop: Shop; id: string }> {
  const shop = await openShop(shared, slug);
  const { inject } = shop.service;
  const body = { name: 'Ann', email: 'ann@example.com', tags: ['vip'], attributes: { size: 'M' } };
  const { id } = (await inject('PUT', '/v1/customers/ext:crm:ann', { body })).json();
  const other = await shop.customer('anna');
  const items = Array.from({ length: orders }, (_, n) => orderOf('ann', `o${n}`, '2026-01-01'));
  await shop.batch(items);
  await shop.post(orderOf('anna', 'other', '2026-01-02'));
  const touch = { channel: 'phone', direction: 'inbound', kind: 'call', note: 'a note' };
  await inject('POST', '/v1/touchpoints', { body: { customer: id, ...touch } });
  await inject('POST', `/v1/customers/${id}/transitions`, { body: { to: 'churned', reason: 'gone' } });
  shared.clock.advance(1_000);
  await merge(shop, id, other);
  return { shop, id };
}

t.test('there are as many lines of each kind as the manifest says', async (t) => {
  const { shop, id } = await somebody('export', 450);
  const answer = await shop.service.inject('GET', '/v1/customers/ext:crm:ann/export');
  t.equal(answer.statusCode, 200);
  t.match(answer.headers['content-type'], 'application/x-ndjson');
  const [manifest, ...lines] = linesOf(answer.body);
  const counts: Record<string, number> = {};
  for (const { type } of lines) counts[type] = (counts[type] ?? 0) + 1;
  const { profile, end, ...kinds } = counts;
  t.same([manifest?.type, profile, end], ['manifest', 1, 1]);
  const { shadowTransition, duplicatePair, ...stated } = countsOf(manifest);
  t.same([shadowTransition, duplicatePair], [0, 0]);
  t.same(kinds, stated);
  t.ok(
    Object.values(kinds).every((count) => count > 0),
    JSON.stringify(kinds),
  );
  t.equal(kinds.order, 451);
  t.equal(new Set(lines.filter(({ type }) => type === 'order').map(({ data }) => data.id)).size, 451);
  const of = (type: string) => lines.filter((each) => each.type === type).map(({ data }) => data);
  t.match(of('profile'), [{ id, name: 'Ann' }]);
  t.match(of('touchpoint'), [{ note: 'a note' }]);
  t.match(of('move'), [{ to: 'churned', reason: 'gone' }]);
  t.ok(
    of('transition').some(({ supersededAt }) => supersededAt !== null),
    'what was taken back as well',
  );
  t.ok(of('delivery').every(({ status }) => status === 'pending'));
  t.match(lines.at(-1), { type: 'end', data: { changed: false } });
});

const exported = async ({ service }: Shop, ref: string) =>
  linesOf((await service.inject('GET', `/v1/customers/${ref}/export`)).body);

t.test('shadows, likely duplicates and a merge that was undone are in it, and nobody else is', async (t) => {
  const { shop, id } = await somebody('whole', 1);
  const { inject, services } = shop.service;
  const guest = (
    await inject('PUT', '/v1/customers/ext:crm:guest', { body: { name: 'Ann', email: 'guest@example.com' } })
  ).json().id;
  await shop.post(orderOf('guest', 'g1', '2026-01-01'));
  await beside(shared).start(shop.service, uuidv7());
  await beside(shared).run(shop.service);
  shared.clock.advance(1_000);
  const mergeId = (await merge(shop, id, guest)).json().id;
  shared.clock.advance(1_000);
  await undo(shop, id, mergeId);
  shared.clock.advance(1_000);
  await rows.query('UPDATE duplicate_walks SET due_at = $1 WHERE tenant_id = $2', [
    shared.clock.now(),
    shop.service.tenant.id,
  ]);
  await inject('PATCH', `/v1/customers/${id}`, { body: { phone: '+4930231250' } });
  await inject('PATCH', `/v1/customers/${guest}`, { body: { phone: '+4930231251', name: 'Ann' } });
  await beside(shared).run(shop.service);
  await services.duplicates.walkDue(shared.clock.now());
  await rows.query(
    `INSERT INTO duplicate_pairs (tenant_id, id, first_id, second_id, reasons, score, found_at)
     VALUES ($1, $2, least($3::uuid, $4::uuid), greatest($3::uuid, $4::uuid), '{name}', 50, now())
     ON CONFLICT DO NOTHING`,
    [shop.service.tenant.id, uuidv7(), id, guest],
  );
  for (const [who, other] of [
    [id, 'guest@example.com'],
    [guest, 'ann@example.com'],
  ] as const) {
    const [manifest, ...lines] = await exported(shop, who);
    const count = (type: string) => lines.filter((each) => each.type === type).length;
    for (const [type, stated] of Object.entries(countsOf(manifest))) t.equal(count(type), stated, type);
    t.ok(count('shadowTransition') > 0);
    t.equal(count('duplicatePair'), 1);
    const found = lines.filter(({ type }) => type === 'merge').map(({ data }) => data);
    const line = found.find((each) => each.id === mergeId);
    t.match(line, { undoneAt: String, mergedId: guest });
    t.notMatch(JSON.stringify(line), new RegExp(other), 'without the copy of the other');
    t.match(JSON.stringify(line), who === id ? /ann@example/ : /guest@example/);
  }
});

t.test('what a shadow that was stopped before a merge says of one who was merged is in it', async (t) => {
  const shop = await openShop(shared, 'rested');
  const ann = await shop.customer('ann');
  const anna = await shop.customer('anna');
  const policyId = uuidv7();
  await beside(shared).start(shop.service, policyId);
  await beside(shared).run(shop.service);
  await beside(shared).end(shop.service, 'stop', policyId);
  shared.clock.advance(1_000);
  await merge(shop, ann, anna);
  const [manifest, ...lines] = await exported(shop, ann);
  const found = lines.filter(({ type }) => type === 'shadowTransition').map(({ data }) => data.customerId);
  t.same(found, [ann, anna]);
  t.equal(countsOf(manifest).shadowTransition, 2);
});

t.test('whatever they are known by is in it, however much that is', async (t) => {
  const { shop, id } = await somebody('known', 1);
  await rows.query(
    `INSERT INTO customer_identities (tenant_id, namespace, value, customer_id, created_at)
     SELECT $1, 'old', 'n' || n, $2, now() FROM generate_series(1, 450) n`,
    [shop.service.tenant.id, id],
  );
  const [manifest, ...lines] = await exported(shop, id);
  const ids = lines.filter(({ type }) => type === 'identity').map(({ data }) => JSON.stringify(data));
  t.equal(countsOf(manifest).identity, ids.length);
  t.ok(ids.length > 450);
  t.equal(new Set(ids).size, ids.length);
});

t.test('who takes it slowly is waited for, and who has had enough is let go', async (t) => {
  const { shop, id } = await somebody('slowly', 900);
  const url = await shop.service.listen();
  const text = await new Promise<string>((resolve, reject) => {
    const options = { headers: { authorization: `Bearer ${shop.service.key}` } };
    get(`${url}/v1/customers/${id}/export`, options, async (response) => {
      const chunks: Buffer[] = [];
      response.on('error', reject);
      for await (const chunk of response) chunks.push(chunk);
      resolve(Buffer.concat(chunks).toString());
    });
  });
  t.equal(linesOf(text).filter(({ type }) => type === 'order').length, 901);
  await new Promise<void>((resolve) => {
    const options = { headers: { authorization: `Bearer ${shop.service.key}` } };
    get(`${url}/v1/customers/${id}/export`, options, (response) => {
      response.once('data', () => {
        response.destroy();
        resolve();
      });
    });
  });
  t.equal(
    (await shop.service.inject('GET', `/v1/customers/${id}`)).statusCode,
    200,
    'and the service goes on',
  );
});

t.test('nobody is not handed over', async (t) => {
  const { shop, id } = await somebody('nobody', 1);
  const { inject } = shop.service;
  t.match((await inject('GET', '/v1/customers/ext:crm:nobody/export')).json(), {
    code: 'customer_not_found',
  });
  const { data } = (await inject('GET', `/v1/customers/${id}/merges`)).json();
  const gone = await inject('GET', `/v1/customers/${data[0].mergedId}/export`);
  t.match(gone.json(), { status: 404, code: 'customer_merged', mergedInto: id });
});
