// A tenant of a hundred thousand: the rows of one that has some of everything, copied with ids and times of
// their own. Made by the database from its catalogue, past triggers and statistics: only plans are looked at.

import type { Rows } from './rows.js';
import type { Things } from './things.js';

const CROWD = 100_000;
/** Of what is beside the main thing: enough that nobody could take it for a few. */
const MANY = 30_000;
/** Of what comes and goes with people, and of what there is one for each change of the rules. */
const FEW = 2_000;
const VERSIONS = 300;

/** What differs from row to row, by column, in SQL over `g`. */
type Spread = Record<string, string>;

interface Copy {
  table: string;
  /** Which row of the tenant is copied. */
  of: string;
  count: number;
  spread: Spread;
}

/** Ids in the order of `g`; `kind` tells one table's from another's. */
const id = (kind: string) => `('${kind}a000-0000-7000-8000-' || lpad(to_hex(g), 12, '0'))::uuid`;
/** Two years around the present of the tests, several rows to the minute. */
const at = (offset = '') => `timestamptz '2025-03-01' + g * interval '10 minutes' ${offset}`;
const oneOf = (...values: string[]) => `(ARRAY['${values.join("','")}'])[1 + g % ${values.length}]`;

const CUSTOMER = id('0190');

function copies(things: Things): Copy[] {
  const { customerId, orderId, endpointId, touchpointId, apiKeyId, shadowPolicyId, shadowId } = things;
  const theirs = `customer_id = '${customerId}'`;
  return [
    {
      ...{ table: 'customers', of: `id = '${customerId}'`, count: CROWD },
      spread: {
        ...{
          id: CUSTOMER,
          created_at: at(),
          email: `'c' || g || '@example.com'`,
          owner: `'owner ' || g % 500`,
        },
        ...{
          channel: `'channel ' || g % 20`,
          country: oneOf('DE', 'FR', 'US', 'CN'),
          external_ids: `'[]'::jsonb`,
        },
      },
    },
    {
      ...{ table: 'customer_identities', of: `${theirs} AND namespace = 'crm'`, count: MANY },
      spread: { value: `'c' || g`, customer_id: CUSTOMER },
    },
    {
      ...{ table: 'customer_identities', of: `${theirs} AND namespace = 'email'`, count: MANY },
      spread: { value: `'c' || g || '@example.com'`, customer_id: CUSTOMER },
    },
    {
      ...{ table: 'customer_lifecycles', of: theirs, count: CROWD },
      spread: {
        ...{ customer_id: CUSTOMER, stage: `'new'` },
        ...{
          stage_since: at(),
          created_at: at(),
          last_order_at: at(),
          review_at: at(`+ interval '2 years'`),
        },
        due_at: at(`+ interval '2 years'`),
      },
    },
    {
      ...{ table: 'customer_tags', of: theirs, count: CROWD },
      // Many have the tag that is asked for: a list by it still reads no more than its page.
      spread: {
        tag: `CASE WHEN g % 2 = 0 THEN '${things.tag}' ELSE 'tag ' || g % 20 END`,
        created_at: at(),
        customer_id: CUSTOMER,
      },
    },
    {
      table: 'customer_attribute_facts',
      of: theirs,
      count: MANY,
      spread: { customer_id: CUSTOMER, id: id('0191') },
    },
    {
      ...{ table: 'orders', of: `id = '${orderId}'`, count: CROWD },
      spread: {
        ...{ id: id('0192'), customer_id: CUSTOMER, external_id: `'o' || g`, placed_at: at() },
        status: `'placed'`,
      },
    },
    {
      ...{ table: 'touchpoints', of: `id = '${touchpointId}'`, count: CROWD },
      spread: {
        ...{ id: id('0193'), customer_id: CUSTOMER, external_id: `'t' || g`, occurred_at: at() },
        channel: `'channel ' || g % 20`,
      },
    },
    {
      ...{ table: 'transitions', of: `${theirs} AND superseded_at IS NULL`, count: CROWD },
      spread: {
        ...{ id: id('0194'), customer_id: CUSTOMER, effective_at: at(), cause: `'order'`, to_stage: `'new'` },
        superseded_at: 'CASE WHEN g % 10 = 0 THEN now() END',
      },
    },
    {
      table: 'manual_moves',
      of: theirs,
      count: MANY,
      spread: { id: id('0195'), customer_id: CUSTOMER, effective_at: at() },
    },
    {
      ...{ table: 'events', of: `type = 'order.recorded' AND position IS NOT NULL`, count: CROWD },
      spread: {
        ...{ id: id('0196'), customer_id: CUSTOMER, occurred_at: at(), recorded_at: at(), sequence: '1' },
        ...{
          type: oneOf('order.recorded', 'customer.updated', 'customer.declining'),
          position: `1000000 + g`,
        },
      },
    },
    {
      ...{ table: 'deliveries', of: `endpoint_id = '${endpointId}' AND status = 'succeeded'`, count: CROWD },
      spread: {
        ...{ id: id('0197'), event_id: id('0196'), endpoint_id: `'${endpointId}'::uuid`, created_at: at() },
        ...{
          status: `CASE WHEN g % 50 = 0 THEN 'pending' ELSE 'succeeded' END`,
          due_at: `CASE WHEN g % 50 = 0 THEN ${at()} END`,
          finished_at: `CASE WHEN g % 50 <> 0 THEN ${at()} END`,
        },
      },
    },
    {
      ...{ table: 'delivery_attempts', of: `endpoint_id = '${endpointId}'`, count: MANY },
      spread: { delivery_id: id('0197'), number: '1', started_at: at() },
    },
    {
      ...{ table: 'webhook_replays', of: 'true', count: FEW },
      spread: { id: id('0198'), status: `'done'`, created_at: at(), due_at: 'NULL' },
    },
    {
      ...{ table: 'idempotency_keys', of: 'true', count: MANY },
      spread: { key: `'key ' || g`, created_at: at() },
    },
    {
      table: 'api_keys',
      of: `id = '${apiKeyId}'`,
      count: FEW,
      spread: { id: id('0199'), key_hash: `sha256(g::text::bytea)` },
    },
    {
      table: 'recomputations',
      of: 'true',
      count: FEW,
      spread: { id: id('019a'), created_at: at(), due_at: 'NULL' },
    },
    {
      ...{ table: 'customer_predictions', of: theirs, count: CROWD },
      spread: { customer_id: CUSTOMER, p_alive: 'g / 100001.0', expected_orders_90: 'g / 10000.0' },
    },
    {
      ...{ table: 'customer_values', of: theirs, count: CROWD },
      spread: { customer_id: CUSTOMER, future_minor: 'g' },
    },
    {
      table: 'model_fits',
      of: 'true',
      count: FEW,
      spread: { id: id('019c'), created_at: at(), due_at: 'NULL' },
    },
    {
      ...{ table: 'backtests', of: 'true', count: FEW },
      spread: { id: id('019c'), status: `'done'`, created_at: at(), due_at: 'NULL' },
    },
    {
      ...{ table: 'shadows', of: 'true', count: FEW },
      spread: { policy_id: id('019c'), status: `'stopped'`, due_at: 'NULL', claim_token: 'NULL' },
    },
    {
      ...{ table: 'shadow_customers', of: `policy_id = '${shadowPolicyId}'`, count: CROWD },
      spread: {
        ...{ customer_id: CUSTOMER, differs: 'true', stage: oneOf('prospect', 'churned') },
        ...{ live_stage: oneOf('new', 'mature', 'declining'), due_at: at(`+ interval '2 years'`) },
      },
    },
    {
      ...{ table: 'shadow_transitions', of: `policy_id = '${shadowPolicyId}'`, count: CROWD },
      spread: { id: id('019d'), customer_id: CUSTOMER, effective_at: at() },
    },
    {
      ...{ table: 'shadow_marks', of: `policy_id = '${shadowPolicyId}'`, count: CROWD },
      spread: { customer_id: CUSTOMER, marked_at: at(), version: 'g' },
    },
    {
      ...{ table: 'shadow_counts', of: `policy_id = '${shadowPolicyId}'`, count: FEW },
      spread: { policy_id: id('019c') },
    },
    { table: 'calibrations', of: 'true', count: VERSIONS, spread: { version: '1000 + g', created_at: at() } },
    {
      ...{ table: 'policies', of: 'version IS NOT NULL', count: VERSIONS },
      spread: { id: id('019c'), version: '1000 + g', created_at: at(), status: `'retired'` },
    },
    {
      ...{ table: 'policies', of: `status = 'draft'`, count: FEW },
      spread: { id: id('019d'), created_at: at() },
    },
    {
      ...{ table: 'policy_previews', of: `policy_id = '${shadowId}'`, count: MANY },
      spread: { id: id('019e'), created_at: at(), due_at: 'NULL', status: `'done'` },
    },
  ];
}

