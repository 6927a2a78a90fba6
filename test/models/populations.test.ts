// Shops that are unlike the textbook's: many cancellations, nobody who buys twice, many orders on one day, and
// customers who never leave. Each is sent over HTTP, fitted, and held against one replay of its facts.

import pg from 'pg';
import t, { type Test } from 'tap';
import type { CurrentModels } from '../../src/models/schemas.js';
import { auditReplay } from '../helpers/audit-replay.js';
import { Chance } from '../helpers/chance.js';
import { startService, type TestService } from '../helpers/service.js';
import { read, work } from './shop.js';

const DAY_MS = 86_400_000;
const START = Date.parse('2025-01-01T00:00:00Z');
const NOW = '2026-01-01T00:00:00Z';
const CUSTOMERS = 600;
const BATCH = 1_000;

interface Sale {
  customer: number;
  day: number;
  hour?: number;
  status?: 'placed' | 'cancelled';
}

const shared = await startService(t, { now: NOW });

async function openShop(name: string, sales: Sale[]): Promise<TestService> {
  const shop = await shared.forTenant(name);
  const items = sales.map(({ customer, day, hour = 12, status = 'placed' }, index) => ({
    externalId: { namespace: name, id: String(index) },
    customer: { externalIds: [{ namespace: name, id: `c${customer}` }] },
    placedAt: new Date(START + day * DAY_MS + hour * 3_600_000).toISOString(),
    amountMinor: 1_000 + ((index * 37) % 900),
    currency: 'EUR',
    status,
  }));
  for (let from = 0; from < items.length; from += BATCH) {
    const body = { items: items.slice(from, from + BATCH), backfill: true };
    const answer = await shop.inject('POST', '/v1/orders/batch', { body });
    const failed = answer.json().results.filter(({ status }: { status: number }) => status !== 201);
    if (failed.length > 0) throw new Error(JSON.stringify(failed[0]));
  }
  await shop.inject('POST', '/v1/models/fits');
  await work(shop);
  await shop.services.policies.recomputeDue(shop.clock.now());
  return shop;
}

async function assertLedger(t: Test, shop: TestService): Promise<void> {
  const client = new pg.Client({ connectionString: shared.databaseUrl });
  await client.connect();
  const sql = async <Row>(text: string, values?: unknown[]) =>
    (await client.query(text, values)).rows as Row[];
  const until = shop.clock.now();
  const { faults, rows } = await auditReplay({
    sql,
    url: shared.databaseUrl,
    tenantId: shop.tenant.id,
    until,
  });
  await client.end();
  t.same(faults, []);
  t.ok(rows >= CUSTOMERS, `${rows} rows in force`);
}

const fitted = (shop: TestService) => read<CurrentModels>(shop, '/v1/models/current');

/** Every buyer at a rate of their own, from their first order to today. */
function faithful(chance: Chance, stays: (chance: Chance) => boolean): Sale[] {
  return Array.from({ length: CUSTOMERS }, (_, customer) => {
    const sales: Sale[] = [];
    const meanGap = 15 + 45 * chance.next();
    const gap = () => meanGap * Math.log(1 / (1 - chance.next()));
    for (let day = 60 * chance.next(); day < 364; day += gap()) {
      sales.push({ customer, day: Math.floor(day) });
      if (!stays(chance)) break;
    }
    return sales;
  }).flat();
}

t.test(
  'customers who never leave: dropout is not identified, rules that need it are refused, cadence decides',
  async (t) => {
    const shop = await openShop(
      'faithful',
      faithful(new Chance(7), () => true),
    );
    const { bg, mbg, cadence } = await fitted(shop);
    t.match(bg, { identified: false, reason: 'dropout_not_identified' });
    t.match(mbg, { identified: false, reason: 'dropout_not_identified' });
    t.match(cadence, { identified: true });
    const when = { type: 'orderProbability', model: 'mbg', withinDays: 90, below: 0.25 };
    const policy = {
      template: 'ecommerce',
      timeZone: 'UTC',
      rules: [{ stage: 'churned', when }],
      otherwise: 'new',
    };
    const refused = await shop.inject('PUT', '/v1/policies/live', { body: { policy } });
    t.equal(refused.statusCode, 400);
    t.match(refused.json(), { code: 'invalid_policy', errors: [{ pointer: '/policy/rules/0/when/model' }] });
    const profile = await read<{ predictions: object }>(shop, '/v1/customers/ext:faithful:c0');
    t.match(profile.predictions, { model: null, reason: 'not_identified', pAlive: null });
    await assertLedger(t, shop);
  },
);

t.test('customers who do leave are recognised by the same fit', async (t) => {
  const shop = await openShop(
    'fickle',
    faithful(new Chance(8), (chance) => chance.next() > 0.25),
  );
  const { mbg } = await fitted(shop);
  t.match(mbg, { identified: true, reason: null });
  await assertLedger(t, shop);
});

t.test('nobody buys twice: there is nothing to fit to, and the standing default decides', async (t) => {
  const sales = Array.from({ length: CUSTOMERS }, (_, customer) => ({ customer, day: customer % 360 }));
  const shop = await openShop('once', sales);
  const { bg, mbg, cadence } = await fitted(shop);
  t.match(bg, { identified: false, reason: 'too_few_repeaters' });
  t.match(mbg, { identified: false, reason: 'too_few_repeaters' });
  t.match(cadence, { identified: false, reason: 'too_few_gaps' });
  t.match(await read(shop, '/v1/stage-counts'), { total: CUSTOMERS });
  await assertLedger(t, shop);
});

t.test('twenty orders on one day are one purchase', async (t) => {
  const sales = Array.from({ length: CUSTOMERS }, (_, customer) =>
    Array.from({ length: customer < 30 ? 20 : 1 }, (_order, n) => ({
      customer,
      day: 100 + (customer % 9),
      hour: n,
    })),
  ).flat();
  const shop = await openShop('crowded', sales);
  const profile = await read<{ facts: object; stage: string }>(shop, '/v1/customers/ext:crowded:c3');
  t.match(profile.facts, { orders: 20, purchaseDays: 1 });
  const { cadence } = await fitted(shop);
  t.equal(cadence.completedGaps, 0, 'there is no gap within a day');
  await assertLedger(t, shop);
});

t.test('what was cancelled never counted, be it most of all orders', async (t) => {
  const chance = new Chance(9);
  const sales = faithful(chance, (again) => again.next() > 0.2).map((sale): Sale => {
    return { ...sale, status: chance.next() < 0.6 ? 'cancelled' : 'placed' };
  });
  const shop = await openShop('cancelled', sales);
  const bought = new Map<number, Set<number>>();
  for (const { customer, day, status } of sales) {
    if (status === 'placed') bought.set(customer, (bought.get(customer) ?? new Set()).add(day));
  }
  const { customers, cadence } = await fitted(shop);
  t.equal(customers, bought.size, 'only who has an order that counts is a customer of the fit');
  const gaps = [...bought.values()].reduce((sum, days) => sum + days.size - 1, 0);
  t.equal(cadence.completedGaps, gaps);
  const [nobody] = sales.filter(({ customer }) => !bought.has(customer));
  if (nobody === undefined) throw new Error('somebody has nothing but cancelled orders');
  const profile = await read<{ stage: string }>(shop, `/v1/customers/ext:cancelled:c${nobody.customer}`);
  t.equal(profile.stage, 'prospect');
  await assertLedger(t, shop);
});
