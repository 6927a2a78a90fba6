import t from 'tap';
import { createKeyHolders } from '../../src/api-keys/holders.js';
import { hashKey } from '../../src/api-keys/secret.js';
import { startService } from '../helpers/service.js';

const service = await startService(t);

/** Another replica: it shares the database and nothing else. */
function startReplica() {
  const clock = { ms: 0 };
  return { clock, holders: createKeyHolders(service.database, () => clock.ms) };
}

t.test('a key revoked by another replica is refused within five seconds', async (t) => {
  const { clock, holders } = startReplica();
  const body = { name: 'doomed', scopes: ['orders:read'] };
  const { id, secret } = (await service.inject('POST', '/v1/api-keys', { body })).json();
  const hash = hashKey(secret);
  t.match(await holders.find(hash), {
    tenantId: service.tenant.id,
    actor: { kind: 'api_key', id },
    suspended: false,
  });
  t.equal((await service.inject('DELETE', `/v1/api-keys/${id}`)).statusCode, 204);
  t.ok(holders.peek(hash), 'at first it is still believed');
  clock.ms = 5_000;
  t.equal(holders.peek(hash), undefined);
  t.equal(await holders.find(hash), null);
});

t.test('a tenant suspended by another replica is seen within five seconds', async (t) => {
  const { clock, holders } = startReplica();
  const tenant = await service.openTenant('late-payer');
  const hash = hashKey(tenant.key);
  t.equal((await holders.find(hash))?.suspended, false);
  const context = { ...service.context(), tenantId: '00000000-0000-0000-0000-000000000000' };
  await service.services.tenants.change(context, tenant.id, { patch: { status: 'suspended' } });
  clock.ms = 5_000;
  t.equal((await holders.find(hash))?.suspended, true);
});

t.test('a key that has ended is still known, with its end: who asks has the clock', async (t) => {
  const { holders } = startReplica();
  const expiresAt = new Date(service.clock.now().getTime() + 1000).toISOString();
  const body = { name: 'short', scopes: ['orders:read'], expiresAt };
  const { secret } = (await service.inject('POST', '/v1/api-keys', { body })).json();
  service.clock.advance(5000);
  t.same((await holders.find(hashKey(secret)))?.expiresAt?.toISOString(), expiresAt);
});

t.test('a scope that this version does not know permits nothing', async (t) => {
  const { holders } = startReplica();
  const { id, key } = await service.openTenant('from-the-future');
  const scopes = ['orders:read', 'time:travel'];
  await service.database.write({ ...service.context(), tenantId: id }, (tx) =>
    tx.rows({ text: 'UPDATE api_keys SET scopes = $2 WHERE tenant_id = $1', values: [id, scopes] }),
  );
  t.same([...((await holders.find(hashKey(key)))?.scopes ?? [])], ['orders:read']);
});
