import t from 'tap';
import { bearer, NOW, startFixture, TENANT_ID } from './http-fixture.js';

const json = { ...bearer, 'content-type': 'application/json' };

async function claiming(t: Parameters<typeof startFixture>[0]) {
  const app = await startFixture(t);
  return async (
    key: string | undefined,
    { url = '/v1/claims', payload = '{"a":1}', headers = json } = {},
  ) => {
    const all = key === undefined ? headers : { ...headers, 'idempotency-key': key };
    const response = await app.inject({ method: 'POST', url, headers: all, payload });
    return response.statusCode === 200 ? response.json().received : response.json();
  };
}

t.test('a context says whose, by whom, when, and for which request', async (t) => {
  const claim = await claiming(t);
  t.same(await claim(undefined, { headers: { ...json, 'x-request-id': 'req-1' } as never }), {
    tenantId: TENANT_ID,
    actor: { kind: 'api_key', id: 'key-1' },
    now: NOW.toISOString(),
    requestId: 'req-1',
    idempotency: null,
  });
});

t.test(
  'a claim knows its request: the same again has the same fingerprint, any other has another',
  async (t) => {
    const claim = await claiming(t);
    const { idempotency } = await claim('key-1');
    t.match(idempotency, { key: 'key-1', status: 201, encryptionKey: null, fingerprint: /^[0-9a-f]{64}$/ });
    const fingerprint = async (options: object) => (await claim('key-1', options)).idempotency.fingerprint;
    t.equal(await fingerprint({}), idempotency.fingerprint);
    t.not(await fingerprint({ payload: '{"a":2}' }), idempotency.fingerprint, 'another body');
    t.not(await fingerprint({ payload: '{"a": 1}' }), idempotency.fingerprint, 'other bytes');
    t.not(await fingerprint({ url: '/v1/secret-claims' }), idempotency.fingerprint, 'another address');
  },
);

t.test('a key has 1 to 255 visible characters', async (t) => {
  const claim = await claiming(t);
  for (const key of ['k', 'k'.repeat(255), '"quoted-key"']) t.equal((await claim(key)).idempotency.key, key);
  for (const key of ['', 'k'.repeat(256), 'a b', 'ключ']) {
    const problem = await claim(key);
    t.equal(problem.code, 'invalid_idempotency_key', JSON.stringify(key));
    t.equal(problem.errors[0].pointer, '/header/idempotency-key');
  }
});

t.test('where a secret is shown, only the same credential and key can open the kept answer', async (t) => {
  const claim = await claiming(t);
  const keyOf = async (key: string) =>
    (await claim(key, { url: '/v1/secret-claims' })).idempotency.encryptionKey;
  const first = await keyOf('key-1');
  t.match(first, /^[0-9a-f]{64}$/);
  t.equal(await keyOf('key-1'), first);
  t.not(await keyOf('key-2'), first);
});
