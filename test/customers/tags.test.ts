// Tags: their normal form, and over HTTP on a real Postgres how they are put on, taken off, listed by and told.

import t from 'tap';
import { checkedTags, normalTag, tagChanges } from '../../src/customers/tags.js';
import type { Fault } from '../../src/errors.js';
import { startService } from '../helpers/service.js';
import { eventsOf, factsOf } from './tables.js';

const service = await startService(t);
const { inject, clock } = service;

const COMPOSED = 'caf\u00e9';
const DECOMPOSED = 'cafe\u0301';
const UNKNOWN = '018f0000-0000-7000-8000-000000000001';

async function create(body: object = {}) {
  return (await inject('POST', '/v1/customers', { body })).json();
}

async function list(query: Record<string, string>): Promise<{ ids: string[]; nextCursor: string | null }> {
  const answer = await inject('GET', `/v1/customers?${new URLSearchParams(query)}`);
  const { data, nextCursor } = answer.json();
  return { ids: data.map(({ id }: { id: string }) => id), nextCursor };
}

const tagUrl = (ref: string, tag: string) => `/v1/customers/${ref}/tags/${encodeURIComponent(tag)}`;

t.test('a tag is trimmed and composed, and bounded in its normal form too', async (t) => {
  t.equal(normalTag(`\u3000 ${DECOMPOSED} \u00a0`), COMPOSED);
  t.equal(normalTag('VIP 会员'), 'VIP 会员');
  // One of the characters that composing takes apart.
  t.equal(normalTag('\u0958'.repeat(32))?.length, 64);
  t.equal(normalTag('\u0958'.repeat(33)), undefined);
  const faults: Fault[] = [];
  t.strictSame(checkedTags(['b', 'a', ' b', '\u0958'.repeat(33)], faults), ['a', 'b']);
  t.match(faults, [{ pointer: '/tags/3' }]);
  t.strictSame(tagChanges(['a', 'b'], ['b', 'c']), { added: ['c'], removed: ['a'] });
});

t.test('a customer begins with tags, an upsert adds to them, a patch replaces them', async (t) => {
  const url = '/v1/customers/ext:shop:tagged';
  const created = (await inject('PUT', url, { body: { tags: ['vip', DECOMPOSED, ' vip '] } })).json();
  t.strictSame(created.tags, [COMPOSED, 'vip']);
  clock.advance(1_000);
  const added = (await inject('PUT', url, { body: { tags: ['会员'] } })).json();
  t.strictSame(added.tags, [COMPOSED, 'vip', '会员']);
  t.strictSame((await inject('PUT', url, { body: { name: 'Ann' } })).json().tags, added.tags);
  clock.advance(1_000);
  t.strictSame((await inject('PATCH', url, { body: { tags: ['vip', 'new'] } })).json().tags, ['new', 'vip']);
  t.strictSame((await inject('PATCH', url, { body: { name: 'Bea' } })).json().tags, ['new', 'vip']);
  clock.advance(1_000);
  t.strictSame((await inject('PATCH', url, { body: { tags: null } })).json().tags, []);
  t.strictSame((await inject('GET', url)).json().tags, []);
  const updates = (await eventsOf(service, created.id)).filter(({ type }) => type === 'customer.updated');
  t.strictSame(
    updates.map(({ previous, data }) => [previous?.tags, (data.customer as { tags: string[] }).tags]),
    [
      [[COMPOSED, 'vip'], added.tags],
      [undefined, added.tags],
      [added.tags, ['new', 'vip']],
      [undefined, ['new', 'vip']],
      [['new', 'vip'], []],
    ],
  );
});

t.test('one tag is put on and taken off, and a repeat changes nothing', async (t) => {
  const { id, version } = await create({ tags: ['vip'] });
  const first = await inject('PUT', tagUrl(id, ` ${DECOMPOSED}/a`));
  t.equal(first.statusCode, 200);
  t.strictSame(first.json().tags, [`${COMPOSED}/a`, 'vip']);
  t.equal(first.json().version > version, true);
  t.equal(first.headers.etag, `"${first.json().version}"`);
  t.strictSame((await inject('PUT', tagUrl(id, `${COMPOSED}/a`))).json(), first.json());
  const removed = await inject('DELETE', tagUrl(id, 'vip'));
  t.strictSame(removed.json().tags, [`${COMPOSED}/a`]);
  t.strictSame((await inject('DELETE', tagUrl(id, 'vip'))).json(), removed.json());
  t.equal((await eventsOf(service, id)).length, 4, 'two of creation, two of changes');
});

t.test('If-Match holds for tags as for every change', async (t) => {
  const { id, version } = await create();
  const asked = (expected: number) => ({ headers: { 'if-match': `"${expected}"` } });
  const put = await inject('PUT', tagUrl(id, 'vip'), asked(version));
  t.equal(put.statusCode, 200);
  for (const method of ['PUT', 'DELETE'] as const) {
    t.equal((await inject(method, tagUrl(id, 'vip'), asked(version))).statusCode, 412);
  }
  t.equal((await inject('DELETE', tagUrl(id, 'vip'), asked(put.json().version))).statusCode, 200);
});

t.test('what is put on and taken off is dated', async (t) => {
  const { id, createdAt } = await create({ country: 'DE', tags: ['vip'] });
  clock.advance(60_000);
  await inject('PATCH', `/v1/customers/${id}`, { body: { country: 'AT', tags: ['late'] } });
  const then = clock.now().toISOString();
  clock.advance(60_000);
  await inject('DELETE', tagUrl(id, 'late'));
  t.strictSame(await factsOf(service, id), [
    { field: 'country', value: 'DE', at: createdAt },
    { field: 'tag:vip', value: true, at: createdAt },
    { field: 'country', value: 'AT', at: then },
    { field: 'tag:late', value: true, at: then },
    { field: 'tag:vip', value: false, at: then },
    { field: 'tag:late', value: false, at: clock.now().toISOString() },
  ]);
});

