// Lists of customers as they stood: pages, cursors, the filters that combine, and what is refused; over HTTP on
// a real Postgres.

import t from 'tap';
import { startLookingBack } from '../transitions/looking-back.js';

const { open } = await startLookingBack(t);

t.test('pages agree on an instant that was not said, whatever happens between them', async (t) => {
  const shop = await open('pages');
  for (const id of ['h1', 'h2', 'h3', 'h4', 'h5']) {
    shop.clock.advance(1_000);
    await shop.customer(id);
  }
  const asOf = shop.clock.now().toISOString();
  const names: string[] = [];
  let cursor: string | null = null;
  do {
    const more: Record<string, string> = cursor === null ? {} : { cursor };
    const page = (await shop.get('/v1/customers', { asOf, stage: 'prospect', limit: '2', ...more })).json();
    names.push(...page.data.map(({ name }: { name: string }) => name));
    cursor = page.nextCursor;
    shop.clock.advance(1_000);
    // Backdated: it changes what was as of then, but not what was known at the first page.
    await shop.order('h1', `h1-${names.length}`, '2026-03-01T00:00:00.000Z');
    await shop.customer(`late-${names.length}`);
  } while (cursor !== null);
  t.same(names, ['h5', 'h4', 'h3', 'h2', 'h1']);
  t.same(
    await shop.namesListed({ asOf, stage: 'prospect' }),
    ['h5', 'h4', 'h3', 'h2'],
    'a new first page knows better',
  );
});

t.test('a cursor belongs to its instants', async (t) => {
  const shop = await open('cursors');
  for (const id of ['i1', 'i2', 'i3']) await shop.customer(id);
  shop.clock.advance(1_000);
  const list = (params: Record<string, string>) => shop.get('/v1/customers', { limit: '1', ...params });
  const asOf = '2026-03-01T00:00:00Z';
  const { nextCursor } = (await list({ asOf })).json();
  const today = (await list({})).json().nextCursor;
  t.equal((await list({ asOf, cursor: nextCursor })).statusCode, 200);
  for (const params of [
    { cursor: nextCursor },
    { asOf: '2026-03-01T00:00:01Z', cursor: nextCursor },
    { asOf, knownAt: asOf, cursor: nextCursor },
    { asOf, stage: 'prospect', cursor: nextCursor },
    { asOf, cursor: today },
  ] as Record<string, string>[]) {
    const answer = await list(params);
    t.match(answer.json(), { status: 400, code: 'invalid_cursor', errors: [{ pointer: '/query/cursor' }] });
  }
});

t.test('profile filters combine with the past, and are those of today', async (t) => {
  const shop = await open('profiles');
  const body = {
    name: 'jo',
    owner: 'kim',
    channel: 'web',
    country: 'DE',
    kind: 'company',
    email: 'jo@example.com',
  };
  await shop.service.inject('POST', '/v1/customers', { body });
  await shop.customer('joe');
  shop.clock.set('2026-03-10T00:00:00.000Z');
  const asOf = '2026-03-02T00:00:00Z';
  const filters = [
    ...[{ owner: 'kim' }, { channel: 'web' }, { country: 'DE' }, { kind: 'company' }],
    ...[
      { email: 'JO@example.com' },
      { owner: 'kim', stage: 'prospect', createdFrom: '2026-03-01T00:00:00Z' },
    ],
  ] as Record<string, string>[];
  for (const filter of filters) {
    t.same(await shop.namesListed({ asOf, ...filter }), ['jo']);
  }
  t.same(await shop.listed({ asOf, createdTo: '2026-03-01T00:00:00Z' }), []);
});

t.test('what cannot be answered is refused where it is wrong', async (t) => {
  const shop = await open('refusals');
  await shop.customer('kai');
  const soon = '2026-03-01T00:00:00.001Z';
  const day = '2026-02-01T00:00:00Z';
  for (const [path, pointer] of [
    [`/v1/customers?asOf=${soon}`, '/query/asOf'],
    [`/v1/customers?asOf=${day}&knownAt=${soon}`, '/query/knownAt'],
    [`/v1/customers?asOf=yesterday`, '/query/asOf'],
    ...['stageSinceFrom', 'stageSinceTo', 'lastOrderFrom', 'lastOrderTo', 'reviewBefore'].map(
      (name) => [`/v1/customers?asOf=${day}&${name}=${day}`, `/query/${name}`] as const,
    ),
    [`/v1/customers/ext:crm:kai/stage?asOf=${soon}`, '/query/asOf'],
    [`/v1/customers/ext:crm:kai/stage?knownAt=${soon}`, '/query/knownAt'],
    [`/v1/stage-counts?asOf=${soon}`, '/query/asOf'],
    [`/v1/stage-counts?knownAt=${soon}`, '/query/knownAt'],
    [`/v1/stage-counts?to=${day}`, '/query/to'],
    [`/v1/stage-counts?step=day`, '/query/step'],
    [`/v1/stage-counts?from=${soon}`, '/query/from'],
    [`/v1/stage-counts?from=${day}&to=${soon}`, '/query/to'],
    [`/v1/stage-counts?from=${day}&to=2026-01-01T00:00:00Z`, '/query/from'],
    [`/v1/stage-counts?from=2020-01-01T00:00:00Z`, '/query/from'],
    [`/v1/stage-counts?from=2000-01-01T00:00:00Z&step=week`, '/query/step'],
    [`/v1/stage-counts?from=${day}&step=hour`, '/query/step'],
  ] as const) {
    const answer = await shop.get(path);
    t.match(answer.json(), { status: 400, errors: [{ pointer }] }, path);
  }
  const nobody = await shop.get(`/v1/customers/ext:crm:nobody/stage?asOf=${day}`);
  t.match(nobody.json(), { status: 404, code: 'customer_not_found' });
});
