// Owns the measurement of single requests beside the bare server: reading a customer, a list, recording an order.

import { startServer } from '../child.js';
import type { Bench, Group } from '../group.js';
import { compare, type Requests } from '../load.js';
import { besideCeiling, type Row } from '../rows.js';
import { makeOrder, populate } from '../sales.js';
import { openStage, type Stage } from '../stage.js';

const FLOORS = { get: 0.4, list: 0.5, post: 0.2 };
const CUSTOMERS = 10_000;
const CHANNELS = 20;
/** Paths that a connection goes through before it begins anew. */
const PATHS = 64;
const BARE = new URL('../ceiling.js', import.meta.url);

export const requests: Group = { name: 'requests', run };

async function run(bench: Bench): Promise<Row[]> {
  const stage = await openStage(bench);
  const [tenant] = await stage.query<{ id: string }>('SELECT id FROM tenants');
  if (tenant === undefined) throw new Error('the service has opened no tenant');
  bench.say(`making ${CUSTOMERS} customers`);
  const ids = await populate(stage.api, CUSTOMERS);
  await spreadOverChannels(stage);
  const environment = { DATABASE_URL: stage.databaseUrl, TENANT_ID: tenant.id };
  const bare = await startServer(bench.lifetime, { entry: BARE, environment });
  const service = { url: stage.service.url, headers: { authorization: `Bearer ${stage.key}` } };

  bench.say('reading a customer');
  const get = await compare(
    { ...service, requests: (connection) => reading(ids, connection, (id) => `/v1/customers/${id}`) },
    { ...bare, requests: (connection) => reading(ids, connection, (id) => `/customers/${id}`) },
  );
  bench.say('listing 50 customers');
  const list = await compare(
    {
      ...service,
      requests: (connection) => listing(connection, (it) => `/v1/customers?channel=${it}&limit=50`),
    },
    { ...bare, requests: (connection) => listing(connection, (it) => `/customers?channel=${it}`) },
  );
  bench.say('recording an order');
  const post = await compare(
    { ...service, requests: () => ordering(ids, '/v1/orders') },
    { ...bare, requests: () => ordering(ids, '/orders') },
  );
  return [
    besideCeiling('GET a customer by id', get, FLOORS.get),
    besideCeiling('GET a list of 50, filtered', list, FLOORS.list),
    besideCeiling('POST an order', post, FLOORS.post),
  ];
}

/** A list has something to filter by. */
async function spreadOverChannels({ query }: Stage): Promise<void> {
  await query(`UPDATE customers SET channel = 'c' || (hashtext(id::text) & 2147483647) % ${CHANNELS}`);
}

/** Every connection begins at another customer. */
function reading(ids: readonly string[], connection: number, pathOf: (id: string) => string): Requests {
  return Array.from({ length: PATHS }, (_, index) => {
    const id = ids[(connection * PATHS + index * 7) % ids.length] ?? '';
    return { method: 'GET', path: pathOf(id) };
  });
}

function listing(connection: number, pathOf: (channel: string) => string): Requests {
  return Array.from({ length: CHANNELS }, (_, index) => {
    return { method: 'GET', path: pathOf(`c${(connection + index) % CHANNELS}`) };
  });
}

let ordered = 0;

/** A new order at each request, of one customer after the other. */
function ordering(ids: readonly string[], path: string): Requests {
  const headers = { 'content-type': 'application/json' };
  const setupRequest: NonNullable<Requests[number]['setupRequest']> = (request) => {
    ordered += 1;
    const customer = ids[(ordered * 7) % ids.length] ?? '';
    return { ...request, body: JSON.stringify(makeOrder({ customer, placedAt: new Date() })) };
  };
  return [{ method: 'POST', path, headers, setupRequest }];
}
