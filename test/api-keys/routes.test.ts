import pg from 'pg';
import t from 'tap';
import { SCOPES } from '../../src/context.js';
import { ADMIN_KEY, startService } from '../helpers/service.js';

const DAY_MS = 86_400_000;

/** Each test has a tenant of its own. */
const shared = await startService(t);

t.test('a key is made, works, and shows its secret once', async (t) => {
  const service = await shared.forTenant('keys-1');
  const body = { name: 'Shop', scopes: ['api_keys:read', 'customers:read'] };
  const made = await service.inject('POST', '/v1/api-keys', { body });
  t.equal(made.statusCode, 201);
  t.equal(made.headers['cache-control'], 'no-store', 'no cache may keep a secret');
  const { secret, ...shown } = made.json();
  t.match(secret, /^pk_[0-9A-Za-z]{43}$/);
  t.match(shown, {
    version: 1,
    name: 'Shop',
    hint: secret.slice(-4),
    scopes: ['customers:read', 'api_keys:read'],
    createdAt: service.clock.now().toISOString(),
    expiresAt: null,
    revokedAt: null,
  });
  const read = await service.inject('GET', `/v1/api-keys/${shown.id}`, { key: secret });
  t.equal(read.statusCode, 200, 'the new key may be used');
  t.same(read.json(), shown, 'and what it shows is the key without its secret');
  t.equal(read.headers.etag, '"1"');
  const again = await service.inject('GET', `/v1/api-keys/${shown.id}`, {
    headers: { 'if-none-match': '"1"' },
  });
  t.equal(again.statusCode, 304);
  const stored = await rawRows(service.databaseUrl, 'SELECT * FROM api_keys');
  t.notMatch(JSON.stringify(stored), secret, 'the secret is kept nowhere');
});

t.test('a key gets no scope that its maker lacks', async (t) => {
  const service = await shared.forTenant('keys-2');
  const scopes = ['api_keys:write', 'orders:read'];
  const maker = (await service.inject('POST', '/v1/api-keys', { body: { name: 'maker', scopes } })).json()
    .secret;
  const make = (wanted: string[]) =>
    service.inject('POST', '/v1/api-keys', { key: maker, body: { name: 'made', scopes: wanted } });
  t.equal((await make(['orders:read'])).statusCode, 201);
  const refused = await make(['orders:read', 'orders:write', 'customers:read']);
  t.equal(refused.statusCode, 403);
  t.match(refused.json(), { code: 'scope_not_held', detail: /orders:write, customers:read/ });
});

const BAD_BODIES: [what: string, body: unknown, pointer: string][] = [
  ['no name', { scopes: ['orders:read'] }, '/name'],
  ['an empty name', { name: '', scopes: ['orders:read'] }, '/name'],
  ['no scopes', { name: 'x' }, '/scopes'],
  ['an empty list of scopes', { name: 'x', scopes: [] }, '/scopes'],
  ['an unknown scope', { name: 'x', scopes: ['orders:read', 'admin'] }, '/scopes/1'],
  ['a scope twice', { name: 'x', scopes: ['orders:read', 'orders:read'] }, '/scopes'],
  ['an unknown field', { name: 'x', scopes: ['orders:read'], secret: 'pk_mine' }, '/secret'],
  [
    'an end that is past',
    { name: 'x', scopes: ['orders:read'], expiresAt: '2026-03-02T08:59:59Z' },
    '/expiresAt',
  ],
  [
    'an end that is now',
    { name: 'x', scopes: ['orders:read'], expiresAt: '2026-03-02T09:00:00Z' },
    '/expiresAt',
  ],
  ['an end that is no time', { name: 'x', scopes: ['orders:read'], expiresAt: 'tomorrow' }, '/expiresAt'],
];

t.test('a body with a fault makes no key and names the fault', async (t) => {
  const service = await shared.forTenant('keys-3');
  for (const [what, body, pointer] of BAD_BODIES) {
    const answer = await service.inject('POST', '/v1/api-keys', { body });
    t.equal(answer.statusCode, 400, what);
    t.ok(
      answer.json().errors.some((fault: { pointer: string }) => fault.pointer === pointer),
      `${what}: ${answer.body}`,
    );
  }
  t.equal(
    (await service.inject('GET', '/v1/api-keys')).json().data.length,
    1,
    'the first key is still the only one',
  );
});

