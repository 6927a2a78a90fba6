// Customers who may be one, over HTTP: by what they are found, how likely that is, and that they are found no more once
// somebody has said otherwise, or they have changed.

import t from 'tap';
import { startService, type TestService } from '../helpers/service.js';
import { openRows } from '../routes/rows.js';

const shared = await startService(t, { now: '2026-03-02T09:00:00.000Z' });
const rows = await openRows(t, shared);

interface Pair {
  id: string;
  score: number;
  reasons: string[];
  customers: { id: string }[];
}

async function create(service: TestService, bodies: object[]): Promise<string[]> {
  const ids: string[] = [];
  for (const body of bodies) {
    const made = await service.inject('POST', '/v1/customers', { body });
    if (made.statusCode !== 201) throw new Error(made.body);
    ids.push(made.json().id);
  }
  return ids;
}

async function found(service: TestService): Promise<Pair[]> {
  service.clock.advance(120_000);
  while ((await service.services.duplicates.walkDue(service.clock.now())).more) {
    // One run after the other.
  }
  return (await service.inject('GET', '/v1/customers/duplicates')).json().data;
}

const address = (street: string, postcode: string) => ({ attributes: { street, postcode } });
const crm = (namespace: string, id: string) => ({ externalIds: [{ namespace, id }] });

for (const [what, first, second, reasons] of [
  ['case', { email: 'Ann@Example.com' }, { email: 'ann+shop@example.com' }, ['email']],
  ['dots at one provider', { email: 'ann.lee@gmail.com' }, { email: 'annlee@googlemail.com' }, ['email']],
  ['an e-mail as an id', { email: 'a.b@gmail.com' }, crm('login', 'ab@gmail.com'), ['email']],
  ['a number of two countries', { phone: '+4915112345678' }, { phone: '+4315112345678' }, ['phone']],
  ['an id in two namespaces', crm('shopify', 'U-778123'), crm('crm', 'u-778123'), ['identity']],
  [
    'names in another order',
    { name: 'Ann Lee', country: 'DE', ...address('Gartenstraße 5', '53111') },
    { name: 'Lee, Ann', country: 'DE', ...address('Gartenstr. 5', '53111') },
    ['name_and_address'],
  ],
  [
    'names with a slip',
    { name: 'Katharina Schneider', ...address('Am Ring 1', '1010') },
    { name: 'Katarina Schneider', ...address('Am Ring 1', '1010') },
    ['name_and_address'],
  ],
  [
    'Chinese names',
    { name: '李 娜', country: 'CN', attributes: { address: '文三路 90 号', city: '杭州' } },
    { name: '李娜', country: 'CN', attributes: { address: '文三路90号', city: '杭州' } },
    ['name_and_address'],
  ],
  [
    'all of it',
    { name: 'Bo', email: 'bo@gmail.com', ...address('Way 1', '1'), ...crm('a', 'abcdef') },
    { name: 'Bo', email: 'b.o@gmail.com', ...address('Way 1', '1'), ...crm('b', 'abcdef') },
    ['email', 'identity', 'name_and_address'],
  ],
] as const) {
  t.test(`the same by ${what}`, async (t) => {
    const service = await shared.forTenant(`same-${what.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`);
    const ids = await create(service, [first, second, { name: 'Somebody Else', email: 'else@example.com' }]);
    const pairs = await found(service);
    t.equal(pairs.length, 1);
    t.same(pairs[0]?.reasons, reasons);
    t.same(pairs[0]?.customers.map(({ id }) => id).sort(), ids.slice(0, 2).sort());
  });
}

t.test('who only has something in common is not found', async (t) => {
  const service = await shared.forTenant('different');
  await create(service, [
    { name: 'Ann Lee', ...address('Way 1', '53111') },
    { name: 'Tom Lee', ...address('Way 1', '53111') },
    { name: 'Ann Lee', ...address('Way 2', '53111') },
    { name: 'Ann Lee', country: 'DE' },
    { email: 'ann.lee@example.com' },
    { email: 'annlee@example.com' },
    crm('a', '12345'),
    crm('b', '12345'),
  ]);
  t.same(await found(service), []);
});

t.test('the likeliest come first, page by page', async (t) => {
  const service = await shared.forTenant('pages');
  await create(service, [
    ...[1, 2, 3].map((n) => ({ email: `ann+${n}@example.com` })),
    ...[{ phone: '+4915112345678' }, { phone: '+4315112345678' }],
  ]);
  const pairs = await found(service);
  t.same(
    pairs.map(({ score }) => score),
    [90, 90, 90, 60],
  );
  const seen: Pair[] = [];
  let cursor = '';
  do {
    const page = (await service.inject('GET', `/v1/customers/duplicates?limit=1${cursor}`)).json();
    seen.push(...page.data);
    cursor = page.nextCursor === null ? '' : `&cursor=${page.nextCursor}`;
  } while (cursor !== '');
  t.same(seen, pairs);
});

