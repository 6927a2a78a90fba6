// What an endpoint can be told to be: its filter, order, rate, headers and metadata.

import t from 'tap';
import { startService } from '../helpers/service.js';

const PATH = '/v1/webhook-endpoints';
const URL = 'https://partner.example.com/hook';
const FILTER = {
  all: [
    { field: 'country', op: 'in', values: ['DE', 'AT'] },
    { not: { field: 'stage', op: 'eq', value: 'prospect' } },
  ],
};

t.test('the fields of an endpoint', async (t) => {
  const service = await startService(t);
  const make = (body: object) => service.inject('POST', PATH, { body: { url: URL, ...body } });
  const fields = {
    filter: FILTER,
    ordering: 'per_customer',
    rateLimitPerS: 20,
    headers: { Authorization: 'Bearer abc', 'X-Team': 'growth' },
    metadata: { crm: '17', note: 'ä' },
  };

  await t.test('they are kept, shown and listed, header names in lower case', async (t) => {
    const made = await make(fields);
    t.equal(made.statusCode, 201, made.body);
    const expected = { ...fields, headers: { authorization: 'Bearer abc', 'x-team': 'growth' } };
    t.match(made.json(), expected);
    const { id } = made.json();
    t.match((await service.inject('GET', `${PATH}/${id}`)).json(), expected);
    const listed = (await service.inject('GET', PATH)).json().data;
    t.match(
      listed.find((one: { id: string }) => one.id === id),
      expected,
    );
    const plain = (await make({})).json();
    const nothing = { filter: null, ordering: 'none', rateLimitPerS: null, headers: {}, metadata: {} };
    t.match(plain, nothing);
  });

  await t.test('a patch merges headers and metadata, replaces a filter, and null clears', async (t) => {
    const { id } = (await make(fields)).json();
    const patch = async (body: object) => (await service.inject('PATCH', `${PATH}/${id}`, { body })).json();
    const same = await patch({ filter: FILTER, metadata: { crm: '17' }, headers: { 'X-TEAM': 'growth' } });
    t.equal(same.version, 1, 'what says the same changes nothing');
    const merged = await patch({ headers: { 'x-team': null, 'x-new': '1' }, metadata: { note: null } });
    t.same(merged.headers, { authorization: 'Bearer abc', 'x-new': '1' });
    t.same(merged.metadata, { crm: '17' });
    const other = { field: 'kind', op: 'eq', value: 'company' };
    t.same((await patch({ filter: other })).filter, other);
    const cleared = await patch({ filter: null, rateLimitPerS: null, headers: null, ordering: 'none' });
    t.match(cleared, {
      filter: null,
      rateLimitPerS: null,
      headers: {},
      ordering: 'none',
      metadata: { crm: '17' },
    });
    t.equal(cleared.version, 4);
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`x-${i}`, '1']));
    const refused = await service.inject('PATCH', `${PATH}/${id}`, { body: { headers: many } });
    t.match(refused.json(), { status: 400, errors: [{ pointer: '/headers' }] });
  });

  await t.test('what no endpoint can be is refused where it is said', async (t) => {
    const refused = async (body: object, status: number, pointer: string) => {
      const response = await make(body);
      t.equal(response.statusCode, status, `${JSON.stringify(body)} ${response.body}`);
      const pointers = response.json().errors.map((fault: { pointer: string }) => fault.pointer);
      t.ok(pointers.includes(pointer), `${JSON.stringify(body)}: ${pointers}`);
    };
    await refused({ headers: { 'Webhook-Id': 'x' } }, 400, '/headers/Webhook-Id');
    await refused({ headers: { 'perennial-replay': 'x' } }, 400, '/headers/perennial-replay');
    await refused({ headers: { host: 'other.example.com' } }, 400, '/headers/host');
    await refused({ headers: { Cookie: 'a=b' } }, 400, '/headers/Cookie');
    await refused({ headers: { 'x-a': '1', 'X-A': '2' } }, 400, '/headers/X-A');
    await refused({ headers: { 'x a': '1' } }, 400, '/headers/x a');
    await refused({ headers: { 'x-a': 'one\r\ntwo' } }, 400, '/headers/x-a');
    await refused({ headers: { 'x-a': 'ä' } }, 400, '/headers/x-a');
    await refused({ headers: { 'x-a': 'x'.repeat(1_025) } }, 400, '/headers/x-a');
    await refused({ metadata: { a: 1 } }, 400, '/metadata/a');
    await refused({ rateLimitPerS: 0 }, 400, '/rateLimitPerS');
    await refused({ rateLimitPerS: 1_001 }, 400, '/rateLimitPerS');
    await refused({ ordering: 'strict' }, 400, '/ordering');
    await refused({ filter: { all: [] } }, 400, '/filter/all');
    await refused({ filter: { field: 'stage', op: 'like', value: 'x' } }, 400, '/filter/op');
    await refused({ filter: { field: 'mood', op: 'eq', value: 'x' } }, 422, '/filter/field');
    await refused({ filter: { any: [{ field: 'stage', op: 'eq', value: 1 }] } }, 422, '/filter/any/0/value');
  });
});

