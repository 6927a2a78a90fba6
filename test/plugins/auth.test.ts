import t from 'tap';
import { freePort } from '../helpers/door.js';
import { AUDIENCE, ISSUER, keySet, makeSigningKey, signToken } from '../helpers/issuer.js';
import { ADMIN_KEY, startService } from '../helpers/service.js';

const issuerKey = await makeSigningKey('ES256', 'one');
const environment = {
  JWT_JWKS: JSON.stringify(await keySet(issuerKey)),
  JWT_ISSUER: ISSUER,
  JWT_AUDIENCE: AUDIENCE,
  JWT_ALGORITHMS: 'ES256',
  JWT_TENANT_CLAIM: 'org',
};
const service = await startService(t, { environment });

const get = (url: string, authorization?: string) =>
  service.inject('GET', url, { key: null, headers: authorization === undefined ? {} : { authorization } });

async function makeKey(scopes: string[], expiresAt?: string): Promise<{ id: string; secret: string }> {
  return (await service.inject('POST', '/v1/api-keys', { body: { name: 'made', scopes, expiresAt } })).json();
}

t.test('whatever is wrong with a credential, the answer is the same', async (t) => {
  const minute = new Date(service.clock.now().getTime() + 60_000).toISOString();
  const expired = await makeKey(['api_keys:read'], minute);
  const revoked = await makeKey(['api_keys:read']);
  await service.inject('DELETE', `/v1/api-keys/${revoked.id}`);
  service.clock.advance(60_000);
  const unknownTenant = await signToken(issuerKey, service.clock.now(), { claims: { org: 'nobody' } });
  const credentials: Record<string, string | undefined> = {
    none: undefined,
    'an empty one': 'Bearer ',
    'another scheme': `Basic ${Buffer.from(`x:${service.key}`).toString('base64')}`,
    'the key without its scheme': service.key,
    'two tokens': `Bearer ${service.key} ${service.key}`,
    'an unknown key': `Bearer pk_${'0'.repeat(43)}`,
    'a key with one character more': `Bearer ${service.key}0`,
    'an expired key': `Bearer ${expired.secret}`,
    'a revoked key': `Bearer ${revoked.secret}`,
    'no token at all': 'Bearer nonsense',
    'a token for a tenant that is not there': `Bearer ${unknownTenant}`,
    "the administrator's key, cut short": `Bearer ${ADMIN_KEY.slice(0, -1)}`,
  };
  const bodies = new Set<string>();
  for (const [what, authorization] of Object.entries(credentials)) {
    const answer = await get('/v1/api-keys', authorization);
    t.equal(answer.statusCode, 401, what);
    t.match(answer.headers['www-authenticate'], /^Bearer/, what);
    bodies.add(JSON.stringify({ ...answer.json(), requestId: '' }));
  }
  t.equal(bodies.size, 1);
});

t.test('the scheme may be written in any case', async (t) => {
  t.equal((await get('/v1/api-keys', `bearer ${service.key}`)).statusCode, 200);
});

t.test('a scope that is missing is a 403 that names it', async (t) => {
  const { secret } = await makeKey(['api_keys:read']);
  t.equal((await get('/v1/api-keys', `Bearer ${secret}`)).statusCode, 200);
  const body = { name: 'x', scopes: ['api_keys:read'] };
  const refused = await service.inject('POST', '/v1/api-keys', { key: secret, body });
  t.match(refused.json(), {
    status: 403,
    code: 'insufficient_scope',
    detail: /api_keys:write/,
    requiredScope: 'api_keys:write',
  });
});

t.test("the administrator's key manages tenants only, and only it does", async (t) => {
  t.equal((await get('/v1/tenants', `Bearer ${ADMIN_KEY}`)).statusCode, 200);
  t.match((await get('/v1/api-keys', `Bearer ${ADMIN_KEY}`)).json(), {
    status: 403,
    code: 'tenant_required',
  });
  const refused = await get('/v1/tenants', `Bearer ${service.key}`);
  t.match(refused.json(), { status: 403, code: 'insufficient_scope', requiredScope: 'admin' });
});

t.test('without an ADMIN_API_KEY and JWT settings nobody gets in that way', async (t) => {
  const plain = await startService(t, { environment: { ADMIN_API_KEY: '' } });
  t.equal((await plain.inject('GET', '/v1/tenants', { key: ADMIN_KEY })).statusCode, 401);
  const token = await signToken(issuerKey, plain.clock.now(), {
    claims: { org: 'test', scope: 'api_keys:read' },
  });
  t.equal((await plain.inject('GET', '/v1/api-keys', { key: token })).statusCode, 401);
});

t.test('a token acts as its subject, for its tenant by slug or id, within its scopes', async (t) => {
  const tokenFor = (org: string, scope: string) =>
    signToken(issuerKey, service.clock.now(), { claims: { org, scope, sub: 'ada' } });
  for (const org of [service.tenant.slug, service.tenant.id, service.tenant.id.toUpperCase()]) {
    const answer = await get('/v1/api-keys', `Bearer ${await tokenFor(org, 'api_keys:read')}`);
    t.equal(answer.statusCode, 200, org);
    t.ok(answer.json().data.length > 0, "and sees that tenant's keys");
  }
  const other = await service.openTenant('other');
  const theirs = await get('/v1/api-keys', `Bearer ${await tokenFor('other', 'api_keys:read')}`);
  t.equal(theirs.json().data.length, 1);
  const weak = await get('/v1/api-keys', `Bearer ${await tokenFor('other', 'orders:read')}`);
  t.match(weak.json(), { status: 403, requiredScope: 'api_keys:read' });
  const admin = await get('/v1/tenants', `Bearer ${await tokenFor('other', 'admin api_keys:read')}`);
  t.match(admin.json(), { status: 403, requiredScope: 'admin' }, 'no token makes an administrator');
  const suspend = { key: ADMIN_KEY, body: { status: 'suspended' } };
  await service.inject('PATCH', `/v1/tenants/${other.id}`, suspend);
  const late = await get('/v1/api-keys', `Bearer ${await tokenFor('other', 'api_keys:read')}`);
  t.match(late.json(), { status: 403, code: 'tenant_suspended' });
});

t.test('a token ends by the clock of the service', async (t) => {
  const now = service.clock.now();
  const claims = {
    org: service.tenant.slug,
    scope: 'api_keys:read',
    exp: Math.floor(now.getTime() / 1000) + 60,
  };
  const token = await signToken(issuerKey, now, { claims });
  t.equal((await get('/v1/api-keys', `Bearer ${token}`)).statusCode, 200);
  service.clock.advance(65_000);
  t.equal((await get('/v1/api-keys', `Bearer ${token}`)).statusCode, 401);
});

t.test("while the issuer's keys are out of reach a token is a 503, and a key works", async (t) => {
  const port = await freePort();
  const away = { ...environment, JWT_JWKS: '', JWT_JWKS_URL: `http://127.0.0.1:${port}/keys` };
  const cut = await startService(t, { environment: away });
  const token = await signToken(issuerKey, cut.clock.now(), {
    claims: { org: 'test', scope: 'api_keys:read' },
  });
  const answer = await cut.inject('GET', '/v1/api-keys', { key: token });
  t.equal(answer.statusCode, 503);
  t.ok(answer.headers['retry-after']);
  t.equal((await cut.inject('GET', '/v1/api-keys')).statusCode, 200);
});

t.test('what is public asks for no credential', async (t) => {
  t.equal((await get('/health/live')).statusCode, 200);
  t.equal((await get('/openapi.json')).statusCode, 200);
});