t.test('a key ends at its time, however recently it was looked up', async (t) => {
  const service = await shared.forTenant('keys-4');
  const expiresAt = new Date(service.clock.now().getTime() + DAY_MS).toISOString();
  const body = { name: 'short', scopes: ['api_keys:read'], expiresAt };
  const key = (await service.inject('POST', '/v1/api-keys', { body })).json().secret;
  const use = async () => (await service.inject('GET', '/v1/api-keys', { key })).statusCode;
  t.equal(await use(), 200);
  service.clock.advance(DAY_MS - 1);
  t.equal(await use(), 200);
  service.clock.advance(1);
  t.equal(await use(), 401);
});

t.test('a revoked key is refused at once, and revoking it again changes nothing', async (t) => {
  const service = await shared.forTenant('keys-5');
  const body = { name: 'doomed', scopes: ['api_keys:read'] };
  const { id, secret } = (await service.inject('POST', '/v1/api-keys', { body })).json();
  const use = async () => (await service.inject('GET', '/v1/api-keys', { key: secret })).statusCode;
  t.equal(await use(), 200);
  t.equal((await service.inject('DELETE', `/v1/api-keys/${id}`)).statusCode, 204);
  t.equal(await use(), 401);
  const revokedAt = service.clock.now().toISOString();
  t.match((await service.inject('GET', `/v1/api-keys/${id}`)).json(), { version: 2, revokedAt });
  service.clock.advance(DAY_MS);
  t.equal((await service.inject('DELETE', `/v1/api-keys/${id}`)).statusCode, 204);
  t.match(
    (await service.inject('GET', `/v1/api-keys/${id}`)).json(),
    { version: 2, revokedAt },
    'the time stays',
  );
});

t.test('If-Match is honoured when a key is revoked', async (t) => {
  const service = await shared.forTenant('keys-6');
  const { id } = (
    await service.inject('POST', '/v1/api-keys', { body: { name: 'x', scopes: ['orders:read'] } })
  ).json();
  const revoke = async (match: string) =>
    (await service.inject('DELETE', `/v1/api-keys/${id}`, { headers: { 'if-match': match } })).statusCode;
  t.equal(await revoke('"2"'), 412);
  t.equal(await revoke('three'), 400);
  t.equal(await revoke('"1"'), 204);
});

t.test('the last key that can make keys stays', async (t) => {
  const service = await shared.forTenant('keys-7');
  const [first] = (await service.inject('GET', '/v1/api-keys')).json().data;
  const refused = await service.inject('DELETE', `/v1/api-keys/${first.id}`);
  t.equal(refused.statusCode, 409);
  t.equal(refused.json().code, 'last_key');
  const soon = new Date(service.clock.now().getTime() + DAY_MS).toISOString();
  const body = { name: 'second', scopes: ['api_keys:write'], expiresAt: soon };
  const second = (await service.inject('POST', '/v1/api-keys', { body })).json();
  service.clock.advance(DAY_MS);
  t.equal(
    (await service.inject('DELETE', `/v1/api-keys/${first.id}`)).statusCode,
    409,
    'an expired one does not count',
  );
  t.equal((await service.inject('DELETE', `/v1/api-keys/${second.id}`)).statusCode, 204, 'and may go');
  await service.inject('POST', '/v1/api-keys', { body: { name: 'third', scopes: SCOPES } });
  t.equal(
    (await service.inject('DELETE', `/v1/api-keys/${first.id}`)).statusCode,
    204,
    'a key may revoke itself',
  );
});

