import t from 'tap';
import { bearer, startFixture } from './http-fixture.js';

const json = { ...bearer, 'content-type': 'application/json' };

interface Fault {
  pointer: string;
  detail: string;
}

t.test('query parameters are converted where their schema says so, and nowhere else', async (t) => {
  const app = await startFixture(t);
  const list = async (query: string) => app.inject({ url: `/v1/things${query}`, headers: bearer });
  t.same((await list('?limit=5&open=true&tag=a&tag=b&q=7')).json().received, {
    limit: 5,
    open: true,
    tag: ['a', 'b'],
    q: '7',
  });
  t.same(
    (await list('?tag=one')).json().received,
    { tag: ['one'], limit: 50 },
    'one of many is a list; a default is set',
  );
  const refused: Record<string, string> = {
    'limit=5x': 'limit',
    'limit=1e1': 'limit',
    'limit=5.0': 'limit',
    'limit=%205': 'limit',
    'limit=': 'limit',
    'limit=0': 'limit',
    'limit=201': 'limit',
    'limit=-1': 'limit',
    'limit=05': 'limit',
    'limit=1&limit=1': 'limit',
    'open=1': 'open',
    'open=TRUE': 'open',
    'q=a&q=b': 'q',
    'unknown=1': 'unknown',
    '__proto__=1': '__proto__',
    'cursor=': 'cursor',
  };
  for (const [query, name] of Object.entries(refused)) {
    const response = await list(`?${query}`);
    t.equal(response.statusCode, 400, query);
    t.equal(response.json().errors[0].pointer, `/query/${name}`, query);
  }
});

t.test('a route without query parameters takes none', async (t) => {
  const app = await startFixture(t);
  const response = await app.inject({ url: '/v1/versioned?expand=all', headers: bearer });
  t.equal(response.statusCode, 400);
  t.same(response.json().errors, [{ pointer: '/query/expand', detail: 'is not a known field' }]);
});

t.test('path parameters are checked', async (t) => {
  const app = await startFixture(t);
  const get = (ref: string) => app.inject({ url: `/v1/things/${encodeURIComponent(ref)}`, headers: bearer });
  for (const ref of ['0190aaaa-0000-7000-8000-000000000000', 'ext:shop:1', `ext:shop:${'客/'.repeat(128)}`]) {
    const response = await get(ref);
    t.equal(response.statusCode, 200, ref);
    t.equal(response.json().received, ref);
  }
  const refused = await get('8812');
  t.equal(refused.statusCode, 400);
  t.same(refused.json().errors, [{ pointer: '/path/ref', detail: 'must be an id or ext:<namespace>:<id>' }]);
});

t.test('a body is told all its faults, each at its place', async (t) => {
  const app = await startFixture(t);
  const faults = async (body: object): Promise<Fault[]> => {
    const response = await app.inject({ method: 'POST', url: '/v1/things', headers: json, payload: body });
    t.equal(response.statusCode, 400, JSON.stringify(body));
    t.equal(response.json().code, 'invalid_request');
    return response.json().errors;
  };
  const lines = [{ sku: 'a', quantity: 0, 'a/b~c': 1 }, { sku: 'b' }];
  t.same(await faults({ lines, extra: true }), [
    { pointer: '/lines/0/quantity', detail: 'must be at least 1' },
    { pointer: '/lines/0/a~1b~0c', detail: 'is not a known field' },
    { pointer: '/lines/1/quantity', detail: 'is required' },
    { pointer: '/extra', detail: 'is not a known field' },
  ]);
  const single: [object, string, RegExp][] = [
    [{ amountMinor: '5' }, '/amountMinor', /integer/],
    [{ amountMinor: 1.5 }, '/amountMinor', /integer/],
    [{ amountMinor: -1 }, '/amountMinor', /at least 0/],
    [{ currency: 'XXX' }, '/currency', /permitted/],
    [{ currency: 'eur' }, '/currency', /permitted/],
    [{ owner: 3 }, '/owner', /must be a string or null/],
    [{ owner: 'me' }, '/owner', /valid uuid/],
    [{ email: 'not an address' }, '/email', /valid email/],
    [{ site: 'no/scheme' }, '/site', /valid uri/],
    [{ lines: {} }, '/lines', /an array/],
    [{ lines: new Array(6).fill({ sku: 'a', quantity: 1 }) }, '/lines', /at most 5 items/],
    [{ lines: [{ sku: 'a\u0007', quantity: 1 }] }, '/lines/0/sku', /control characters/],
    [{ lines: [{ sku: '', quantity: 1 }] }, '/lines/0/sku', /at least 1 character$/],
    [{ lines: [{ sku: '🙂'.repeat(11), quantity: 1 }] }, '/lines/0/sku', /at most 10 characters/],
  ];
  for (const [body, pointer, detail] of single) {
    const [fault, ...others] = await faults(body);
    t.equal(fault?.pointer, pointer, JSON.stringify(body));
    t.match(fault?.detail, detail, JSON.stringify(body));
    t.equal(others.length, 0, JSON.stringify(body));
  }
});

