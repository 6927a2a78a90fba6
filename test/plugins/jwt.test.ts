import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportSPKI, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import t from 'tap';
import type { JwtConfig } from '../../src/config-jwt.js';
import { SCOPES } from '../../src/context.js';
import { createTokenVerifier } from '../../src/plugins/jwt.js';
import { AUDIENCE, ISSUER, keySet, makeSigningKey, serveKeys, signToken } from '../helpers/issuer.js';

const NOW = new Date('2026-03-01T12:00:00.000Z');
const NOW_S = NOW.getTime() / 1000;

const key = await makeSigningKey('ES256', 'one');
const other = await makeSigningKey('ES256', 'two');
const rsa = await makeSigningKey('RS256', 'three');

function configOf(keys: JwtConfig['keys']): JwtConfig {
  return { keys, issuer: ISSUER, audience: [AUDIENCE], algorithms: ['ES256'], tenantClaim: 'tenant' };
}

const verify = createTokenVerifier(configOf({ jwks: await keySet(key, rsa) }));

t.test('a token that holds names its subject, its tenant and its scopes', async (t) => {
  const token = await signToken(key, NOW, { claims: { scope: 'customers:read orders:write profile' } });
  const claims = await verify(token, NOW);
  t.equal(claims?.subject, 'user-1');
  t.equal(claims?.tenant, 'default');
  t.same(
    [...(claims?.scopes ?? [])],
    ['customers:read', 'orders:write'],
    'what is no scope of ours counts for nothing',
  );
});

t.test('scopes may come as an array, and are none where there are none', async (t) => {
  const scopesOf = async (claims: JWTPayload) => [
    ...((await verify(await signToken(key, NOW, { claims }), NOW))?.scopes ?? []),
  ];
  t.same(await scopesOf({ scopes: [...SCOPES, 'admin', 7] }), SCOPES);
  t.same(await scopesOf({ scopes: 'customers:read' }), [], 'a text under `scopes` is neither form');
  t.same(await scopesOf({}), []);
});

/** Each is wrong in one thing only. */
const REFUSED: [what: string, claims: JWTPayload][] = [
  ['another issuer', { iss: 'https://elsewhere.example' }],
  ['no issuer', { iss: undefined }],
  ['another audience', { aud: 'another' }],
  ['no audience', { aud: undefined }],
  ['an end that is past, the tolerance included', { exp: NOW_S - 5 }],
  ['no end', { exp: undefined }],
  ['a beginning that is still to come, the tolerance included', { nbf: NOW_S + 6 }],
  ['no subject', { sub: undefined }],
  ['an empty subject', { sub: '' }],
  ['a subject of more than 255 characters', { sub: 'x'.repeat(256) }],
  ['no tenant', { tenant: undefined }],
  ['an empty tenant', { tenant: '' }],
  ['a tenant that is no text', { tenant: ['default'] }],
];

for (const [what, claims] of REFUSED) {
  t.test(`a token with ${what} does not hold`, async (t) => {
    t.equal(await verify(await signToken(key, NOW, { claims }), NOW), null);
  });
}

t.test('clocks may differ by five seconds', async (t) => {
  t.ok(await verify(await signToken(key, NOW, { claims: { exp: NOW_S - 4 } }), NOW));
  t.ok(await verify(await signToken(key, NOW, { claims: { nbf: NOW_S + 5 } }), NOW));
});

t.test('nothing but the configured algorithms and the published keys is believed', async (t) => {
  const payload = { iss: ISSUER, aud: AUDIENCE, sub: 'user-1', tenant: 'default', exp: NOW_S + 60 };
  const publicText = new TextEncoder().encode(await exportSPKI(key.publicKey));
  const forged = await new SignJWT(payload).setProtectedHeader({ alg: 'HS256', kid: 'one' }).sign(publicText);
  const good = await signToken(key, NOW);
  const tampered = [
    good.split('.')[0],
    Buffer.from(JSON.stringify(payload)).toString('base64url'),
    good.split('.')[2],
  ];
  const tokens = {
    'alg none': new UnsecuredJWT(payload).encode(),
    'a MAC made with the public key': forged,
    'an algorithm that is not configured, by a published key': await signToken(rsa, NOW),
    'a key that is not published': await signToken(other, NOW),
    "another's signature under a published id": await signToken({ ...other, kid: 'one' }, NOW),
    'a changed payload': tampered.join('.'),
    'no token at all': 'a.b.c',
    'one part': 'abc',
    'more than 16 KiB': await signToken(key, NOW, { claims: { padding: 'x'.repeat(16_384) } }),
  };
  for (const [what, token] of Object.entries(tokens)) t.equal(await verify(token, NOW), null, what);
});

t.test('a token that does not say which key signed it is tried with each', async (t) => {
  const either = createTokenVerifier(configOf({ jwks: await keySet(key, other) }));
  for (const signer of [key, other])
    t.ok(await either(await signToken(signer, NOW, { kid: null }), NOW), signer.kid);
  const stranger = await makeSigningKey('ES256', 'four');
  t.equal(await either(await signToken(stranger, NOW, { kid: null }), NOW), null);
  const expired = { claims: { exp: NOW_S - 60 }, kid: null };
  t.equal(
    await either(await signToken(other, NOW, expired), NOW),
    null,
    'the right key excuses nothing else',
  );
});

t.test('keys are read from the issuer, and a key that it lacks is the token at fault', async (t) => {
  const body = JSON.stringify(await keySet(key));
  const remote = createTokenVerifier(configOf({ url: await serveKeys(t, () => ({ status: 200, body })) }));
  t.ok(await remote(await signToken(key, NOW), NOW));
  t.equal(await remote(await signToken(other, NOW), NOW), null);
});

t.test('keys that cannot be had are nobody at fault: 503, and it recovers', async (t) => {
  const good = { status: 200, body: JSON.stringify(await keySet(key)) };
  let answer = { status: 500, body: '{}' };
  const remote = createTokenVerifier(configOf({ url: await serveKeys(t, () => answer) }));
  const token = await signToken(key, NOW);
  for (const bad of [
    answer,
    { status: 302, body: '' },
    { status: 200, body: 'not json' },
    { status: 200, body: '{"keys":7}' },
  ]) {
    answer = bad;
    await t.rejects(remote(token, NOW), { code: 'unavailable' }, `${bad.status} ${bad.body}`);
  }
  answer = good;
  t.ok(await remote(token, NOW));
});

t.test('an issuer that does not answer the door is a 503 as well', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const remote = createTokenVerifier(configOf({ url: new URL(`http://127.0.0.1:${port}/keys`) }));
  await t.rejects(remote(await signToken(key, NOW), NOW), { code: 'unavailable' });
  t.equal(await remote('a.b.c', NOW), null, 'what is no token needs no keys');
});