t.test('of two keys that revoke each other at once, one stays', async (t) => {
  const service = await shared.forTenant('keys-8');
  for (let round = 0; round < 5; round++) {
    const { id, key } = await service.openTenant(`round-${round}`).then(async (tenant) => {
      const [first] = (await service.inject('GET', '/v1/api-keys', { key: tenant.key })).json().data;
      return { id: first.id as string, key: tenant.key };
    });
    const body = { name: 'other', scopes: ['api_keys:write'] };
    const other = (await service.inject('POST', '/v1/api-keys', { key, body })).json();
    const answers = await Promise.all([
      service.inject('DELETE', `/v1/api-keys/${other.id}`, { key }),
      service.inject('DELETE', `/v1/api-keys/${id}`, { key: other.secret }),
    ]);
    // Who comes second is refused as the last key or, if the first had been seen to be gone, as nobody.
    const statuses = answers.map(({ statusCode }) => statusCode);
    t.equal(statuses.filter((status) => status === 204).length, 1, statuses.join(' '));
  }
});

t.test('the list goes page by page, oldest first, and its cursor is its own', async (t) => {
  const service = await shared.forTenant('keys-9');
  for (let i = 0; i < 4; i++) {
    service.clock.advance(1000);
    await service.inject('POST', '/v1/api-keys', { body: { name: `key ${i}`, scopes: ['orders:read'] } });
  }
  const names: string[] = [];
  let query = '?limit=2';
  for (let pages = 0; pages < 3; pages++) {
    const { data, nextCursor } = (await service.inject('GET', `/v1/api-keys${query}`)).json();
    names.push(...data.map((key: { name: string }) => key.name));
    query = `?limit=2&cursor=${nextCursor}`;
    // Made in the midst of it: it comes at the end and moves nothing.
    if (pages === 0)
      await service.inject('POST', '/v1/api-keys', { body: { name: 'late', scopes: ['orders:read'] } });
    if (pages === 2) t.equal(nextCursor, null);
    else t.type(nextCursor, 'string');
  }
  t.same(names.slice(0, 4), ['First key', 'key 0', 'key 1', 'key 2']);
  t.same(names.slice(4).sort(), ['key 3', 'late']);
  const foreign = (await service.inject('GET', '/v1/tenants?limit=1', { key: ADMIN_KEY })).json().nextCursor;
  for (const cursor of ['nonsense', Buffer.from('["x","y"]').toString('base64url'), foreign]) {
    const refused = await service.inject('GET', `/v1/api-keys?cursor=${cursor}`);
    t.match(refused.json(), { status: 400, code: 'invalid_cursor' });
  }
});

t.test("another tenant's key does not exist", async (t) => {
  const service = await shared.forTenant('keys-10');
  const other = await service.openTenant('other');
  const [theirs] = (await service.inject('GET', '/v1/api-keys', { key: other.key })).json().data;
  for (const method of ['GET', 'DELETE'] as const) {
    const foreign = await service.inject(method, `/v1/api-keys/${theirs.id}`);
    const absent = await service.inject(method, '/v1/api-keys/0190a5d2-0000-7000-8000-000000000000');
    t.equal(foreign.statusCode, 404);
    t.same({ ...foreign.json(), requestId: '' }, { ...absent.json(), requestId: '' });
  }
  t.equal(
    (await service.inject('GET', '/v1/api-keys', { key: other.key })).statusCode,
    200,
    'and was not revoked',
  );
  t.equal((await service.inject('GET', '/v1/api-keys/not-an-id')).statusCode, 400);
});

t.test('a repeated request gets the same secret, and nobody can read it from the database', async (t) => {
  const service = await shared.forTenant('keys-11');
  const body = { name: 'once', scopes: ['orders:read'] };
  const make = (name = 'once', key = service.key) =>
    service.inject('POST', '/v1/api-keys', {
      key,
      body: { ...body, name },
      headers: { 'idempotency-key': 'abc' },
    });
  const first = await make();
  const second = await make();
  t.equal(second.statusCode, 201);
  t.equal(second.headers['idempotency-replayed'], 'true');
  t.same(second.json(), first.json());
  t.equal((await make('another')).statusCode, 422);
  t.equal((await service.inject('GET', '/v1/api-keys')).json().data.length, 2, 'one key was made');
  const [kept] = await rawRows(service.databaseUrl, "SELECT body FROM idempotency_keys WHERE key = 'abc'");
  t.type(kept?.body, Buffer);
  t.notOk(String(kept?.body).includes(first.json().secret));
});

async function rawRows(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}
