import t from 'tap';
import { createDeliverer } from '../../src/outbox/deliver.js';
import { createReceiver } from '../helpers/receiver.js';
import { startService, type TestService } from '../helpers/service.js';
import { transportFor } from '../helpers/transport.js';

const PATH = '/v1/webhook-endpoints';
const OWN_SECRET = `whsec_${Buffer.alloc(24, 3).toString('base64')}`;

t.test('webhook endpoints over HTTP', async (t) => {
  const service = await startService(t, { environment: { WEBHOOK_ALLOW_PRIVATE: 'true' } });
  const make = async (s: TestService, body: object = {}) => {
    const response = await s.inject('POST', PATH, {
      body: { url: 'https://partner.example.com/hook', ...body },
    });
    t.equal(response.statusCode, 201, response.body);
    return response.json();
  };

  await t.test('one is made, with a secret that is shown, and only there', async (t) => {
    const made = await make(service, { description: 'the shop' });
    t.match(made.secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
    t.match(made, {
      eventTypes: ['*'],
      status: 'active',
      disabledReason: null,
      version: 1,
      description: 'the shop',
    });
    const shown = await service.inject('GET', `${PATH}/${made.id}`);
    const { secret, ...rest } = made;
    t.same(shown.json(), rest);
    t.equal(shown.headers.etag, '"1"');
    const unchanged = await service.inject('GET', `${PATH}/${made.id}`, {
      headers: { 'if-none-match': '"1"' },
    });
    t.equal(unchanged.statusCode, 304);
    const revealed = await service.inject('GET', `${PATH}/${made.id}/secret`);
    t.same(revealed.json(), { secret, signing: 'v1', publicKey: null });
  });

  await t.test('a secret may be brought along', async (t) => {
    const made = await make(service, { secret: OWN_SECRET });
    t.equal(made.secret, OWN_SECRET);
  });

  await t.test('what is no endpoint is refused with a pointer', async (t) => {
    const refused = async (body: object, pointer: string) => {
      const response = await service.inject('POST', PATH, {
        body: { url: 'https://partner.example.com/', ...body },
      });
      t.equal(response.statusCode, 400, JSON.stringify(body));
      const pointers = response.json().errors.map((fault: { pointer: string }) => fault.pointer);
      t.ok(pointers.includes(pointer), `${JSON.stringify(body)}: ${pointers}`);
    };
    await refused({ url: 'ftp://partner.example.com/' }, '/url');
    await refused({ url: 'https://user:pass@partner.example.com/' }, '/url');
    await refused({ url: 'http://169.254.169.254/latest/meta-data' }, '/url');
    await refused({ url: 'not a url' }, '/url');
    await refused({ eventTypes: ['customer.vanished'] }, '/eventTypes/0');
    await refused({ eventTypes: [] }, '/eventTypes');
    await refused({ secret: 'whsec_short' }, '/secret');
    await refused({ secret: `whsec_${'A'.repeat(33)}` }, '/secret');
    await refused({ status: 'disabled' }, '/status');
    await refused({ tenantId: 'mine' }, '/tenantId');
    await refused({ secret: OWN_SECRET, signing: 'v1a' }, '/secret');
  });

  await t.test('a patch changes what it names, once', async (t) => {
    const { id } = await make(service, { description: 'before' });
    const patch = (body: object, headers = {}) => service.inject('PATCH', `${PATH}/${id}`, { body, headers });
    const changed = await patch({ description: null, eventTypes: ['order.*', 'ping'] });
    t.match(changed.json(), { description: null, eventTypes: ['order.*', 'ping'], version: 2 });
    t.equal((await patch({ description: null })).json().version, 2, 'nothing changed, no new version');
    t.equal((await patch({ status: 'paused' }, { 'if-match': '"1"' })).statusCode, 412);
    t.match((await patch({ status: 'paused' }, { 'if-match': '"2"' })).json(), {
      status: 'paused',
      version: 3,
    });
    t.equal((await patch({ url: null })).statusCode, 400);
    t.equal((await patch({ url: 'http://metadata.google.internal/' })).statusCode, 400);
  });

  await t.test('they are listed by pages', async (t) => {
    const s = await service.forTenant('pages');
    const made = [];
    for (let i = 0; i < 5; i++) made.push((await make(s)).id);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const from: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page = (await s.inject('GET', `${PATH}?limit=2${from}`)).json();
      seen.push(...page.data.map(({ id }: { id: string }) => id));
      t.notOk(page.data.some((row: object) => 'secret' in row));
      cursor = page.nextCursor;
    }
    t.same(seen, made);
  });

  await t.test('a tenant has fifty at most, however many are made at once', async (t) => {
    const s = await service.forTenant('fifty');
    const codes = await Promise.all(
      Array.from({ length: 54 }, async () => {
        const response = await s.inject('POST', PATH, { body: { url: 'https://partner.example.com/' } });
        return response.statusCode;
      }),
    );
    t.equal(codes.filter((code) => code === 201).length, 50);
    t.equal(codes.filter((code) => code === 409).length, 4);
  });

  await t.test('a deleted one is gone', async (t) => {
    const { id } = await make(service);
    t.equal(
      (await service.inject('DELETE', `${PATH}/${id}`, { headers: { 'if-match': '"9"' } })).statusCode,
      412,
    );
    t.equal((await service.inject('DELETE', `${PATH}/${id}`)).statusCode, 204);
    for (const suffix of ['', '/secret', '/deliveries']) {
      t.equal((await service.inject('GET', `${PATH}/${id}${suffix}`)).statusCode, 404);
    }
    t.equal((await service.inject('DELETE', `${PATH}/${id}`)).statusCode, 404);
    t.equal((await service.inject('POST', `${PATH}/${id}/test`)).statusCode, 404);
  });

  await t.test('secrets are kept sealed, and an answer with one is repeated to its asker only', async (t) => {
    const headers = { 'idempotency-key': 'make-endpoint' };
    const body = { url: 'https://partner.example.com/once' };
    const first = await service.inject('POST', PATH, { body, headers });
    const again = await service.inject('POST', PATH, { body, headers });
    t.equal(again.headers['idempotency-replayed'], 'true');
    t.equal(again.body, first.body);
  });

  await t.test('a ping goes to the endpoint alone, and its delivery shows what came back', async (t) => {
    const s = await service.forTenant('ping');
    const receiver = await createReceiver(t, {
      secret: OWN_SECRET,
      respond: () => ({ status: 200, body: 'pong' }),
    });
    const other = await createReceiver(t);
    const { id } = await make(s, { url: receiver.url, eventTypes: ['order.*'], secret: OWN_SECRET });
    await make(s, { url: other.url });
    const queued = await s.inject('POST', `${PATH}/${id}/test`);
    t.equal(queued.statusCode, 202);
    t.match(queued.json(), { status: 'pending', eventType: 'ping', endpointId: id, attemptCount: 0 });
    const deliverer = createDeliverer({
      database: s.database,
      transport: transportFor(t),
      targets: s.services.webhooks,
      clock: s.clock.now,
      wallClock: () => new Date(),
      onError: (error) => t.fail(String(error)),
    });
    await deliverer.pump(s.clock.now());
    await deliverer.settled();
    t.equal(other.requests.length, 0);
    t.match(receiver.requests, [
      { verified: true, json: { type: 'ping', sequence: null, data: { endpointId: id } } },
    ]);
    const delivery = (await s.inject('GET', `/v1/webhook-deliveries/${queued.json().id}`)).json();
    t.match(delivery, { status: 'succeeded', attemptCount: 1, nextAttemptAt: null });
    t.match(delivery.attempts, [{ number: 1, status: 200, error: null, responseBody: 'pong' }]);
    const list = (await s.inject('GET', `${PATH}/${id}/deliveries?status=succeeded`)).json();
    const { attempts, ...listed } = delivery;
    t.same(list, { data: [listed], nextCursor: null });
    t.same((await s.inject('GET', `${PATH}/${id}/deliveries?status=pending`)).json().data, []);
    const event = (await s.inject('GET', `/v1/events/${delivery.eventId}`)).json();
    t.same(event, receiver.requests[0]?.json);
    await s.inject('PATCH', `${PATH}/${id}`, { body: { status: 'paused' } });
    t.equal((await s.inject('POST', `${PATH}/${id}/test`)).statusCode, 409);
  });

  await t.test('deliveries are listed newest first, by pages bound to their filter', async (t) => {
    const s = await service.forTenant('deliveries');
    const { id } = await make(s);
    const ids = [];
    for (let i = 0; i < 5; i++) {
      s.clock.advance(1_000);
      ids.unshift((await s.inject('POST', `${PATH}/${id}/test`)).json().id);
    }
    const first = (await s.inject('GET', `${PATH}/${id}/deliveries?limit=3`)).json();
    const rest = (
      await s.inject('GET', `${PATH}/${id}/deliveries?limit=3&cursor=${first.nextCursor}`)
    ).json();
    t.same(
      [...first.data, ...rest.data].map((row: { id: string }) => row.id),
      ids,
    );
    t.equal(rest.nextCursor, null);
    const foreign = await s.inject(
      'GET',
      `${PATH}/${id}/deliveries?status=pending&cursor=${first.nextCursor}`,
    );
    t.equal(foreign.statusCode, 400);
  });

  await t.test(
    'scopes: reading and writing show no secret of old, and what one tenant has is 404 to another',
    async (t) => {
      const { id } = await make(service);
      const scoped = await service.inject('POST', '/v1/api-keys', {
        body: { name: 'reader', scopes: ['webhooks:read', 'webhooks:write'] },
      });
      const key = scoped.json().secret;
      t.equal((await service.inject('GET', `${PATH}/${id}`, { key })).statusCode, 200);
      t.equal((await service.inject('GET', `${PATH}/${id}/secret`, { key })).statusCode, 403);
      t.equal(
        (await service.inject('POST', `${PATH}/${id}/secret/rotate`, { key, body: {} })).statusCode,
        403,
      );
      const reader = await service.inject('POST', '/v1/api-keys', {
        body: { name: 'secrets', scopes: ['webhooks:secrets'] },
      });
      const secretsOnly = { key: reader.json().secret };
      t.equal((await service.inject('GET', `${PATH}/${id}/secret`, secretsOnly)).statusCode, 200);
      const made = await service.inject('POST', PATH, {
        ...secretsOnly,
        body: { url: 'https://partner.example.com/' },
      });
      t.equal(made.statusCode, 403);
      t.equal((await service.inject('GET', PATH, { key: null })).statusCode, 401);
      const other = await service.forTenant('other');
      for (const [method, suffix] of [
        ['GET', ''],
        ['GET', '/secret'],
        ['GET', '/deliveries'],
        ['DELETE', ''],
        ['POST', '/test'],
      ] as const) {
        t.equal((await other.inject(method, `${PATH}/${id}${suffix}`)).statusCode, 404);
      }
    },
  );
});
