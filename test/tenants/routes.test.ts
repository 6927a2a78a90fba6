import t from 'tap';
import { NO_TENANT_ID, SCOPES } from '../../src/context.js';
import { ADMIN_KEY, type InjectExtras, startService } from '../helpers/service.js';

const service = await startService(t);

const asAdmin = (
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE',
  url: string,
  extras: InjectExtras = {},
) => service.inject(method, url, { key: ADMIN_KEY, ...extras });

async function openTenant(slug: string) {
  return (await asAdmin('POST', '/v1/tenants', { body: { slug, name: slug } })).json();
}

t.test('a tenant opens with a key of every scope, a policy and nothing else', async (t) => {
  const opened = await asAdmin('POST', '/v1/tenants', { body: { slug: 'acme', name: 'Acme GmbH' } });
  t.equal(opened.statusCode, 201);
  t.equal(opened.headers['cache-control'], 'no-store', 'no cache may keep a secret');
  const { apiKey, ...tenant } = opened.json();
  const now = service.clock.now().toISOString();
  t.match(tenant, {
    version: 1,
    slug: 'acme',
    name: 'Acme GmbH',
    status: 'active',
    createdAt: now,
    updatedAt: now,
  });
  t.match(apiKey, { scopes: SCOPES, expiresAt: null, revokedAt: null });
  const keys = await service.inject('GET', '/v1/api-keys', { key: apiKey.secret });
  t.equal(keys.statusCode, 200);
  t.same(
    keys.json().data.map((key: { id: string }) => key.id),
    [apiKey.id],
  );
  const policies = await service.database.read(tenant.id, (executor) =>
    executor.rows({ text: 'SELECT version FROM policies WHERE tenant_id = $1', values: [tenant.id] }),
  );
  t.same(policies, [{ version: 1 }]);
  const shown = await asAdmin('GET', `/v1/tenants/${tenant.id}`);
  t.same(shown.json(), tenant);
  t.equal(shown.headers.etag, '"1"');
});

t.test('a slug is taken once', async (t) => {
  await openTenant('taken');
  const refused = await asAdmin('POST', '/v1/tenants', { body: { slug: 'taken', name: 'Another' } });
  t.match(refused.json(), { status: 409, code: 'tenant_slug_taken' });
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => asAdmin('POST', '/v1/tenants', { body: { slug: 'wanted', name: 'x' } })),
  );
  t.same(answers.map(({ statusCode }) => statusCode).sort(), [201, 409, 409, 409]);
});

t.test('a body with a fault opens nothing and names the fault', async (t) => {
  const bad: [unknown, string][] = [
    [{ name: 'x' }, '/slug'],
    [{ slug: 'x' }, '/name'],
    [{ slug: 'Capital', name: 'x' }, '/slug'],
    [{ slug: '0190a5d2', name: 'x' }, '/slug'],
    [{ slug: 'ends-', name: 'x' }, '/slug'],
    [{ slug: 'a'.repeat(64), name: 'x' }, '/slug'],
    [{ slug: 'fine', name: 'x', status: 'active' }, '/status'],
  ];
  for (const [body, pointer] of bad) {
    const answer = await asAdmin('POST', '/v1/tenants', { body });
    t.equal(answer.statusCode, 400);
    t.equal(answer.json().errors[0].pointer, pointer);
  }
});

t.test('a repeated request opens one tenant, and its answer is kept with the administrator', async (t) => {
  const open = (name: string) =>
    asAdmin('POST', '/v1/tenants', { body: { slug: 'twice', name }, headers: { 'idempotency-key': 'once' } });
  const first = await open('x');
  const second = await open('x');
  t.equal(first.statusCode, 201);
  t.same(second.json(), first.json(), 'secret included');
  t.equal(second.headers['idempotency-replayed'], 'true');
  t.equal((await open('y')).statusCode, 422);
  const keptFor = (tenantId: string) =>
    service.database.read(tenantId, (executor) =>
      executor.rows<{ body: Buffer }>({
        text: 'SELECT body FROM idempotency_keys WHERE key = $1',
        values: ['once'],
      }),
    );
  const kept = await keptFor(NO_TENANT_ID);
  t.equal(kept.length, 1);
  t.notOk(kept[0]?.body.includes(first.json().apiKey.secret), 'and encrypted');
  t.same(await keptFor(first.json().id), []);
});

t.test('a tenant is renamed and its version grows, unless nothing changes', async (t) => {
  const { id } = await openTenant('renamed');
  service.clock.advance(60_000);
  const patch = (body: unknown, match?: string) =>
    asAdmin('PATCH', `/v1/tenants/${id}`, {
      body,
      headers: match === undefined ? {} : { 'if-match': match },
    });
  const changed = await patch({ name: 'New' }, '"1"');
  t.equal(changed.headers.etag, '"2"');
  t.match(changed.json(), {
    version: 2,
    name: 'New',
    slug: 'renamed',
    updatedAt: service.clock.now().toISOString(),
  });
  t.equal((await patch({ name: 'Newer' }, '"1"')).statusCode, 412);
  t.equal((await patch({ name: 'New' })).json().version, 2, 'the same again is no change');
  t.equal((await patch({})).json().version, 2);
  for (const body of [{ slug: 'other' }, { name: null }, { status: 'gone' }]) {
    t.equal((await patch(body)).statusCode, 400, JSON.stringify(body));
  }
});

t.test(
  "a suspended tenant's key is refused at once, and admitted again when it is reactivated",
  async (t) => {
    const { id, apiKey } = await openTenant('late-payer');
    const use = async () => service.inject('GET', '/v1/api-keys', { key: apiKey.secret });
    t.equal((await use()).statusCode, 200);
    await asAdmin('PATCH', `/v1/tenants/${id}`, { body: { status: 'suspended' } });
    t.match((await use()).json(), { status: 403, code: 'tenant_suspended' });
    await asAdmin('PATCH', `/v1/tenants/${id}`, { body: { status: 'active' } });
    t.equal((await use()).statusCode, 200);
  },
);

t.test('the list goes page by page, oldest first', async (t) => {
  const before = (await asAdmin('GET', '/v1/tenants?limit=200')).json().data.length;
  for (const slug of ['page-a', 'page-b', 'page-c']) {
    service.clock.advance(1000);
    await openTenant(slug);
  }
  const slugs: string[] = [];
  for (let query = '?limit=2'; query !== ''; ) {
    const { data, nextCursor } = (await asAdmin('GET', `/v1/tenants${query}`)).json();
    t.ok(data.length <= 2);
    slugs.push(...data.map((tenant: { slug: string }) => tenant.slug));
    query = nextCursor === null ? '' : `?limit=2&cursor=${nextCursor}`;
  }
  t.equal(slugs.length, before + 3);
  t.same(slugs.slice(-3), ['page-a', 'page-b', 'page-c']);
});

t.test('what is not there is a 404, and nothing is deleted', async (t) => {
  const absent = '/v1/tenants/0190a5d2-0000-7000-8000-000000000000';
  t.equal((await asAdmin('GET', absent)).statusCode, 404);
  t.equal((await asAdmin('PATCH', absent, { body: { name: 'x' } })).statusCode, 404);
  t.equal((await asAdmin('DELETE', `/v1/tenants/${service.tenant.id}`)).statusCode, 405);
});