t.test('an endpoint hears of what its filter lets through', async (t) => {
  const service = await startService(t);
  const listening = async (filter: object | null, more: object = {}) => {
    const made = await service.inject('POST', PATH, { body: { url: URL, filter, ...more } });
    t.equal(made.statusCode, 201, made.body);
    return made.json().id as string;
  };
  const heard = async (id: string): Promise<string[]> => {
    const { data } = (await service.inject('GET', `${PATH}/${id}/deliveries?limit=200`)).json();
    return data.map((one: { eventType: string }) => one.eventType).sort();
  };
  const all = await listening(null);
  const german = await listening({ field: 'country', op: 'eq', value: 'DE' });
  const gold = await listening({
    all: [
      { field: 'attributes.tier', op: 'eq', value: 'gold' },
      { field: 'attributes.points', op: 'gte', value: 10 },
    ],
  });
  const large = await listening({ field: 'amountMinor', op: 'gte', value: 5_000, currency: 'EUR' });
  const vip = await listening({ field: 'tag', op: 'in', values: ['vip', 'friend'] });
  const becameNew = await listening({
    all: [
      { field: 'previousStage', op: 'eq', value: 'prospect' },
      { field: 'stage', op: 'eq', value: 'new' },
    ],
  });
  const notGerman = await listening(
    { not: { field: 'country', op: 'eq', value: 'DE' } },
    { eventTypes: ['order.*'] },
  );

  const customer = async (body: object) =>
    (await service.inject('POST', '/v1/customers', { body })).json().id;
  const order = (of: string, amountMinor: number, currency: string) =>
    service.inject('POST', '/v1/orders', {
      body: { customer: of, placedAt: service.clock.now().toISOString(), amountMinor, currency },
    });
  const anna = await customer({ name: 'Anna', country: 'DE', attributes: { tier: 'gold', points: 10 } });
  const bert = await customer({
    name: 'Bert',
    country: 'AT',
    tags: ['early', 'vip'],
    attributes: { tier: ['gold', 'new'], points: 9 },
  });
  service.clock.advance(1_000);
  await order(anna, 5_000, 'EUR');
  await order(bert, 9_000, 'USD');

  const ofOne = ['customer.created', 'customer.stage_changed', 'customer.stage_changed', 'order.recorded'];
  t.same(await heard(all), [...ofOne, ...ofOne].sort());
  t.same(await heard(german), ofOne);
  t.same(await heard(gold), ofOne);
  t.same(await heard(vip), ofOne);
  t.same(await heard(large), ['order.recorded']);
  t.same(await heard(becameNew), ['customer.stage_changed', 'customer.stage_changed']);
  t.same(await heard(notGerman), ['order.recorded']);

  await service.inject('PATCH', `${PATH}/${german}`, { body: { filter: null } });
  await order(bert, 1_000, 'EUR');
  t.equal((await heard(german)).length, ofOne.length + 1, 'a change holds for what happens from then on');
});
