// What a preview shows is what the activation then does: for any shop, any policy and any date, who moves from
// where to where, and which events are told and delivered.

import fc from 'fast-check';
import t from 'tap';
import { startService, type TestService } from '../helpers/service.js';
import { deskOf, done, ordered, type PreviewBody, rulesOf, silent } from './desk.js';

const NOW = '2026-03-02T09:00:00.000Z';
const DAY_MS = 86_400_000;
const shared = await startService(t, { now: NOW });
let tenants = 0;

const daysAgo = fc.integer({ min: 0, max: 300 });
const category = fc.constantFrom('books', 'games', 'tea');
const customer = fc.record({
  orders: fc.array(fc.record({ daysAgo, category }), { maxLength: 5 }),
  /** A person's move, and how many days it holds; null for until the next order. */
  move: fc.option(
    fc.record({
      to: fc.constantFrom('churned', 'declining', 'mature'),
      days: fc.constantFrom(null, 5, 400),
    }),
    { nil: undefined, freq: 4 },
  ),
});
const silence = fc.integer({ min: 5, max: 120 });
const rules = fc.record({ declining: silence, more: silence, mature: fc.integer({ min: 2, max: 4 }) });
const policy = fc
  .record({ rules, timeZone: fc.constantFrom('UTC', 'Asia/Shanghai'), cadence: fc.boolean() })
  .map(({ rules: { declining, more, mature }, timeZone, cadence }) =>
    rulesOf(declining, declining + more, {
      timeZone,
      rules: [
        { stage: 'churned', when: cadence ? { type: 'cadenceQuantile', q: 0.9 } : silent(declining + more) },
        { stage: 'declining', when: cadence ? { type: 'cadenceQuantile', q: 0.6 } : silent(declining) },
        { stage: 'mature', when: { type: 'any', of: [ordered(mature), { type: 'categories', atLeast: 2 }] } },
        { stage: 'new', when: ordered(1) },
      ],
    }),
  );
/** Another lifecycle: nobody's stage is as it was but where both have one of its name. */
const banking = fc
  .record({ declining: silence, more: silence, carries: fc.boolean() })
  .map(({ declining, more, carries }) => ({
    ...{ template: 'banking', timeZone: 'UTC', otherwise: 'potential' },
    rules: [
      { stage: 'terminated', when: silent(declining + more) },
      { stage: 'declining', when: silent(declining) },
      { stage: 'mature', when: ordered(3) },
      { stage: 'growing', when: ordered(2) },
      { stage: 'developing', when: ordered(1) },
    ],
    ...(carries && { carryOver: { prospect: 'potential', new: 'developing', churned: 'terminated' } }),
  }));
const terms = fc.record({
  effectiveFrom: fc.constantFrom('now', 'beginning', '2025-12-01T00:00:00Z', '2026-02-20T12:00:00Z'),
  backfill: fc.boolean(),
});
const shop = fc.record({
  customers: fc.array(customer, { minLength: 1, maxLength: 12 }),
  live: policy,
  draft: fc.oneof({ arbitrary: policy, weight: 2 }, { arbitrary: banking, weight: 1 }),
  terms,
  /** How long after the last tick the preview is asked for. */
  sinceTickDays: fc.constantFrom(0, 0, 40),
});
type ShopPlan = typeof shop extends fc.Arbitrary<infer Plan> ? Plan : never;

async function furnish(service: TestService, plan: ShopPlan): Promise<void> {
  const { inject, services, clock } = service;
  const activation = { policy: plan.live, effectiveFrom: 'beginning' };
  done(await inject('PUT', '/v1/policies/live', { body: activation }));
  const now = clock.now().getTime();
  for (const [index, { orders, move }] of plan.customers.entries()) {
    const ref = `ext:crm:c${index}`;
    done(await inject('PUT', `/v1/customers/${ref}`, { body: {} }));
    const items = orders.map((order, number) => ({
      ...{ customer: ref, externalId: { namespace: 'shop', id: `${index}-${number}` } },
      placedAt: new Date(now - order.daysAgo * DAY_MS).toISOString(),
      ...{ amountMinor: 1_000, currency: 'EUR' },
      lines: [{ product: 'p', category: order.category, quantity: 1, unitPriceMinor: 1_000 }],
    }));
    if (items.length > 0) done(await inject('POST', '/v1/orders/batch', { body: { items } }));
    if (move === undefined) continue;
    const holdUntil = move.days === null ? null : new Date(now + move.days * DAY_MS).toISOString();
    const body = { to: move.to, reason: 'because', holdUntil };
    // Not every move is permitted from where the customer is; those that are not change nothing.
    await inject('POST', `/v1/customers/${ref}/transitions`, { body });
  }
  await services.policies.recomputeDue(clock.now());
  await services.transitions.advanceDue(clock.now());
  clock.advance(plan.sinceTickDays * DAY_MS);
}