t.test('a pair that was dismissed stays away, one that has changed goes', async (t) => {
  const service = await shared.forTenant('dismissed');
  const { inject } = service;
  const [ann = '', other = ''] = await create(service, [
    ...[{ email: 'ann+1@example.com' }, { email: 'ann+2@example.com' }],
    ...[{ phone: '+4915112345678' }, { phone: '+4315112345678' }],
  ]);
  const [likely, lesser] = await found(service);
  const dismissed = await inject('POST', `/v1/customers/duplicates/${likely?.id}/dismiss`);
  t.equal(dismissed.statusCode, 200);
  t.same(dismissed.json().customerIds.sort(), [ann, other].sort());
  await inject('PATCH', `/v1/customers/${ann}`, { body: { name: 'Ann' } });
  t.same(
    (await found(service)).map(({ id }) => id),
    [lesser?.id],
  );
  const { data } = (await inject('GET', '/v1/customers?phone=%2B4315112345678')).json();
  await inject('PATCH', `/v1/customers/${data[0].id}`, { body: { phone: null } });
  t.same(await found(service), []);
  const again = await inject('POST', `/v1/customers/duplicates/${likely?.id}/dismiss`);
  t.equal(again.json().dismissedAt, dismissed.json().dismissedAt);
  t.equal((await inject('POST', `/v1/customers/duplicates/${ann}/dismiss`)).statusCode, 404);
});

t.test('who was merged or erased is nobody’s duplicate', async (t) => {
  const service = await shared.forTenant('gone');
  const { inject } = service;
  const [one, two, three] = await create(
    service,
    [1, 2, 3].map((n) => ({ email: `quirina+${n}@example.com` })),
  );
  t.equal((await found(service)).length, 3);
  await inject('POST', `/v1/customers/${one}/merges`, { body: { from: two } });
  t.equal((await inject('GET', '/v1/customers/duplicates')).json().data.length, 1, 'from then on');
  t.equal((await found(service)).length, 1);
  await inject('DELETE', `/v1/customers/${three}`);
  await inject('DELETE', `/v1/customers/${one}`);
  t.same(await found(service), []);
  const keys = await rows.query('SELECT * FROM duplicate_keys WHERE tenant_id = $1', [service.tenant.id]);
  t.same(keys, []);
});

t.test('a walk over many is taken in bounded steps, and finds nothing twice', async (t) => {
  const service = await shared.forTenant('many');
  const items = Array.from({ length: 900 }, (_, n) => ({
    externalIds: [{ namespace: 'n', id: `${n}` }],
    email: `person${n % 450}+${n}@example.com`,
  }));
  await service.inject('POST', '/v1/customers/batch', { body: { items } });
  await found(service);
  const count = () =>
    rows.query('SELECT count(*)::int AS count FROM duplicate_pairs WHERE tenant_id = $1', [
      service.tenant.id,
    ]);
  t.same(await count(), [{ count: 450 }]);
  const again = await service.services.duplicates.walkDue(new Date(service.clock.now().getTime() + 120_000));
  t.equal(again.customers, 0);
});

t.test('of one whom everybody may be, the likeliest are kept', async (t) => {
  const service = await shared.forTenant('hub');
  const people = Array.from({ length: 130 }, (_, n) => ({ email: `hub+${n}@gmail.com` }));
  const hub = { ...people[0], phone: '+4915112345678' };
  const [first] = await create(service, [hub, ...people.slice(1)]);
  const sizes = () =>
    rows.query<{ size: number }>(
      `SELECT count(*)::int AS size FROM duplicate_pairs p, unnest(ARRAY[first_id, second_id]) AS c(id)
        WHERE tenant_id = '${service.tenant.id}' GROUP BY c.id ORDER BY size DESC`,
    );
  await found(service);
  t.equal((await sizes())[0]?.size, 100);
  const [late] = await create(service, [{ email: 'hub+late@gmail.com', phone: '+4315112345678' }]);
  const [likeliest] = await found(service);
  t.same(
    likeliest?.customers.map(({ id }) => id),
    [first, late],
    'one who comes later and is likelier takes the place of another',
  );
  t.equal((await sizes())[0]?.size, 100);
});
