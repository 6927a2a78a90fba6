// No statement of the service costs more because its tenant has more: the statements are collected while the
// routes and the jobs are exercised, so that a new one is looked at too, and then planned on a tenant of a hundred
// thousand, before Postgres knows anything of it and after.

import t, { type Test } from 'tap';
import { runOnce as pruneDeliveries } from '../src/jobs/prune-deliveries.js';
import { runOnce as prune } from '../src/jobs/prune-idempotency-keys.js';
import type { Policy } from '../src/lifecycle/policy.js';
import { numberNew } from '../src/outbox/number.js';
import { ADMIN_KEY, startService } from './helpers/service.js';
import { deliverAll } from './outbox/teller.js';
import { crowd } from './routes/crowd.js';
import { apiOf, type Operation, parametersIn } from './routes/operations.js';
import {
  analyze,
  describeScan,
  explain,
  nodesOf,
  type PlanMode,
  type PlanNode,
  planningOf,
  rowsLookedAt,
} from './routes/plans.js';
import { predictEverybody } from './routes/predicted.js';
import { type Call, recipeOf, urlOf } from './routes/recipes.js';
import { openRows } from './routes/rows.js';
import { furnish, orderOf, policyOf, type Things } from './routes/things.js';
import { type Seen, watch } from './routes/watched.js';

/** Tables that have no more rows than this may be read as a whole. */
const SMALL = 1_000;
/** What one statement may look at: the largest stretch that any is limited to (10,000), and some. */
const LOOKED_AT_MAX = 12_000;
const VALUES_EACH = 4;
const DAY_MS = 86_400_000;

/** What concerns every customer of a tenant, and says so. */
const WHOLE_TENANT: { pattern: RegExp; why: string }[] = [
  { pattern: /^SELECT stage, count\(\*\)/, why: 'all customers are counted by stage, from an index alone' },
  { pattern: /width_bucket/, why: 'so are all at each point of a series, in one pass over an index' },
  { pattern: /placed_at AT TIME ZONE/, why: 'a calibration is fitted to the orders of all customers' },
  {
    pattern: /AS customers FROM customer_lifecycles/,
    why: 'a backtest says how many customers it goes over',
  },
];

/**
 * Lists by what has no index of its own: they are walked in the order of their page until it is full. Where few
 * rows have what is asked for, that is once over the tenant's: a person waits, and nothing else does.
 */
const WALKED = [
  /^transitions_list:(?:kind|country|stageSinceFrom|stageSinceTo|lastOrderFrom|lastOrderTo|reviewBefore):/,
  // Customers who had no stage yet at the instant are passed over, each by one look into the index.
  /^transitions_as_of:/,
  // By what is predicted of many; where it is of few, they are looked up.
  /^transitions_list:(?:pAliveBelow|pAliveAtLeast|expectedOrders90AtLeast|futureValueAtLeast)(?!.*few)/,
  /^orders_list:status:/,
  /^touchpoints_list:(?:channel|kind|direction):/,
  /^outbox_deliveries:(?:(?:all|endpoint),\w|\w+,\w*,t)/,
  /^outbox_endpoint_attempts:(?:succeeded|failed|status)/,
  // An hourly job's; with statistics it goes by its index.
  /^idempotency_prune$/,
  /FROM transitions WHERE tenant_id = \$1 AND superseded_at IS NULL AND cause = \$2/,
];

const shared = await startService(t);
const rows = await openRows(t, shared);
// What Postgres finds out by itself meanwhile is chance: first nothing is known, and then all of it.
for (const table of rows.tenantTables) {
  await rows.query(`ALTER TABLE ${table} SET (autovacuum_enabled = false)`);
}
const api = apiOf(shared.app);
const things = await furnish(t, { service: shared, name: 'lisbon', number: 1, policies: 3 });
const statements = new Map<string, Seen[]>();
const watching = watch(shared.database);
watching.onStatement = (seen) => {
  const key = `${seen.role} ${seen.statement.text}`;
  const known = statements.get(key) ?? [];
  if (known.length < VALUES_EACH) statements.set(key, [...known, seen]);
};
t.setTimeout(240_000);