async function stagesOf({ database, tenant }: TestService): Promise<Map<string, string>> {
  const rows = await database.read(tenant.id, (executor) =>
    executor.rows<{ id: string; stage: string }>({
      text: 'SELECT customer_id AS id, stage FROM customer_lifecycles WHERE tenant_id = $1',
      values: [tenant.id],
    }),
  );
  return new Map(rows.map(({ id, stage }) => [id, stage]));
}

/** How many events of each type there are, all and those for webhooks. */
async function eventsOf({ database, tenant }: TestService): Promise<Map<string, [number, number]>> {
  const rows = await database.read(tenant.id, (executor) =>
    executor.rows<{ type: string; events: number; deliverable: number }>({
      text: `SELECT type, count(*)::int AS events, (count(*) FILTER (WHERE deliver))::int AS deliverable
               FROM events WHERE tenant_id = $1 AND customer_id IS NOT NULL GROUP BY type`,
      values: [tenant.id],
    }),
  );
  return new Map(rows.map(({ type, events, deliverable }) => [type, [events, deliverable]]));
}

function movesSeen(before: Map<string, string>, after: Map<string, string>): Record<string, number> {
  const moves: Record<string, number> = {};
  for (const [id, from] of before) {
    const move = `${from} → ${after.get(id)}`;
    moves[move] = (moves[move] ?? 0) + 1;
  }
  return moves;
}

function told(before: Map<string, [number, number]>, after: Map<string, [number, number]>) {
  const differences = [...after].map(([type, [events, deliverable]]) => {
    const [was, wasDeliverable] = before.get(type) ?? [0, 0];
    return [type, { events: events - was, deliverable: deliverable - wasDeliverable }] as const;
  });
  return Object.fromEntries(differences.filter(([, { events }]) => events > 0));
}

function shown({ moves, events }: PreviewBody) {
  return {
    moves: Object.fromEntries(moves.map(({ from, to, customers }) => [`${from} → ${to}`, customers])),
    events: Object.fromEntries(
      events.map(({ type, events: count, deliverable }) => [type, { events: count, deliverable }]),
    ),
  };
}

t.test('a preview shows what the activation then does', async (t) => {
  const foretoldTypes = new Set<string>();
  let held = 0;
  const property = fc.asyncProperty(shop, async (plan) => {
    tenants += 1;
    shared.clock.set(NOW);
    const service = await shared.forTenant(`shop-${tenants}`);
    const desk = deskOf(service);
    await furnish(service, plan);
    const { id } = await desk.draft(plan.draft);
    const [stages, events] = [await stagesOf(service), await eventsOf(service)];
    const preview = await desk.preview(id, plan.terms);
    t.equal(preview.status, 'done');
    t.equal(preview.customers, plan.customers.length);
    t.same([await stagesOf(service), await eventsOf(service)], [stages, events], 'a preview changes nothing');
    done(await desk.ask(id, 'activate', plan.terms));
    await service.services.policies.recomputeDue(service.clock.now());
    const [stagesAfter, eventsAfter] = [await stagesOf(service), await eventsOf(service)];
    const { moves, events: foretold } = shown(preview);
    t.same(moves, movesSeen(stages, stagesAfter), 'the moves');
    t.same(foretold, told(events, eventsAfter), 'the events');
    for (const type of Object.keys(foretold)) foretoldTypes.add(type);
    held += preview.held;
    const moved = [...stages].filter(([customerId, stage]) => stagesAfter.get(customerId) !== stage);
    t.equal(preview.moving, moved.length);
    const isEnd = (stage = '') => ['churned', 'terminated'].includes(stage);
    const gone = moved.filter(([customerId, stage]) => isEnd(stagesAfter.get(customerId)) && !isEnd(stage));
    t.equal(preview.straightToChurned, gone.length);
    for (const { customerId, from, to } of preview.sample) {
      t.same([stages.get(customerId), stagesAfter.get(customerId)], [from, to]);
    }
  });
  await fc.assert(property, { numRuns: 25 });
  for (const type of ['customer.churned', 'customer.stage_changed', 'customer.transition_retracted'])
    t.ok(foretoldTypes.has(type), `${type} was among them`);
  t.ok(held > 0, 'and so were customers whom a move holds');
});
