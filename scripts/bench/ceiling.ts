// Owns the bare server that ratios are taken from: what anybody could write with Fastify and pg in an afternoon,
// without authentication, validation, tenancy or anything else of ours. Each request is one prepared statement on
// the tables that the service uses, through a pool of the same size. It is the entry of a process of its own.

import { randomUUID } from 'node:crypto';
import { fastify } from 'fastify';
import pg from 'pg';

const POOL_MAX = 10;

const tenantId = process.env.TENANT_ID;
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: POOL_MAX });
const app = fastify({ logger: false });

app.get<{ Params: { id: string } }>('/customers/:id', async ({ params }, reply) => {
  const { rows } = await pool.query({
    name: 'get-customer',
    text: 'SELECT * FROM customers WHERE tenant_id = $1 AND id = $2',
    values: [tenantId, params.id],
  });
  return rows[0] ?? reply.code(404).send({ error: 'not found' });
});

app.get<{ Querystring: { channel: string } }>('/customers', async ({ query }) => {
  const { rows } = await pool.query({
    name: 'list-customers',
    text: `SELECT * FROM customers WHERE tenant_id = $1 AND channel = $2 ORDER BY created_at DESC, id DESC LIMIT 50`,
    values: [tenantId, query.channel],
  });
  return { data: rows };
});

interface OrderBody {
  customer: string;
  externalId: { namespace: string; id: string };
  placedAt: string;
  amountMinor: number;
  currency: string;
  lines: object[];
}

app.post<{ Body: OrderBody }>('/orders', async ({ body }, reply) => {
  const { rows } = await pool.query({
    name: 'insert-order',
    text: `INSERT INTO orders (tenant_id, id, customer_id, namespace, external_id, status, placed_at, amount_minor,
                               refunded_minor, currency, categories, lines, refunds, fingerprint, version,
                               created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, 'placed', $6, $7, 0, $8, '{}', $9, '[]', '', 1, now(), now()) RETURNING *`,
    values: [
      tenantId,
      randomUUID(),
      body.customer,
      // Beside the service's own orders, which have the same ids in another namespace.
      `bare-${body.externalId.namespace}`,
      body.externalId.id,
      body.placedAt,
      body.amountMinor,
      body.currency,
      JSON.stringify(body.lines),
    ],
  });
  return reply.code(201).send(rows[0]);
});

process.once('SIGTERM', () => {
  app.close().then(
    () => pool.end(),
    () => process.exit(1),
  );
});

process.stdout.write(`${await app.listen({ host: '127.0.0.1', port: 0 })}\n`);
