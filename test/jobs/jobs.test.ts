import { pino } from 'pino';
import { Registry } from 'prom-client';
import t from 'tap';
import { runOnce as advance } from '../../src/jobs/advance-due-customers.js';
import { runOnce as calibrate } from '../../src/jobs/calibrate.js';
import { runOnce as number } from '../../src/jobs/number-events.js';
import { runOnce as prune } from '../../src/jobs/prune-idempotency-keys.js';
import { runOnce as recompute } from '../../src/jobs/recompute-customers.js';
import { startJobs } from '../../src/jobs/start.js';
import { createReceiver } from '../helpers/receiver.js';
import { startService } from '../helpers/service.js';

const SECRET = `whsec_${Buffer.alloc(24, 5).toString('base64')}`;
const DAY_MS = 86_400_000;

t.test('jobs, each by itself', async (t) => {
  const service = await startService(t);
  const { database, services, clock } = service;
  const order = (id: string) => ({
    customer: { externalIds: [{ namespace: 'crm', id }] },
    externalId: { namespace: 'shop', id },
    placedAt: clock.now().toISOString(),
    amountMinor: 100,
    currency: 'EUR',
  });

  await t.test('advance-due-customers moves those whose time has come, and then nobody', async (t) => {
    for (const id of ['1', '2']) {
      t.equal((await service.inject('POST', '/v1/orders', { body: order(id) })).statusCode, 201);
    }
    t.same(await advance(services, clock.now()), { more: false, counts: { advanced: 0, setAside: 0 } });
    clock.advance(1_000 * DAY_MS);
    t.same(await advance(services, clock.now()), { more: false, counts: { advanced: 2, setAside: 0 } });
    t.same(await advance(services, clock.now()), { more: false, counts: { advanced: 0, setAside: 0 } });
  });

  await t.test('number-events gives every event its place', async (t) => {
    const { counts, more } = await number({ database }, clock.now());
    t.ok((counts.numbered ?? 0) >= 6);
    t.equal(more, true);
    t.same(await number({ database }, clock.now()), { more: false, counts: { numbered: 0 } });
  });

  await t.test('recompute-customers walks over all after a new policy, and then rests', async (t) => {
    const live = (await service.inject('GET', '/v1/policies/live')).json();
    const policy = { ...live.policy, timeZone: 'Asia/Shanghai' };
    const put = await service.inject('PUT', '/v1/policies/live', { body: { policy } });
    t.ok(put.statusCode < 300, put.body);
    t.match(await recompute(services, clock.now()), { more: true, counts: { customers: 2 } });
    t.match(await recompute(services, clock.now()), { more: false, counts: { customers: 0 } });
  });

  await t.test('calibrate fits those who are due, once', async (t) => {
    const { counts } = await calibrate(services, clock.now());
    t.equal((counts.fitted ?? 0) + (counts.unchanged ?? 0), 1);
    t.same(await calibrate(services, clock.now()), { more: false, counts: { fitted: 0, unchanged: 0 } });
  });

  await t.test(
    'prune-idempotency-keys forgets answers a day after they were given, and not before',
    async (t) => {
      const post = () =>
        service.inject('POST', '/v1/orders', {
          body: order('once'),
          headers: { 'idempotency-key': 'a-key' },
        });
      const first = await post();
      t.equal(first.statusCode, 201, first.body);
      clock.advance(DAY_MS - 1);
      t.same(await prune({ database }, clock.now()), { more: false, counts: { pruned: 0 } });
      clock.advance(2);
      t.same(await prune({ database }, clock.now()), { more: true, counts: { pruned: 1 } });
      t.same(await prune({ database }, clock.now()), { more: false, counts: { pruned: 0 } });
    },
  );
});

t.test('all of them together, started and stopped', async (t) => {
  const service = await startService(t);
  const { database, services, clock, config } = service;
  const receiver = await createReceiver(t, { secret: SECRET });
  const made = await service.inject('POST', '/v1/webhook-endpoints', {
    body: { url: receiver.url, secret: SECRET },
  });
  t.equal(made.statusCode, 201, made.body);
  const registry = new Registry();
  const logger = pino({ level: 'silent' });
  const jobs = startJobs({ config, database, services, clock: clock.now, logger, registry });
  t.teardown(() => jobs.stop());

  await t.test('a partner hears of an order, and of the silence after it, signed', async (t) => {
    const body = {
      customer: { externalIds: [{ namespace: 'crm', id: '1' }] },
      placedAt: clock.now().toISOString(),
      amountMinor: 100,
      currency: 'EUR',
    };
    t.equal((await service.inject('POST', '/v1/orders', { body })).statusCode, 201);
    const heard = (count: number) =>
      receiver.waitFor(count).then((all) => all.map(({ json }) => (json as { type: string }).type));
    const first = await heard(3);
    t.ok(first.includes('order.recorded') && first.includes('customer.created'), first.join());
    const before = receiver.requests.length;
    clock.advance(1_000 * DAY_MS);
    const later = (await heard(before + 2)).slice(before);
    t.same(later.sort(), ['customer.churned', 'customer.declining']);
    t.ok(receiver.requests.every(({ verified }) => verified));
  });

  await t.test('a replay that is asked for is taken up and sent', async (t) => {
    const before = receiver.requests.length;
    const body = {
      from: '2026-03-01T00:00:00Z',
      to: '2026-03-03T00:00:00Z',
      eventTypes: ['order.*', 'customer.created'],
    };
    clock.set('2026-03-04T00:00:00Z');
    const asked = await service.inject('POST', `/v1/webhook-endpoints/${made.json().id}/replays`, { body });
    t.equal(asked.statusCode, 202, asked.body);
    const again = (await receiver.waitFor(before + 2)).slice(before);
    t.ok(again.every(({ headers }) => headers['perennial-replay'] === asked.json().id));
    const first = new Set(receiver.requests.slice(0, before).map(({ headers }) => headers['webhook-id']));
    t.ok(again.every(({ headers }) => first.has(String(headers['webhook-id']))));
  });

  await t.test('the figures say so', async (t) => {
    await jobs.stop();
    const text = await registry.metrics();
    t.match(text, /perennial_delivery_attempts_total\{outcome="succeeded"\} 7/);
    t.match(text, /perennial_customers_advanced_total\{outcome="advanced"\} 1/);
    t.match(text, /perennial_job_runs_total\{job="deliver-due-webhooks",outcome="done"\} \d/);
    t.match(text, /perennial_deliveries_due 0/);
    t.match(text, /perennial_deliveries_overdue_seconds 0/);
    t.match(text, /perennial_replays_running 0/);
    t.match(text, /perennial_replayed_deliveries_total 2/);
    t.match(text, /perennial_pruned_rows_total\{table="events"\} 0/);
  });

  await t.test('after the stop nothing is sent, and nothing is lost', async (t) => {
    const sent = receiver.requests.length;
    const ping = await service.inject('POST', `/v1/webhook-endpoints/${made.json().id}/test`);
    t.equal(ping.statusCode, 202, ping.body);
    t.match(await registry.metrics(), /perennial_deliveries_due 1/);
    t.equal(receiver.requests.length, sent);
    const again = startJobs({
      config,
      database,
      services,
      clock: clock.now,
      logger,
      registry: new Registry(),
    });
    await receiver.waitFor(sent + 1);
    await again.stop();
  });
});
