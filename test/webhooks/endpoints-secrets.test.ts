import t from 'tap';
import { createSecretBox } from '../../src/webhooks/secrets.js';
import { startService } from '../helpers/service.js';
import { openOutbox, SECRET } from '../outbox/fixture.js';

const KEY = Buffer.alloc(32, 1);

t.test('what is sealed opens with the same key for the same owner only', async (t) => {
  const box = createSecretBox(KEY);
  const sealed = box.seal(SECRET, 'tenant/endpoint');
  t.notOk(sealed.includes(SECRET.slice(6)));
  t.not(box.seal(SECRET, 'tenant/endpoint'), sealed, 'never twice the same');
  t.equal(box.open(sealed, 'tenant/endpoint'), SECRET);
  t.equal(box.open(sealed, 'tenant/other'), null);
  t.equal(createSecretBox(Buffer.alloc(32, 2)).open(sealed, 'tenant/endpoint'), null);
  t.equal(createSecretBox(null).open(sealed, 'tenant/endpoint'), null);
  const damaged = sealed.slice(0, -5) + (sealed.endsWith('AAAA=') ? 'BBBB=' : 'AAAA=');
  t.equal(box.open(damaged, 'tenant/endpoint'), null);
  t.equal(box.open('v1:', 'tenant/endpoint'), null);
});

t.test(
  'without a key no secret is taken in; one that was kept in the clear before stays readable',
  async (t) => {
    t.throws(() => createSecretBox(null).seal(SECRET, 'tenant/endpoint'), { code: 'secrets_key_missing' });
    t.equal(createSecretBox(KEY).open(SECRET, 'tenant/endpoint'), SECRET);
  },
);

t.test('a deployment without a key makes no endpoint, and says why', async (t) => {
  const service = await startService(t, { environment: { SECRETS_KEY: '' } });
  const body = { url: 'https://example.com/hook' };
  const refused = await service.inject('POST', '/v1/webhook-endpoints', { body });
  t.match(refused.json(), { status: 409, code: 'secrets_key_missing' });
  t.same((await service.inject('GET', '/v1/webhook-endpoints')).json().data, []);
});

t.test('a key of another length is refused', async (t) => {
  t.throws(() => createSecretBox(Buffer.alloc(16)), RangeError);
});

t.test('the database holds no secret in the clear', async (t) => {
  const outbox = await openOutbox(t);
  const id = await outbox.endpoint(await outbox.tenant(), 'https://partner.example.com/');
  const [row] = await outbox.sql<{ secret: string }>('SELECT secret FROM webhook_endpoints WHERE id = $1', [
    id,
  ]);
  t.match(row?.secret, /^v1:/);
});
