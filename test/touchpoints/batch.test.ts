// Many touchpoints at once, over HTTP, on a real Postgres.

import t from 'tap';
import { PLACED_AT_ONCE_MIN } from '../../src/outbox/number.js';
import { createTouchpointsService } from '../../src/touchpoints/service.js';
import { counted } from '../customers/counted.js';
import { eventsOf } from '../customers/tables.js';
import { startService } from '../helpers/service.js';

const service = await startService(t);
const { inject, database, services, clock } = service;

const call = { channel: 'phone', direction: 'outbound', kind: 'call' } as const;

async function createCustomer(): Promise<string> {
  return (await inject('POST', '/v1/customers', { body: {} })).json().id;
}

async function batch(items: unknown[], extras: object = {}) {
  const response = await inject('POST', '/v1/touchpoints/batch', { body: { items, ...extras } });
  return { status: response.statusCode, results: response.json().results };
}

t.test('each item succeeds or fails for itself, in its place', async (t) => {
  const [ann, bo] = [await createCustomer(), await createCustomer()];
  const externalId = { namespace: 'calls', id: '1' };
  const { status, results } = await batch([
    { ...call, customer: ann, externalId },
    { ...call, customer: 'ext:shop:nobody' },
    { ...call, customer: bo },
    { ...call, customer: bo, mood: 'good' },
    { ...call, customer: ann, externalId },
    { ...call, customer: ann, externalId, note: 'x' },
    { ...call, customer: ann },
  ]);
  t.equal(status, 207);
  const told = results.map(
    (result: { status: number; problem?: { code: string; errors: { pointer: string }[] } }) => [
      result.status,
      result.problem?.code,
      result.problem?.errors[0]?.pointer,
    ],
  );
  t.strictSame(told, [
    [201, undefined, undefined],
    [404, 'customer_not_found', '/items/1/customer'],
    [201, undefined, undefined],
    [400, 'invalid_request', '/items/3/mood'],
    [200, undefined, undefined],
    [409, 'touchpoint_already_exists', '/items/5/externalId'],
    [201, undefined, undefined],
  ]);
  t.equal(results[4].data.id, results[0].data.id);
  t.equal(results[5].problem.touchpointId, results[0].data.id);
  const interactions = async (id: string) =>
    (await inject('GET', `/v1/customers/${id}`)).json().facts.interactions;
  t.equal(await interactions(ann), 2);
  t.equal(await interactions(bo), 1);
});

t.test('a backfill enters the feed and is not delivered', async (t) => {
  const customer = await createCustomer();
  await batch([{ ...call, customer }], { backfill: true });
  await batch([{ ...call, customer }]);
  const events = (await eventsOf(service, customer)).filter(({ type }) => type === 'touchpoint.recorded');
  t.strictSame(
    events.map(({ deliver }) => deliver),
    [false, true],
  );
});

t.test('a thousand items take as many statements as forty', async (t) => {
  const counting = counted(database);
  const touchpoints = createTouchpointsService({
    database: counting.database,
    transitions: services.transitions,
  });
  async function statementsOf(count: number): Promise<number> {
    const items = Array.from({ length: count }, (_, index) => ({
      externalIds: [{ namespace: `n${count}`, id: `${index}` }],
    }));
    await inject('POST', '/v1/customers/batch', { body: { items } });
    clock.advance(1);
    const before = counting.statements();
    const inputs = items.map((_, index) => ({
      ...call,
      customer: `ext:n${count}:${index}`,
      externalId: { namespace: `calls${count}`, id: `${index}` },
    }));
    const outcomes = await touchpoints.record(service.context(), inputs, { backfill: false });
    t.ok(outcomes.every((outcome) => 'recorded' in outcome && outcome.recorded));
    return counting.statements() - before;
  }
  // Enough for their events, or those of the half that changes, to have their places in the feed at once.
  const few = await statementsOf(2 * PLACED_AT_ONCE_MIN);
  t.ok(few > 0);
  t.equal(await statementsOf(1000), few);
});
