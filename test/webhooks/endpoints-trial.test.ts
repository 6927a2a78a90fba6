// Trying an endpoint out: samples that are sent, and previews that are not.

import { Webhook } from 'standardwebhooks';
import t from 'tap';
import { EVENT_TYPES } from '../../src/outbox/catalogue.js';
import { numberNew } from '../../src/outbox/number.js';
import { createReceiver } from '../helpers/receiver.js';
import { startService } from '../helpers/service.js';
import { apiOf } from '../routes/operations.js';
import { deliverAll } from '../routes/things.js';

const PATH = '/v1/webhook-endpoints';
const SECRET = `whsec_${Buffer.alloc(24, 3).toString('base64')}`;

t.test('trying an endpoint out', async (t) => {
  const service = await startService(t, { environment: { WEBHOOK_ALLOW_PRIVATE: 'true' } });
  const receiver = await createReceiver(t, { secret: SECRET });
  const api = apiOf(service.app);
  const make = async (body: object = {}) =>
    (await service.inject('POST', PATH, { body: { url: receiver.url, secret: SECRET, ...body } })).json();
  const feed = async () => (await service.inject('GET', '/v1/events?limit=200')).json().data;

  await t.test(
    'a sample of any type is sent, fits its schema, says that it is one, and is no event',
    async (t) => {
      const { id } = await make({
        eventTypes: ['ping'],
        filter: { field: 'country', op: 'eq', value: 'DE' },
      });
      for (const { type } of EVENT_TYPES) {
        const queued = await service.inject('POST', `${PATH}/${id}/test`, { body: { eventType: type } });
        t.equal(queued.statusCode, 202, queued.body);
        t.equal(queued.json().eventType, type);
      }
      await deliverAll(t, service);
      t.equal(receiver.requests.length, EVENT_TYPES.length);
      for (const { json, verified } of receiver.requests) {
        const event = json as { id: string; type: string; test?: true };
        t.ok(verified, event.type);
        t.equal(api.fault(api.webhooks.get(event.type) ?? {}, event), undefined, event.type);
        t.equal(event.test, event.type === 'ping' ? undefined : true, event.type);
      }
      await numberNew(service.database, service.clock.now());
      t.same(
        (await feed()).map(({ type }: { type: string }) => type),
        ['ping'],
      );
      const sample = receiver.requests.find(
        ({ json }) => (json as { type: string }).type === 'order.recorded',
      );
      const eventId = (sample?.json as { id: string } | undefined)?.id;
      t.same(
        (await service.inject('GET', `/v1/events/${eventId}`)).json(),
        sample?.json,
        'it can be looked up',
      );
      const real = await service.inject('POST', '/v1/customers', { body: { name: 'Anna' } });
      t.equal(real.statusCode, 201);
      const types = (await feed()).map(({ type }: { type: string }) => type);
      t.equal(types[0], 'ping');
      t.ok(
        types.includes('customer.created') && !types.includes('order.recorded'),
        'the feed goes on without them',
      );
    },
  );

  await t.test('a type that is none is refused, and a paused endpoint is sent nothing', async (t) => {
    const { id } = await make();
    const body = { eventType: 'customer.*' };
    t.match((await service.inject('POST', `${PATH}/${id}/test`, { body })).json(), {
      status: 400,
      errors: [{ pointer: '/eventType' }],
    });
    await service.inject('PATCH', `${PATH}/${id}`, { body: { status: 'paused' } });
    t.equal((await service.inject('POST', `${PATH}/${id}/test`)).statusCode, 409);
  });

  await t.test('a preview is the request as it would be sent, and nothing is', async (t) => {
    t.intercept(Date, 'now', { value: () => service.clock.now().getTime() });
    const { id } = await make({ url: `${receiver.url}/hook?a=b`, headers: { 'X-Team': 'growth' } });
    const before = receiver.requests.length;
    const preview = async (body?: object) => service.inject('POST', `${PATH}/${id}/preview`, { body });
    const ping = (await preview()).json();
    t.equal(ping.url, `${receiver.url}/hook?a=b`);
    t.match(ping.headers, { 'x-team': 'growth', 'content-type': 'application/json' });
    t.match(JSON.parse(ping.body), { type: 'ping', data: { endpointId: id } });
    t.doesNotThrow(() => new Webhook(SECRET).verify(ping.body, ping.headers));
    t.throws(() => new Webhook(SECRET).verify(`${ping.body} `, ping.headers));
    t.same(ping.matches, { eventTypes: true, filter: true });
    const sample = (await preview({ eventType: 'order.refunded' })).json();
    t.match(JSON.parse(sample.body), { type: 'order.refunded', test: true });

    const customer = (await service.inject('POST', '/v1/customers', { body: { country: 'AT' } })).json();
    t.ok(customer.id);
    const told = (await feed()).find((event: { data: { customer?: { id: string } } }) => {
      return event.data.customer?.id === customer.id;
    });
    const filter = { field: 'country', op: 'eq', value: 'DE' };
    await service.inject('PATCH', `${PATH}/${id}`, { body: { filter, eventTypes: ['order.*'] } });
    const past = (await preview({ eventId: told.id })).json();
    t.same(JSON.parse(past.body), told);
    t.equal(past.headers['webhook-id'], told.id);
    t.same(past.matches, { eventTypes: false, filter: false });
    t.equal((await preview({ eventId: customer.id })).statusCode, 404);
    const both = await preview({ eventId: told.id, eventType: 'ping' });
    t.match(both.json(), { status: 400, errors: [{ pointer: '/eventType' }] });
    await deliverAll(t, service);
    const since = receiver.requests.slice(before).map(({ path }) => path);
    t.notOk(
      receiver.requests
        .slice(before)
        .some(({ json }) => (json as { type: string }).type === 'order.refunded'),
      String(since),
    );
  });
});