/** No statistics are gathered, also not by a vacuum that happens to come by. */
export async function crowd(rows: Rows, things: Things): Promise<void> {
  for (const table of rows.tenantTables) {
    await rows.query(`ALTER TABLE ${table} SET (autovacuum_enabled = false)`);
  }
  const statements = await Promise.all(copies(things).map((copy) => statementOf(rows, copy)));
  await rows.withoutTriggers(async (query) => {
    for (const statement of statements) {
      const copied = await query(statement, [things.tenantId]);
      if (copied.length === 0) throw new Error(`there was no row to copy by ${statement}`);
    }
    await query(
      `INSERT INTO tenants SELECT (jsonb_populate_record(t, jsonb_build_object(
                   'id', ${id('019b')}, 'slug', 't' || g))).*
                   FROM tenants t, generate_series(1, ${FEW}) g WHERE t.id = $1`,
      [things.tenantId],
    );
  });
}

async function statementOf(rows: Rows, { table, of, count, spread }: Copy): Promise<string> {
  const columns = await rows.query<{ name: string; type: string }>(
    `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
      WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum`,
    [table],
  );
  const strays = Object.keys(spread).filter((name) => !columns.some((column) => column.name === name));
  if (strays.length > 0) throw new Error(`${table} has no ${strays.join(', ')}`);
  const selected = columns.map(({ name, type }) => {
    const own = spread[name];
    return own === undefined ? `one."${name}"` : `(${own})::${type}`;
  });
  const names = columns.map(({ name }) => `"${name}"`).join(', ');
  // The copied row is read before the rows of the copy are there.
  return `WITH one AS MATERIALIZED (SELECT * FROM ${table} WHERE tenant_id = $1 AND ${of} LIMIT 1)
    , copied AS (
      INSERT INTO ${table} (${names}) SELECT ${selected.join(', ')} FROM one, generate_series(1, ${count}) g RETURNING 1)
    SELECT FROM copied LIMIT 1`;
}