t.test('what fits arrives as it was sent: nothing is dropped, converted or filled in', async (t) => {
  const app = await startFixture(t, { checkResponses: true });
  const body = {
    customer: 'ext:shop:1',
    lines: [{ sku: '🙂'.repeat(10), quantity: 1000 }],
    placedAt: '2024-02-29T23:59:59.123456+14:00',
    amountMinor: Number.MAX_SAFE_INTEGER,
    currency: 'CLF',
    owner: null,
    email: 'a@example.com',
    site: 'https://example.com/a?b#c',
    when: { type: 'all', of: [{ type: 'all', of: [{ type: 'silence', days: 0.5 }] }] },
    attributes: { nested: { constructor: 'yes', list: [1, null, '\n'] } },
  };
  const response = await app.inject({ method: 'POST', url: '/v1/things', headers: json, payload: body });
  t.equal(response.statusCode, 201);
  t.same(response.json().received, body);
});

t.test('times must exist, and lie where a Date is exact', async (t) => {
  const app = await startFixture(t);
  const status = async (placedAt: string) =>
    (await app.inject({ method: 'POST', url: '/v1/things', headers: json, payload: { placedAt } }))
      .statusCode;
  const good = [
    '1970-01-01T00:00:00Z',
    '2000-02-29T12:00:00.5Z',
    '2024-12-31T23:59:59-00:00',
    '2099-12-31T23:59:59.999Z',
  ];
  const bad = [
    '2024-02-30T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2024-00-01T00:00:00Z',
    '2024-04-31T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2016-12-31T23:59:60Z',
    '2024-01-01T00:00:00',
    '2024-01-01 00:00:00Z',
    '2024-01-01t00:00:00z',
    '2024-01-01T00:00:00+24:00',
    '2024-01-01T00:00:00Z[UTC]',
    '2024-01-01',
    '1969-12-31T23:59:59Z',
    '2100-01-01T00:00:00Z',
    '+002024-01-01T00:00:00Z',
  ];
  for (const time of good) t.equal(await status(time), 201, time);
  for (const time of bad) t.equal(await status(time), 400, time);
});

t.test('a union is judged by the branch that was meant, at any depth', async (t) => {
  const app = await startFixture(t);
  const faults = async (when: unknown) =>
    (await app.inject({ method: 'POST', url: '/v1/things', headers: json, payload: { when } })).json().errors;
  const all = (...of: unknown[]) => ({ type: 'all', of });
  t.same(await faults(all(all({ type: 'silence', days: 0, weeks: 1 }))), [
    { pointer: '/when/of/0/of/0/days', detail: 'must be more than 0' },
    { pointer: '/when/of/0/of/0/weeks', detail: 'is not a known field' },
  ]);
  t.same(await faults({ type: 'noise' }), [
    { pointer: '/when/type', detail: 'must be one of "silence", "all"' },
  ]);
  t.same(await faults({}), [{ pointer: '/when/type', detail: 'is required' }]);
  t.same(await faults('silence'), [{ pointer: '/when', detail: 'must be an object' }]);
});

t.test('a body is required where there is a schema, and refused where there is none', async (t) => {
  const app = await startFixture(t);
  const post = (url: string, payload?: string) =>
    app.inject({ method: 'POST', url, headers: payload === undefined ? bearer : json, payload });
  for (const payload of [undefined, '']) {
    const response = await post('/v1/things', payload);
    t.equal(response.statusCode, 400);
    t.equal(response.json().code, 'body_required');
  }
  t.equal((await post('/v1/things', 'null')).json().code, 'body_required', 'null says as little');
  for (const payload of [undefined, '', '{}'])
    t.equal((await post('/v1/things/a/close', payload)).statusCode, 200);
  for (const payload of ['{"reason":"x"}', '[1]', '"x"', '7']) {
    t.equal((await post('/v1/things/a/close', payload)).json().code, 'unexpected_body', payload);
  }
});
