// Many customers at once: over HTTP, and as orders bring them along; on a real Postgres.

import t from 'tap';
import { createCustomersService } from '../../src/customers/service.js';
import { PerennialError } from '../../src/errors.js';
import { PLACED_AT_ONCE_MIN } from '../../src/outbox/number.js';
import { startService } from '../helpers/service.js';
import { counted } from './counted.js';
import { eventsOf } from './tables.js';

const service = await startService(t);
const { inject, services, database, clock } = service;

async function batch(items: unknown[], extras: object = {}) {
  const response = await inject('POST', '/v1/customers/batch', { body: { items, ...extras } });
  return { status: response.statusCode, results: response.json().results, body: response.json() };
}

async function read(ref: string) {
  return (await inject('GET', `/v1/customers/${ref}`)).json();
}

const shop = (id: string) => ({ namespace: 'shop', id });

t.test(
  'items with a known external id change its customer, the others create one, in their order',
  async (t) => {
    const known = await inject('PUT', '/v1/customers/ext:shop:known', {
      body: { name: 'Ann', owner: 'kim' },
    });
    const { status, results } = await batch([
      { externalIds: [shop('known'), shop('also')], name: 'Anna' },
      { externalIds: [shop('new')], name: 'Bo' },
      { name: 'Cy' },
      { externalIds: [shop('new')], owner: 'lee' },
      { externalIds: [shop('also')] },
    ]);
    t.equal(status, 207);
    t.strictSame(
      results.map((result: { status: number }) => result.status),
      [200, 201, 201, 200, 200],
    );
    t.equal(results[0].data.id, known.json().id);
    t.equal(results[3].data.id, results[1].data.id);
    t.equal(results[4].data.id, known.json().id);
    t.match(await read('ext:shop:also'), { name: 'Anna', owner: 'kim' });
    t.match(await read('ext:shop:new'), { name: 'Bo', owner: 'lee', stage: 'prospect' });
    const events = await eventsOf(service, results[1].data.id);
    // A batch is one change: what two of its items made of a customer is told once.
    t.match(events, [
      { type: 'customer.created', data: { customer: { name: 'Bo', owner: 'lee', stage: 'prospect' } } },
      { type: 'customer.stage_changed' },
    ]);
    t.equal(events.length, 2);
  },
);

t.test('items that take each other back change nothing', async (t) => {
  const url = '/v1/customers/ext:shop:back';
  const before = (await inject('PUT', url, { body: { owner: 'kim' } })).json();
  await batch([
    { externalIds: [shop('back')], owner: 'lee' },
    { externalIds: [shop('back')], owner: 'kim' },
  ]);
  t.match(await read('ext:shop:back'), before);
  t.strictSame(
    (await eventsOf(service, before.id)).map(({ type }) => type),
    ['customer.created', 'customer.stage_changed'],
  );
});

t.test('one item’s failure leaves the others done, and says where it lies', async (t) => {
  const taken = (await inject('POST', '/v1/customers', { body: { email: 'taken@example.com' } })).json();
  const { status, results } = await batch([
    { externalIds: [shop('f1')] },
    { externalIds: [shop('f2')], email: 'taken@example.com' },
    { externalIds: [shop('f3')], phone: '0171' },
    { externalIds: [shop('f4')], nickname: 'x' },
    'nobody',
    { externalIds: [shop('f5')], email: 'f5@example.com' },
    // Two customers are claimed to have one address: the first that asked for it keeps it.
    { externalIds: [shop('f6')], email: 'f5@example.com' },
    // One item that names two customers.
    { externalIds: [shop('f1'), shop('f5')] },
    { externalIds: [shop('f7')] },
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
    [409, 'identity_taken', '/items/1/email'],
    [400, 'invalid_request', '/items/2/phone'],
    [400, 'invalid_request', '/items/3/nickname'],
    [400, 'invalid_request', '/items/4'],
    [201, undefined, undefined],
    [409, 'identity_taken', '/items/6/email'],
    [409, 'identity_taken', '/items/7/externalIds/1'],
    [201, undefined, undefined],
  ]);
  t.match(results[1].problem, { customerId: taken.id, namespace: 'email' });
  t.equal(results[6].problem.customerId, results[5].data.id);
  for (const ref of ['f2', 'f3', 'f4', 'f6']) {
    t.equal((await inject('GET', `/v1/customers/ext:shop:${ref}`)).statusCode, 404, ref);
  }
  t.match(await read('ext:shop:f1'), { externalIds: [shop('f1')] });
});

t.test('an identity that an earlier item gives up is free for a later one', async (t) => {
  await inject('PUT', '/v1/customers/ext:shop:from', { body: { email: 'moves@example.com' } });
  const { results } = await batch([
    { externalIds: [shop('from')], email: 'moved@example.com' },
    { externalIds: [shop('to')], email: 'moves@example.com' },
  ]);
  t.match(results, [{ status: 200 }, { status: 201 }]);
  t.equal((await read('ext:email:moves@example.com')).id, results[1].data.id);
  t.equal((await read('ext:email:moved@example.com')).id, results[0].data.id);
});

t.test('a backfill enters the feed and is not delivered', async (t) => {
  const { results } = await batch([{ externalIds: [shop('old')] }], { backfill: true });
  const quiet = await eventsOf(service, results[0].data.id);
  t.ok(quiet.length > 0);
  t.ok(quiet.every(({ deliver }) => !deliver));
  const { results: loud } = await batch([{ externalIds: [shop('current')] }]);
  t.ok((await eventsOf(service, loud[0].data.id)).some(({ deliver }) => deliver));
});