await exerciseRoutes();
await exerciseJobs();
watching.onStatement = () => undefined;
await predictEverybody(rows);
await crowd(rows, things);
const big = await bigTables();
const planning = await planningOf(rows, shared.database);

t.test('enough was collected to look at', async (t) => {
  t.ok(statements.size > 80, `${statements.size} statements`);
  for (const table of ['customers', 'orders', 'transitions', 'events', 'deliveries'])
    t.ok(big.has(table), table);
});

t.test('no statement reads a table from end to end, before there are statistics', (t) => assertNoSeqScan(t));

t.test('what a statement looks at then is bounded by its page, not by the tenant', (t) => assertBounded(t));

t.test('both hold after statistics were gathered', async (t) => {
  await rows.query('ANALYZE');
  await assertNoSeqScan(t);
  await assertBounded(t);
});

async function assertNoSeqScan(t: Test): Promise<void> {
  for (const seen of collected()) {
    const why = whyWhole(seen.statement.text);
    for (const mode of modesOf(seen)) {
      const scans = nodesOf(await explain(planning, seen, mode)).filter(isSeqScanOfBig);
      if (why === undefined) t.same(scans.map(describeScan), [], `${mode}: ${nameOf(seen)}`);
    }
  }
}

async function assertBounded(t: Test): Promise<void> {
  for (const seen of collected()) {
    const { name = '', text } = seen.statement;
    if (whyWhole(text) !== undefined || WALKED.some((list) => list.test(name) || list.test(text))) continue;
    for (const mode of modesOf(seen)) {
      const plan = await analyze(planning, seen, mode);
      if (plan === undefined) continue;
      const scans = nodesOf(plan).filter((node) => rowsLookedAt(node) > LOOKED_AT_MAX);
      const said = scans.map((node) => `${rowsLookedAt(node)} rows by ${describeScan(node)}`);
      t.same(said, [], `${mode}: ${nameOf(seen)}`);
    }
  }
}

/** A statement without a name is planned for its values each time. */
function modesOf({ statement }: Seen): PlanMode[] {
  return statement.name === undefined ? ['custom'] : ['custom', 'generic'];
}

function isSeqScanOfBig(node: PlanNode): boolean {
  return node['Node Type'] === 'Seq Scan' && big.has(node['Relation Name'] ?? '');
}

function collected(): Seen[] {
  return [...statements.values()].flat();
}

function whyWhole(text: string): string | undefined {
  return WHOLE_TENANT.find(({ pattern }) => pattern.test(text))?.why;
}

function nameOf({ statement: { name, text, values } }: Seen): string {
  return `${name ?? text.replaceAll(/\s+/g, ' ').slice(0, 120)} ${JSON.stringify(values ?? []).slice(0, 100)}`;
}

async function bigTables(): Promise<Map<string, number>> {
  const counts = await rows.counts();
  return new Map([...counts].filter(([table, count]) => count > SMALL && rows.tenantTables.includes(table)));
}