t.test('customers are listed by a tag, newest first, page by page, with other filters', async (t) => {
  const ids: string[] = [];
  for (let number = 0; number < 5; number++) {
    clock.advance(1_000);
    const owner = number % 2 === 0 ? 'kim' : 'lee';
    ids.unshift((await create({ tags: ['listed', DECOMPOSED], owner })).id);
    await create({ tags: ['other'] });
  }
  t.strictSame(await list({ tag: 'listed' }), { ids, nextCursor: null });
  t.strictSame((await list({ tag: 'listed', owner: 'lee' })).ids, [ids[1], ids[3]]);
  t.strictSame((await list({ tag: 'listed', stage: 'prospect' })).ids, ids);
  t.strictSame((await list({ tag: ` ${COMPOSED}`, owner: 'lee' })).ids, [ids[1], ids[3]]);
  const walked: string[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = await list({ tag: 'listed', limit: '2', ...(cursor === '' ? {} : { cursor }) });
    walked.push(...page.ids);
    cursor = page.nextCursor;
  }
  t.strictSame(walked, ids);
  await inject('DELETE', tagUrl(ids[2] ?? '', 'listed'));
  t.notOk((await list({ tag: 'listed' })).ids.includes(ids[2] ?? ''));
  t.strictSame((await list({ tag: 'nobody has it' })).ids, []);
});

t.test('a batch tags many, and what its items take back is no change', async (t) => {
  const item = (id: string, tags: string[]) => ({ externalIds: [{ namespace: 'batch', id }], tags });
  const items = [item('1', ['b1']), item('2', ['b1', 'b2']), item('1', ['b3']), item('3', ['x', 'x'])];
  const answer = await inject('POST', '/v1/customers/batch', { body: { items } });
  t.strictSame(
    answer.json().results.map(({ status }: { status: number }) => status),
    [201, 201, 200, 201],
  );
  t.strictSame((await inject('GET', '/v1/customers/ext:batch:1')).json().tags, ['b1', 'b3']);
  t.equal((await list({ tag: 'b1' })).ids.length, 2);
  const again = await inject('POST', '/v1/customers/batch', { body: { items: [item('2', ['b2'])] } });
  t.equal(again.json().results[0].status, 200);
  const { id } = (await inject('GET', '/v1/customers/ext:batch:2')).json();
  t.equal((await eventsOf(service, id)).length, 2, 'nothing was told of it');
});

t.test('an order brings its customer’s tags along', async (t) => {
  const customer = { externalIds: [{ namespace: 'shop', id: 'brought' }], tags: ['from the shop'] };
  const order = { customer, placedAt: clock.now().toISOString(), amountMinor: 100, currency: 'EUR' };
  const line = { product: 'p', category: 'c', quantity: 1, unitPriceMinor: 100 };
  const answer = await inject('POST', '/v1/orders', { body: { ...order, lines: [line] } });
  t.equal(answer.statusCode, 201);
  const read = (await inject('GET', '/v1/customers/ext:shop:brought')).json();
  t.match(read, { tags: ['from the shop'], stage: 'new' });
});

t.test('bad tags are refused where they stand, and nothing is changed', async (t) => {
  const { id } = await create({ tags: Array.from({ length: 49 }, (_, index) => `t${index}`) });
  const before = (await inject('GET', `/v1/customers/${id}`)).json();
  const many = Array.from({ length: 51 }, (_, index) => `m${index}`);
  const cases: [unknown, string][] = [
    [['ok', ''], '/tags/1'],
    [['\u3000 '], '/tags/0'],
    [['a\nb'], '/tags/0'],
    [['x'.repeat(65)], '/tags/0'],
    [['ok', '\u0958'.repeat(33)], '/tags/1'],
    [[5], '/tags/0'],
    ['vip', '/tags'],
    [many, '/tags'],
  ];
  for (const [tags, pointer] of cases) {
    const refused = await inject('PATCH', `/v1/customers/${id}`, { body: { tags } });
    t.equal(refused.statusCode, 400, pointer);
    t.match(refused.json(), { errors: [{ pointer }] });
  }
  const sum = await inject('PUT', `/v1/customers/${id}`, { body: { tags: ['one', 'two'] } });
  t.match([sum.statusCode, sum.json()], [400, { errors: [{ pointer: '/tags' }] }]);
  t.equal((await inject('PUT', tagUrl(id, 'fiftieth'))).statusCode, 200);
  await inject('DELETE', tagUrl(id, 'fiftieth'));
  for (const [tag, pointer] of [
    [' ', '/path/tag'],
    ['\u0958'.repeat(33), '/path/tag'],
  ] as const) {
    const refused = await inject('PUT', tagUrl(id, tag));
    t.match([refused.statusCode, refused.json()], [400, { errors: [{ pointer }] }]);
  }
  t.match((await inject('GET', `/v1/customers?tag=${encodeURIComponent('\u0958'.repeat(33))}`)).json(), {
    errors: [{ pointer: '/query/tag' }],
  });
  t.equal((await inject('PUT', tagUrl(UNKNOWN, 'vip'))).statusCode, 404);
  const after = (await inject('GET', `/v1/customers/${id}`)).json();
  t.strictSame(after.tags, before.tags);
});
