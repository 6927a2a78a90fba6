import pg from 'pg';
import t from 'tap';
import { EVENT_TYPES } from '../../src/outbox/catalogue.js';
import { FACTS_SQL, factsOfBody } from '../../src/outbox/facts.js';
import { createTestDatabase } from '../helpers/postgres.js';

t.test('the facts of an event are the same in the database as here, for each type', async (t) => {
  const { url } = await createTestDatabase(t);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const odd = [
    { data: { customer: null, transition: { to: 'b', from: null } } },
    { data: { customer: 'text', order: [1] } },
    { data: [] },
    {},
    {
      data: {
        customer: { attributes: { a: null, b: [null], c: {} } },
        order: { amountMinor: 0, currency: 'EUR' },
      },
    },
  ];
  for (const event of [...EVENT_TYPES.map(({ example }) => example), ...odd]) {
    const body = JSON.stringify(event);
    const { rows } = await client.query<{ facts: object }>(
      `SELECT ${FACTS_SQL('e.body')} AS facts FROM (SELECT $1::text AS body) e`,
      [body],
    );
    // Nulls within attributes stand for nothing in either, and the database leaves them out.
    const here = JSON.parse(JSON.stringify(factsOfBody(body)), (_, value) =>
      value === null ? undefined : value,
    );
    const there = JSON.parse(JSON.stringify(rows[0]?.facts), (_, value) =>
      value === null ? undefined : value,
    );
    t.same(there, here, body);
  }
  await client.end();
});

t.test('the stage of a transition is the one that it leads to, whatever came after it', async (t) => {
  const customer = { stage: 'churned', country: 'DE', attributes: {} };
  const transition = { from: 'mature', to: 'declining' };
  const facts = factsOfBody(JSON.stringify({ data: { customer, transition } }));
  t.same(facts, { stage: 'declining', previousStage: 'mature', country: 'DE', attributes: {} });
  t.equal(factsOfBody(JSON.stringify({ data: { customer } })).stage, 'churned');
});