/** Every recipe, and every list with each of its filters, from its beginning and from a place further on. */
async function exerciseRoutes(): Promise<void> {
  const inOrder = api.operations.toSorted(
    (a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'),
  );
  const spare = await spareThings();
  for (const operation of inOrder) {
    const named = operation.method === 'DELETE' ? { ...things, ...spare } : things;
    const calls = recipeOf(operation)({ ...named, fresh: `fresh-${operation.id.toLowerCase()}` });
    for (const call of calls) await ask(operation, call);
    if (operation.method !== 'GET') continue;
    for (const query of filtersOf(operation)) {
      const call = { params: calls[0].params, query };
      await ask(operation, call);
      const { nextCursor } = (await ask(operation, { ...call, query: { ...query, limit: '1' } })).json();
      const cursor = parametersIn(operation, 'query').find(
        ({ name }) => name === 'cursor' || name === 'after',
      );
      if (typeof nextCursor !== 'string' || cursor === undefined) continue;
      await ask(operation, { ...call, query: { ...query, [cursor.name]: nextCursor } });
    }
  }
}

/** To be taken away: the others are needed to be copied. */
async function spareThings(): Promise<Partial<Things>> {
  const endpoint = await shared.inject('POST', '/v1/webhook-endpoints', {
    body: { url: 'https://127.0.0.1/spare' },
  });
  const key = await shared.inject('POST', '/v1/api-keys', {
    body: { name: 'spare', scopes: ['orders:read'] },
  });
  return { endpointId: endpoint.json().id, apiKeyId: key.json().id };
}

/** Each filter alone, by a value that few have. */
function filtersOf(operation: Operation): Record<string, string>[] {
  const filters = parametersIn(operation, 'query').filter(
    ({ name }) => !['limit', 'cursor', 'after'].includes(name),
  );
  const known: Record<string, string> = {
    customer: things.customerRef,
    tag: things.tag,
    email: things.email,
    phone: things.phone,
  };
  return [
    {},
    ...filters.map(({ name, schema }) => {
      const { enum: values, type, items } = api.resolve(schema);
      const choices = (values ?? (items as { enum?: string[] } | undefined)?.enum) as string[] | undefined;
      if (choices !== undefined) return { [name]: choices.at(-1) ?? '' };
      if (type === 'boolean') return { [name]: 'true' };
      if (api.resolve(schema).format === 'date-time') return { [name]: '2026-01-01T00:00:00Z' };
      return { [name]: known[name] ?? 'nobody has this' };
    }),
  ];
}

async function exerciseJobs(): Promise<void> {
  const { transitions, policies, replays, backtests } = shared.services;
  const later = (days: number) => new Date(shared.clock.now().getTime() + days * DAY_MS);
  await policies.recomputeDue(later(0));
  await backtests.advance(later(0));
  await policies.previewDue(later(0));
  while ((await replays.advance(later(0))).more) {
    // One step after the other.
  }
  await deliverAll(t, shared);
  await exerciseShadows();
  await transitions.advanceDue(later(400));
  await policies.calibrateDue(later(400));
  await policies.recomputeDue(later(400));
  await numberNew(shared.database, later(400));
  await prune({ database: shared.database }, later(400));
  await pruneDeliveries({ database: shared.database, retentionDays: 90 }, later(400));
  // Some to be copied, those that there were having been pruned.
  const headers = { 'idempotency-key': 'kept' };
  await shared.inject('POST', '/v1/customers', { body: { name: 'Kept' }, headers });
  const order = orderOf(things.customerRef, 'kept', shared.clock.now());
  await shared.inject('POST', '/v1/orders', { body: order });
  await numberNew(shared.database, later(0));
  await deliverAll(t, shared);
}

/** One is begun, taken further, stopped and removed beside the one that there is; that one is left with a mark. */
async function exerciseShadows(): Promise<void> {
  const { database, services, clock } = shared;
  const policyId = '01900000-0000-7000-8000-00000000000f';
  const context = shared.context();
  const since = new Date(clock.now().getTime() - 3_600_000);
  const run = async (days: number) => {
    const now = new Date(clock.now().getTime() + days * DAY_MS);
    while ((await services.shadows.advance(now)).more) {
      // One stretch after the other.
    }
  };
  const start = { policyId, policy: policyOf(3) as Policy, since };
  await database.write(context, (tx) => services.shadows.start(tx, context, start));
  await run(0);
  await run(10);
  const order = orderOf(things.customerRef, 'shadowed', clock.now());
  await shared.inject('POST', '/v1/orders', { body: order });
  await run(20);
  await shared.inject('POST', `/v1/orders/ext:shop:shadowed/cancel`);
  await run(30);
  const nobody = ['01900000-0000-7000-8000-0000000000ff'];
  await database.write(context, (tx) => services.shadows.forget(tx, context, nobody));
  await database.write(context, (tx) => services.shadows.stop(tx, context, policyId));
  await run(30);
  await database.write(context, (tx) => services.shadows.remove(tx, context, policyId));
  await run(30);
}

function ask(operation: Operation, call: Call) {
  const key = operation.scope === 'admin' ? ADMIN_KEY : shared.key;
  return shared.inject(operation.method, urlOf(operation, call), { body: call.body, key });
}
