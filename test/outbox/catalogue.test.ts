import t from 'tap';
import { Compile } from 'typebox/compile';
import { EVENT_TYPES } from '../../src/outbox/catalogue.js';
import { EVENT_NAMES } from '../../src/outbox/topics.js';
import { registerFormats } from '../../src/plugins/validation/formats.js';
import { startService } from '../helpers/service.js';

interface Listed {
  type: string;
  topics: string[];
  schema: Record<string, unknown>;
  example: unknown;
}

registerFormats();

function faults(schema: Record<string, unknown>, value: unknown): string[] {
  const { $defs, ...root } = schema;
  // The library takes definitions beside the schema, by the references that name them.
  const definitions = Object.entries($defs as Record<string, unknown>).map(([name, part]) => [
    `#/$defs/${name}`,
    part,
  ]);
  const validator = Compile(Object.fromEntries(definitions), root);
  return validator.Check(value)
    ? []
    : validator.Errors(value).map((fault) => `${fault.instancePath} ${fault.message}`);
}

t.test('the catalogue', async (t) => {
  const service = await startService(t);
  const response = await service.inject('GET', '/v1/event-types');
  t.equal(response.statusCode, 200, response.body);
  const listed: Listed[] = response.json().data;

  await t.test('it lists every type, each with a schema that is complete in itself', async (t) => {
    t.same(
      listed.map(({ type }) => type),
      [...EVENT_NAMES],
    );
    for (const { type, schema } of listed) {
      const { $defs, ...root } = schema as { $defs: Record<string, unknown> };
      const text = JSON.stringify([root, $defs]);
      const references = [...text.matchAll(/"\$ref":"([^"]*)"/g)].map(([, reference]) => reference ?? '');
      t.ok(
        references.every((reference) => reference.replace('#/$defs/', '') in $defs),
        type,
      );
    }
  });

  await t.test('each example fits its schema, and no other', async (t) => {
    for (const { type, schema, example } of listed) {
      t.same(faults(schema, example), [], type);
      t.not(faults(schema, { ...(example as object), type: 'other' }).length, 0, `${type} by another name`);
      t.not(faults(schema, { ...(example as object), surplus: 1 }).length, 0, `${type} with more`);
      const deep = structuredClone(example) as { data: { customer?: { kind: string } } };
      if (deep.data.customer === undefined) continue;
      deep.data.customer.kind = 'robot';
      t.not(faults(schema, deep).length, 0, `${type} with a fault deep within`);
    }
  });

  await t.test('the document has a webhook for each', async (t) => {
    const document = (await service.inject('GET', '/openapi.json')).json();
    t.same(Object.keys(document.webhooks).sort(), [...EVENT_NAMES].sort());
    t.equal(EVENT_TYPES.length, EVENT_NAMES.length);
  });

  await t.test('every event that the service tells fits its schema', async (t) => {
    const schemas = new Map(listed.map(({ type, schema }) => [type, schema]));
    const post = async (url: string, body: object) => {
      const answer = await service.inject('POST', url, { body });
      t.ok(answer.statusCode < 300, answer.body);
      return answer.json();
    };
    const customer = await post('/v1/customers', {
      name: 'Anna',
      email: 'anna@example.com',
      country: 'DE',
      attributes: { tier: 'gold', points: 3, tags: ['a'] },
      externalIds: [{ namespace: 'crm', id: '1' }],
    });
    await service.inject('PATCH', `/v1/customers/${customer.id}`, { body: { owner: 'chen', email: null } });
    const order = (id: string, placedAt: string) => ({
      customer: customer.id,
      externalId: { namespace: 'shop', id },
      placedAt,
      amountMinor: 2_000,
      currency: 'EUR',
      lines: [{ product: 'A', category: 'tea', quantity: 2, unitPriceMinor: 1_000 }],
    });
    await post('/v1/orders', order('1', '2025-01-05T00:00:00Z'));
    await post('/v1/orders', order('2', '2025-02-05T00:00:00Z'));
    await post('/v1/orders', order('3', '2025-03-05T00:00:00Z'));
    await post('/v1/orders', order('4', service.clock.now().toISOString()));
    const { customer: _, externalId: __, ...replacement } = order('4', service.clock.now().toISOString());
    const put = await service.inject('PUT', '/v1/orders/ext:shop:4', {
      body: { ...replacement, customer: customer.id, amountMinor: 2_500 },
    });
    t.ok(put.statusCode < 300, put.body);
    await post('/v1/orders/ext:shop:4/refunds', { externalId: 'r1', amountMinor: 500 });
    await post('/v1/orders/ext:shop:2/cancel', {});
    await post('/v1/touchpoints', {
      customer: customer.id,
      channel: 'phone',
      direction: 'outbound',
      kind: 'call',
      note: 'line one\nline two',
    });
    await post(`/v1/customers/${customer.id}/transitions`, { to: 'churned', reason: 'told us so' });
    const live = (await service.inject('GET', '/v1/policies/live')).json();
    const policy = { ...live.policy, timeZone: 'Europe/Berlin' };
    await service.inject('PUT', '/v1/policies/live', { body: { policy, effectiveFrom: 'now' } });
    service.clock.advance(400 * 86_400_000);
    await service.services.transitions.advanceDue(service.clock.now());
    await post('/v1/orders', order('5', service.clock.now().toISOString()));
    const late = new Date(service.clock.now().getTime() - 100 * 86_400_000);
    await post('/v1/orders', order('6', late.toISOString()));

    const { data } = (await service.inject('GET', '/v1/events?limit=200')).json();
    for (const event of data) t.same(faults(schemas.get(event.type) ?? {}, event), [], event.type);
    const told = new Set(data.map((event: { type: string }) => event.type));
    for (const type of [
      'customer.created',
      'customer.updated',
      'customer.stage_changed',
      'customer.declining',
      'customer.churned',
      'customer.reactivated',
      'customer.transition_retracted',
      'order.recorded',
      'order.updated',
      'order.refunded',
      'order.cancelled',
      'touchpoint.recorded',
      'policy.activated',
    ]) {
      t.ok(told.has(type), `${type} is among them`);
    }
  });
});
