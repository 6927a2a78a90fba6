// An endpoint that the service gives up: the others are told, and whoever makes it active again is asked.

import t from 'tap';
import { numberNew } from '../../src/outbox/number.js';
import { createReceiver } from '../helpers/receiver.js';
import { startService, type TestService } from '../helpers/service.js';
import { apiOf } from '../routes/operations.js';
import { deliverAll } from '../routes/things.js';

const PATH = '/v1/webhook-endpoints';

t.test('an endpoint that is disabled', async (t) => {
  const service = await startService(t, { environment: { WEBHOOK_ALLOW_PRIVATE: 'true' } });
  const api = apiOf(service.app);
  const make = async (s: TestService, url: string, body: object = {}) => {
    const made = await s.inject('POST', PATH, { body: { url, ...body } });
    t.equal(made.statusCode, 201, made.body);
    return made.json().id as string;
  };
  const shown = async (s: TestService, id: string) => (await s.inject('GET', `${PATH}/${id}`)).json();
  const customer = async (s: TestService, name: string) => {
    s.clock.advance(1_000);
    t.equal((await s.inject('POST', '/v1/customers', { body: { name } })).statusCode, 201);
  };
  const replay = async (s: TestService) => {
    for (let more = true; more; ) ({ more } = await s.services.replays.advance(s.clock.now()));
  };
  const typesOf = (requests: { json: unknown }[]) =>
    requests.map(({ json }) => (json as { type: string }).type);

  await t.test('the others are told at once, and once', async (t) => {
    const s = await service.forTenant('telling');
    const gone = await createReceiver(t, { respond: () => ({ status: 410 }) });
    const other = await createReceiver(t);
    const id = await make(s, `${gone.url}/hook?token=abc`);
    const watcher = await make(s, other.url, { eventTypes: ['webhook.*'] });
    const both = await make(s, gone.url, { eventTypes: ['webhook.*'], status: 'paused' });
    await customer(s, 'Anna');
    await deliverAll(t, s);
    const disabledAt = s.clock.now().toISOString();
    const reason = 'The receiver answered 410 Gone.';
    t.match(await shown(s, id), { status: 'disabled', disabledReason: reason, disabledAt, version: 2 });
    await deliverAll(t, s);
    t.match(
      other.requests.map(({ json }) => json),
      [
        {
          type: 'webhook.endpoint_disabled',
          sequence: null,
          data: { endpoint: { id, url: `${gone.url}/hook`, reason, disabledAt } },
        },
      ],
    );
    t.equal(other.requests.length, 1);
    const schema = api.webhooks.get('webhook.endpoint_disabled') ?? {};
    t.equal(api.fault(schema, other.requests[0]?.json), undefined, 'it fits its schema');
    const heard = (await s.inject('GET', `${PATH}/${id}/deliveries`)).json().data;
    t.notOk(heard.some(({ eventType }: { eventType: string }) => eventType.startsWith('webhook.')));
    const waiting = (await s.inject('GET', `${PATH}/${both}/deliveries`)).json().data;
    t.equal(waiting.length, 1, 'a paused one hears of it later');
    const context = {
      tenantId: s.tenant.id,
      actor: { kind: 'system', id: 't' } as const,
      now: s.clock.now(),
      requestId: 't',
    };
    await s.database.write(context, (tx) =>
      s.services.webhooks.disable(tx, context, [{ id, reason: 'failing' }]),
    );
    t.match(await shown(s, id), { disabledReason: reason, version: 2 }, 'it is not disabled twice');
    await numberNew(s.database, s.clock.now());
    const feed = (await s.inject('GET', '/v1/events?types=webhook.*')).json().data;
    t.equal(feed.length, 1);
    await s.database.write(context, (tx) =>
      s.services.webhooks.disable(tx, context, [
        { id, reason: 'failing' },
        { id: watcher, reason: 'failing' },
      ]),
    );
    t.match(await shown(s, watcher), { disabledReason: 'No delivery has succeeded for 5 days.' });
  });

  await t.test('to be active again, it has to be said what becomes of what it missed', async (t) => {
    const s = await service.forTenant('asking');
    const gone = await createReceiver(t, { respond: () => ({ status: 410 }) });
    const id = await make(s, gone.url);
    await customer(s, 'Anna');
    await deliverAll(t, s);
    const patch = (body: object) => s.inject('PATCH', `${PATH}/${id}`, { body });
    for (const status of ['active', 'paused']) {
      const refused = await patch({ status });
      t.match(refused.json(), {
        status: 422,
        code: 'resend_missed_required',
        errors: [{ pointer: '/resendMissed' }],
      });
    }
    t.equal((await patch({ description: 'gone' })).statusCode, 200, 'other changes need no such word');
    t.equal((await shown(s, id)).status, 'disabled');
    const revived = await patch({ status: 'active', resendMissed: false });
    t.match(revived.json(), { status: 'active', disabledReason: null, disabledAt: null });
    const { data } = (await s.inject('GET', `${PATH}/${id}/replays`)).json();
    t.same(data, [], 'and nothing is sent again');
  });

  await t.test('what it missed is sent if that is said: each event once, none twice', async (t) => {
    const s = await service.forTenant('missing');
    let status = 200;
    const receiver = await createReceiver(t, { respond: () => ({ status }) });
    const id = await make(s, receiver.url, { eventTypes: ['customer.created'] });
    await customer(s, 'before');
    await deliverAll(t, s);
    status = 410;
    await customer(s, 'the one that found out');
    await deliverAll(t, s);
    await customer(s, 'missed');
    await customer(s, 'missed as well');
    await deliverAll(t, s);
    t.equal(receiver.requests.length, 2, 'a disabled one is sent nothing');
    status = 200;
    s.clock.advance(1_000);
    const body = { status: 'active', resendMissed: true };
    const revived = await s.inject('PATCH', `${PATH}/${id}`, { body });
    t.equal(revived.statusCode, 200, revived.body);
    await customer(s, 'after');
    await replay(s);
    await deliverAll(t, s);
    const names = receiver.requests.map(({ json }) => {
      return (json as { data: { customer: { name: string } } }).data.customer.name;
    });
    t.same(names.slice(0, 2), ['before', 'the one that found out']);
    t.same(names.slice(2).sort(), ['after', 'missed', 'missed as well', 'the one that found out']);
    t.same(new Set(typesOf(receiver.requests)), new Set(['customer.created']));
    const ids = receiver.requests.map(({ headers }) => headers['webhook-id']);
    t.equal(new Set(ids).size, 5, 'the one that was tried before has the same id');
    const replayed = receiver.requests.filter(({ headers }) => headers['perennial-replay'] !== undefined);
    t.equal(replayed.length, 3);
  });

  await t.test('told in order, it hears what it missed before what happens now', async (t) => {
    const s = await service.forTenant('ordered');
    let isGone = false;
    const receiver = await createReceiver(t, { respond: () => ({ status: isGone ? 410 : 200 }) });
    const id = await make(s, receiver.url, { eventTypes: ['*'], ordering: 'per_customer' });
    const made = await s.inject('POST', '/v1/customers', { body: { name: 'Anna' } });
    const change = async (name: string) => {
      s.clock.advance(1_000);
      const changed = await s.inject('PATCH', `/v1/customers/${made.json().id}`, { body: { name } });
      t.equal(changed.statusCode, 200, changed.body);
    };
    await deliverAll(t, s);
    const before = receiver.requests.length;
    isGone = true;
    await change('Berta');
    await deliverAll(t, s);
    t.match(await shown(s, id), { status: 'disabled' });
    isGone = false;
    await change('Clara');
    await change('Dora');
    s.clock.advance(1_000);
    const body = { status: 'active', resendMissed: true };
    t.equal((await s.inject('PATCH', `${PATH}/${id}`, { body })).statusCode, 200);
    const asked = (await s.inject('GET', `${PATH}/${id}/replays`)).json().data;
    t.match(asked, [{ scope: 'missed' }, { scope: 'failed' }], 'newest first');
    await change('Emma');
    await deliverAll(t, s);
    t.equal(receiver.requests.length, before + 1, 'what happens now waits until the rest is in the queue');
    const first = await s.services.replays.advance(s.clock.now());
    t.match(first, { queued: 1, finished: 1, more: true }, 'what failed comes first');
    await deliverAll(t, s);
    await replay(s);
    await deliverAll(t, s);
    s.clock.advance(2_000);
    await deliverAll(t, s);
    const heard = receiver.requests.slice(before).map(({ json }) => {
      const { type, data } = json as { type: string; data: { customer?: { name: string } } };
      return data.customer?.name ?? type;
    });
    t.same(heard, ['Berta', 'Berta', 'Clara', 'Dora', 'Emma'], 'each once after the one that was refused');
    const { data: rest } = (await s.inject('GET', `${PATH}/${id}/deliveries?status=pending`)).json();
    t.same(rest, []);
  });
});