t.test('a batch has 1 to 1,000 items', async (t) => {
  const items = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ externalIds: [shop(`n${index}`)] }));
  t.equal((await batch(items(0))).status, 400);
  t.equal((await batch(items(1001))).status, 400);
  const { status, results } = await batch(items(1000));
  t.equal(status, 207);
  t.equal(results.length, 1000);
  t.equal(new Set(results.map((result: { data: { id: string } }) => result.data.id)).size, 1000);
});

t.test('a thousand items take as many statements as forty', async (t) => {
  const counting = counted(database);
  const { transitions, touchpoints, models } = services;
  const customers = createCustomersService({ database: counting.database, transitions, touchpoints, models });
  async function statementsOf(count: number): Promise<number> {
    const item = (index: number) => ({
      externalIds: [shop(`s${count}-${index}`)],
      email: `s${count}-${index}@example.com`,
      owner: 'kim',
    });
    const before = counting.statements();
    await customers.batch(
      service.context(),
      Array.from({ length: count }, (_, index) => item(index)),
      {
        backfill: false,
      },
    );
    // The same customers again, half of them changed.
    const again = Array.from({ length: count }, (_, index) => ({
      ...item(index),
      owner: index % 2 === 0 ? 'lee' : 'kim',
    }));
    await customers.batch(service.context(), again, { backfill: false });
    return counting.statements() - before;
  }
  // Enough for their events, or those of the half that changes, to have their places in the feed at once.
  const few = await statementsOf(2 * PLACED_AT_ONCE_MIN);
  t.ok(few > 0);
  t.equal(await statementsOf(1000), few);
});

t.test('two batches at once that name the same customers both succeed', async (t) => {
  const ids = Array.from({ length: 50 }, (_, index) => `both${index}`);
  const [one, two] = await Promise.all([
    batch(ids.map((id) => ({ externalIds: [shop(id)], owner: 'kim' }))),
    batch(ids.toReversed().map((id) => ({ externalIds: [shop(id)], channel: 'web' }))),
  ]);
  t.ok(
    [...one.results, ...two.results].every(
      ({ status }: { status: number }) => status === 200 || status === 201,
    ),
  );
  for (const id of ids.slice(0, 5)) t.match(await read(`ext:shop:${id}`), { owner: 'kim', channel: 'web' });
});

t.test('orders lock those whom they name, by one statement', async (t) => {
  const ann = (
    await inject('PUT', '/v1/customers/ext:shop:ann', { body: { email: 'ann@example.com' } })
  ).json();
  const counting = counted(database);
  const resolved = await counting.database.write(service.context(), (tx) =>
    services.customers.resolveOrAdmit(tx, service.context(), [
      { index: 0, ref: ann.id },
      { index: 1, ref: 'ext:shop:ann' },
      { index: 2, ref: 'ext:shop:nobody' },
      { index: 3, ref: 'ext:email:ann@example.com' },
    ]),
  );
  // The lock brings the versions of the policy along; where somebody is not found, it is asked why.
  t.equal(counting.statements(), 2);
  const [first, second, third, fourth] = [0, 1, 2, 3].map((index) => resolved.customers.get(index));
  t.match(first, { snapshot: { id: ann.id } });
  t.equal(second, first, 'the same customer is the same object');
  t.equal(fourth, first);
  t.ok(third instanceof PerennialError);
  t.match(third, { kind: 'not_found', code: 'customer_not_found', faults: [{ pointer: '/customer' }] });
  t.strictSame(resolved.admitted, []);
});

t.test('orders find inline customers by anything they are known by, and admit the rest', async (t) => {
  const known = (
    await inject('POST', '/v1/customers', { body: { email: 'inline@example.com', name: 'Di' } })
  ).json();
  const other = (await inject('POST', '/v1/customers', { body: { phone: '+491714444444' } })).json();
  const context = service.context();
  const { customers, admitted } = await database.write(context, async (tx) => {
    const resolved = await services.customers.resolveOrAdmit(tx, context, [
      { index: 10, inline: { email: 'Inline@example.com', externalIds: [shop('inline')], name: 'Diana' } },
      { index: 11, inline: { externalIds: [shop('fresh')] } },
      { index: 12, ref: 'ext:shop:fresh' },
      { index: 13, inline: { email: 'inline@example.com', phone: '+491714444444' } },
      { index: 14, inline: { email: 'nobody' } },
      { index: 15, inline: { phone: '+491714444444' } },
    ]);
    await services.transitions.advanceCustomers(tx, context, resolved.admitted, {
      mode: 'write',
      deliver: true,
    });
    return resolved;
  });
  const of = (index: number) => customers.get(index);
  t.match(of(10), { snapshot: { id: known.id, name: 'Diana', externalIds: [shop('inline')] } });
  t.equal(of(12), of(11), 'a later item may name whom an earlier one has brought');
  t.match(of(13), {
    code: 'identity_taken',
    members: { customerId: other.id },
    faults: [{ pointer: '/customer/phone' }],
  });
  t.match(of(14), { code: 'invalid_request', faults: [{ pointer: '/customer/email' }] });
  t.match(of(15), { snapshot: { id: other.id } });
  t.strictSame(
    admitted.map(({ customer, events }) => [customer.snapshot.name, events?.map(({ type }) => type)]),
    [
      ['Diana', ['customer.updated']],
      [null, ['customer.created']],
    ],
  );
  t.equal(admitted[1]?.customer, of(11));
  t.match(await read('ext:shop:inline'), { id: known.id, name: 'Diana' });
  t.match(await read('ext:shop:fresh'), { stage: 'prospect', createdAt: clock.now().toISOString() });
});
