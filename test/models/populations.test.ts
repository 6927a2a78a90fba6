// Shops that are unlike the textbook's: many cancellations, nobody who buys twice, many orders on one day, and
// customers who never leave. Each is sent over HTTP, fitted, and held against one replay of its facts.

import pg from 'pg';
import t, { type Test } from 'tap';
import type { CurrentModels } from '../../src/models/schemas.js';
import { auditReplay } from '../helpers/audit-replay.js';
import { Chance } from '../helpers/chance.js';
import { startService, type TestService } from '../helpers/service.js';
import { CUSTOMERS, drawSales, type Sale, sell } from './buyers.js';
import { read, work } from './shop.js';

const NOW = '2026-01-01T00:00:00Z';

const shared = await startService(t, { now: NOW });

async function openShop(name: string, sales: Sale[]): Promise<TestService> {
  const shop = await shared.forTenant(name);
  await sell(shop, name, sales);
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

t.test(
  'customers who never leave: dropout is not identified, rules that need it are refused, cadence decides',
  async (t) => {
    const shop = await openShop(
      'faithful',
      drawSales(new Chance(7), () => true),
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
    const profile = await read<{ predictions: object }>(shop, '/v1/customers/ext:shop:c0');
    t.match(profile.predictions, { model: null, reason: 'not_identified', pAlive: null });
    await assertLedger(t, shop);
  },
);

t.test('customers who do leave are recognised by the same fit', async (t) => {
  const shop = await openShop(
    'fickle',
    drawSales(new Chance(8), (chance) => chance.next() > 0.25),
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
  const profile = await read<{ facts: object; stage: string }>(shop, '/v1/customers/ext:shop:c3');
  t.match(profile.facts, { orders: 20, purchaseDays: 1 });
  const { cadence } = await fitted(shop);
  t.equal(cadence.completedGaps, 0, 'there is no gap within a day');
  await assertLedger(t, shop);
});

t.test('what was cancelled never counted, be it most of all orders', async (t) => {
  const chance = new Chance(9);
  const sales = drawSales(chance, (again) => again.next() > 0.2).map((sale): Sale => {
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
  const profile = await read<{ stage: string }>(shop, `/v1/customers/ext:shop:c${nobody.customer}`);
  t.equal(profile.stage, 'prospect');
  await assertLedger(t, shop);
});
