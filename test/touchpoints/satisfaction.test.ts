// What customers answer when they are asked how satisfied they are: over HTTP, on a real Postgres.

import t from 'tap';
import { eventsOf } from '../customers/tables.js';
import { startService } from '../helpers/service.js';

const service = await startService(t);
const { inject, clock, services, database, tenant } = service;

const survey = { channel: 'mail', direction: 'inbound', kind: 'survey_answer' };

async function createCustomer(): Promise<string> {
  return (await inject('POST', '/v1/customers', { body: {} })).json().id;
}

async function record(body: object) {
  const response = await inject('POST', '/v1/touchpoints', { body: { ...survey, ...body } });
  return { status: response.statusCode, body: response.json() };
}

async function known(id: string) {
  return database.read(tenant.id, async (executor) => {
    const found = await services.transitions.find(executor, tenant.id, [{ kind: 'id', id }]);
    const customers = found.filter((customer) => customer !== undefined);
    const [read] = await services.transitions.histories.of(executor, tenant.id, customers);
    return { facts: customers[0]?.state?.facts, touchpoints: read?.history.touchpoints };
  });
}

t.test('an answer is kept, shown, told and counted, the last one on each scale', async (t) => {
  const customer = await createCustomer();
  t.notOk('satisfaction' in ((await known(customer)).facts ?? {}), 'there is none before the first');
  const nps = { scale: 'nps', score: 0 };
  const { status, body } = await record({ customer, satisfaction: nps });
  t.equal(status, 201);
  t.strictSame(body.satisfaction, nps);
  t.strictSame((await inject('GET', `/v1/touchpoints/${body.id}`)).json(), body);
  const [event] = (await eventsOf(service, customer)).filter(({ type }) => type === 'touchpoint.recorded');
  t.strictSame(event?.data.touchpoint, body);
  const first = clock.now().getTime();
  clock.advance(1_000);
  await record({ customer, satisfaction: { scale: 'csat', score: 5 } });
  clock.advance(1_000);
  await record({ customer, satisfaction: { scale: 'csat', score: 2 } });
  await record({ customer });
  const { facts, touchpoints } = await known(customer);
  t.strictSame(facts?.satisfaction, {
    nps: { score: 0, at: first },
    csat: { score: 2, at: clock.now().getTime() },
  });
  t.strictSame(
    touchpoints?.map(({ satisfaction }) => satisfaction),
    [nps, { scale: 'csat', score: 5 }, { scale: 'csat', score: 2 }, null],
  );
});

t.test('an answer that arrives late is not taken for the last one', async (t) => {
  const customer = await createCustomer();
  const at = clock.now().getTime();
  await record({ customer, satisfaction: { scale: 'csat', score: 4 } });
  const occurredAt = new Date(at - 86_400_000).toISOString();
  await record({ customer, occurredAt, satisfaction: { scale: 'csat', score: 1 } });
  await record({ customer, occurredAt, satisfaction: { scale: 'nps', score: 9 } });
  t.strictSame((await known(customer)).facts?.satisfaction, {
    csat: { score: 4, at },
    nps: { score: 9, at: at - 86_400_000 },
  });
});

t.test('a repeat with the same answer is harmless, with another or none a conflict', async (t) => {
  const customer = await createCustomer();
  const sent = { customer, externalId: { namespace: 'survey', id: '1' } };
  const satisfaction = { scale: 'csat', score: 3 };
  const first = await record({ ...sent, satisfaction });
  t.equal(first.status, 201);
  const again = await record({ ...sent, satisfaction });
  t.strictSame([again.status, again.body], [200, first.body]);
  for (const other of [
    {},
    { satisfaction: { scale: 'csat', score: 4 } },
    { satisfaction: { scale: 'nps', score: 3 } },
  ]) {
    t.equal((await record({ ...sent, ...other })).status, 409);
  }
});

t.test('an answer that is off its scale, or to no survey, is refused where it stands', async (t) => {
  const customer = await createCustomer();
  const cases: [object, string][] = [
    [{ satisfaction: { scale: 'csat', score: 0 } }, '/satisfaction/score'],
    [{ satisfaction: { scale: 'csat', score: 6 } }, '/satisfaction/score'],
    [{ satisfaction: { scale: 'nps', score: 11 } }, '/satisfaction/score'],
    [{ satisfaction: { scale: 'nps', score: -1 } }, '/satisfaction/score'],
    [{ satisfaction: { scale: 'csat', score: 2.5 } }, '/satisfaction/score'],
    [{ satisfaction: { scale: 'stars', score: 2 } }, '/satisfaction/scale'],
    [{ satisfaction: { score: 2 } }, '/satisfaction/scale'],
    [{ kind: 'call', satisfaction: { scale: 'csat', score: 2 } }, '/satisfaction'],
  ];
  for (const [body, pointer] of cases) {
    const refused = await record({ customer, ...body });
    t.equal(refused.status, 400, JSON.stringify(body));
    t.match(refused.body, { code: 'invalid_request', errors: [{ pointer }] });
  }
  t.equal((await known(customer)).touchpoints?.length, 0);
  const items = [
    { ...survey, customer, satisfaction: { scale: 'csat', score: 5 } },
    { ...survey, customer, kind: 'call', satisfaction: { scale: 'csat', score: 5 } },
  ];
  const { results } = (await inject('POST', '/v1/touchpoints/batch', { body: { items } })).json();
  t.match(results, [
    { status: 201 },
    { status: 400, problem: { errors: [{ pointer: '/items/1/satisfaction' }] } },
  ]);
});
