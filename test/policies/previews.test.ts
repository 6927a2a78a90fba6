// Previews: what a policy would do, counted without doing it, however often the counting is interrupted.

import t from 'tap';
import { startService, type TestService } from '../helpers/service.js';
import { type Desk, done, openDesk, type PreviewBody, refusal, rulesOf } from './desk.js';

const NOW = '2026-03-02T09:00:00.000Z';
const shared = await startService(t, { now: NOW });

t.beforeEach(() => shared.clock.set(NOW));

/** Customers with one order each, so many days ago. */
async function sellTo({ service }: Desk, daysAgo: number[]): Promise<void> {
  const items = daysAgo.map((days, index) => ({
    customer: { externalIds: [{ namespace: 'crm', id: `c${index}` }] },
    externalId: { namespace: 'shop', id: `o${index}` },
    placedAt: new Date(service.clock.now().getTime() - days * 86_400_000).toISOString(),
    ...{ amountMinor: 100, currency: 'EUR' },
  }));
  for (let from = 0; from < items.length; from += 500) {
    const body = { items: items.slice(from, from + 500), backfill: true };
    done(await service.inject('POST', '/v1/orders/batch', { body }));
  }
}

async function openSold(slug: string, daysAgo: number[]): Promise<Desk> {
  const desk = await openDesk(shared, slug);
  const body = { policy: rulesOf(60, 120), effectiveFrom: 'beginning' };
  done(await desk.service.inject('PUT', '/v1/policies/live', { body }));
  await desk.service.services.policies.recomputeDue(shared.clock.now());
  await sellTo(desk, daysAgo);
  return desk;
}

const ledgerOf = ({ database, tenant }: TestService) =>
  database.read(tenant.id, (executor) =>
    executor.rows({
      text: 'SELECT id FROM transitions WHERE tenant_id = $1 ORDER BY id',
      values: [tenant.id],
    }),
  );

t.test('a preview shows who would move, where to, and what would be told', async (t) => {
  const desk = await openSold('shown', [5, 40, 70, 200]);
  const ledger = await ledgerOf(desk.service);
  const { id } = await desk.draft(rulesOf(30, 65));
  const preview = await desk.preview(id);
  t.match(preview, {
    policyId: id,
    policyRevision: 1,
    status: 'done',
    failure: null,
    customers: 4,
    moving: 2,
  });
  t.equal(preview.straightToChurned, 1);
  const moves = preview.moves.map(({ from, to, customers }) => `${from} → ${to}: ${customers}`);
  t.same(moves.sort(), [
    'churned → churned: 1',
    'declining → churned: 1',
    'new → declining: 1',
    'new → new: 1',
  ]);
  t.same(
    preview.events.toSorted((a, b) => (a.type < b.type ? -1 : 1)),
    [
      { type: 'customer.churned', events: 1, deliverable: 1 },
      { type: 'customer.declining', events: 1, deliverable: 1 },
    ],
  );
  t.equal(preview.sample.length, 2);
  for (const { because } of preview.sample) t.match(because, { condition: { type: 'silence', holds: true } });
  t.same(await ledgerOf(desk.service), ledger, 'and nothing of it is done');
});

t.test('what a backfill would tell is delivered to nobody', async (t) => {
  const desk = await openSold('quiet', [40, 70]);
  const { id } = await desk.draft(rulesOf(30, 65));
  const { events } = await desk.preview(id, { backfill: true });
  t.same(
    events.map(({ deliverable }) => deliverable),
    [0, 0],
  );
  t.same(
    events.map((told) => told.events),
    [1, 1],
  );
});

t.test('customers whom a move holds stay where they are, and are counted', async (t) => {
  const desk = await openSold('held', [40, 40]);
  const move = { to: 'mature', reason: 'a friend of the house' };
  done(await desk.service.inject('POST', '/v1/customers/ext:crm:c0/transitions', { body: move }));
  const { id } = await desk.draft(rulesOf(30, 65));
  const preview = await desk.preview(id);
  t.match(preview, { held: 1, moving: 1 });
  t.same(
    preview.moves.find(({ from }) => from === 'mature'),
    { from: 'mature', to: 'mature', customers: 1, held: 1 },
  );
});

t.test('the carry-over of held customers is shown before it is applied', async (t) => {
  const desk = await openSold('carried', [5, 5, 5]);
  const move = { to: 'churned', reason: 'has moved away' };
  for (const name of ['c0', 'c1']) {
    done(await desk.service.inject('POST', `/v1/customers/ext:crm:${name}/transitions`, { body: move }));
  }
  const { policy } = done(await desk.service.inject('GET', '/v1/lifecycle-templates/banking')).json();
  const { id } = await desk.draft(policy);
  const held = ({ moves }: PreviewBody) => moves.filter((each) => each.held > 0);
  t.same(held(await desk.preview(id)), [{ from: 'churned', to: 'churned', customers: 2, held: 2 }]);
  done(await desk.patch(id, { policy: { carryOver: { churned: 'terminated' } } }));
  const preview = await desk.preview(id);
  t.same(held(preview), [{ from: 'churned', to: 'terminated', customers: 2, held: 2 }]);
  t.equal(preview.straightToChurned, 0, 'who is churned already is not made so');
  t.equal(preview.moving, 3);
});

t.test('a preview keeps to the draft as it was', async (t) => {
  const desk = await openSold('edited', [40]);
  const { id } = await desk.draft(rulesOf(30, 65));
  const asked = done(await desk.ask(id, 'previews')).json();
  done(await desk.patch(id, { policy: rulesOf(50, 65) }));
  await desk.service.services.policies.previewDue(shared.clock.now());
  const path = `/v1/policy-previews/${asked.id}`;
  t.match(done(await desk.service.inject('GET', path)).json(), {
    policyRevision: 1,
    status: 'done',
    moving: 1,
  });
  t.match(await desk.preview(id), { policyRevision: 2, moving: 0 });
});

t.test('only what can come into force has a preview: a draft or a shadow', async (t) => {
  const desk = await openSold('again', [40]);
  const [draft, shadow, obsolete] = [await desk.draft(), await desk.draft(), await desk.draft()];
  done(await desk.ask(shadow.id, 'shadow'));
  done(await desk.ask(obsolete.id, 'retire'));
  const terms = { effectiveFrom: 'beginning', backfill: true };
  for (const [ref, status] of [
    ...[[1, 'retired'] as const, [obsolete.id, 'retired'] as const],
    ...[['live', 'active'] as const, [2, 'active'] as const],
  ]) {
    for (const body of [{}, terms, { effectiveFrom: '2026-02-01T00:00:00Z' }]) {
      const answer = await desk.ask(ref, 'previews', body);
      t.same(refusal(answer), [409, 'policy_step_not_permitted'], `${ref} ${JSON.stringify(body)}`);
      t.match(answer.json(), {
        status: 409,
        permitted: [],
        detail: new RegExp(`^This policy is ${status} .* make a draft`),
      });
    }
  }
  const again = { effectiveFrom: '2026-02-01T00:00:00Z' };
  for (const ref of [1, 'live', obsolete.id]) {
    t.same(refusal(await desk.ask(ref, 'activate', again)), [409, 'policy_step_not_permitted'], 'as is that');
  }
  t.same((await desk.previews()).data, [], 'none was made');
  for (const { id } of [draft, shadow])
    t.match(await desk.preview(id, terms), { status: 'done', customers: 1 });
});

t.test('a preview that is overtaken by another version says so', async (t) => {
  const desk = await openSold('overtaken', [40]);
  const { id } = await desk.draft(rulesOf(30, 65));
  const asked = done(await desk.ask(id, 'previews')).json();
  done(await desk.service.inject('PUT', '/v1/policies/live', { body: { policy: rulesOf(50, 90) } }));
  await desk.service.services.policies.previewDue(shared.clock.now());
  const seen = done(await desk.service.inject('GET', `/v1/policy-previews/${asked.id}`)).json();
  t.match(seen, { status: 'failed', failure: /ask again/, customers: 0 });
});

t.test('a walk that is left in the middle goes on from where it was, once', async (t) => {
  const days = Array.from({ length: 2_600 }, (_, index) => (index % 3 === 0 ? 40 : 5));
  const desk = await openSold('interrupted', days);
  const { services, database, tenant, clock } = desk.service;
  const { id } = await desk.draft(rulesOf(30, 65));
  const asked = done(await desk.ask(id, 'previews')).json();
  let batches = 0;
  const foresee = services.transitions.foresee.bind(services.transitions);
  services.transitions.foresee = async (context, step) => {
    batches += 1;
    // After the first save, in the middle of the second stretch.
    if (batches === 25) throw Object.assign(new Error('the database went away'), { code: '57P01' });
    return foresee(context, step);
  };
  t.teardown(() => {
    services.transitions.foresee = foresee;
  });
  await t.rejects(services.policies.previewDue(clock.now()));
  const path = `/v1/policy-previews/${asked.id}`;
  t.match(done(await desk.service.inject('GET', path)).json(), { status: 'running', customers: 2_000 });
  t.same(await services.policies.previewDue(clock.now()), { customers: 0, finished: 0 }, 'it is leased');
  clock.advance(61_000);
  t.same(await services.policies.previewDue(clock.now()), { customers: 600, finished: 1 });
  const seen = done(await desk.service.inject('GET', path)).json();
  t.match(seen, { status: 'done', customers: 2_600, moving: 867 });
  t.equal(seen.sample.length, 50);
  const rows = await database.read(tenant.id, (executor) =>
    executor.rows({
      text: 'SELECT 1 FROM policy_previews WHERE tenant_id = $1 AND due_at IS NOT NULL',
      values: [tenant.id],
    }),
  );
  t.same(rows, []);
});

t.test('a tenant has a bounded number of previews under way, and old ones go', async (t) => {
  const desk = await openDesk(shared, 'running');
  const { id } = await desk.draft();
  const first = done(await desk.ask(id, 'previews')).json();
  for (let i = 1; i < 20; i++) done(await desk.ask(id, 'previews'));
  t.same(refusal(await desk.ask(id, 'previews')), [409, 'too_many_policy_previews']);
  await desk.service.services.policies.previewDue(shared.clock.now());
  shared.clock.advance(31 * 86_400_000);
  done(await desk.ask(id, 'previews'));
  const gone = await desk.service.inject('GET', `/v1/policy-previews/${first.id}`);
  t.same(refusal(gone), [404, 'policy_preview_not_found']);
});

t.test('the previews of a draft go with it', async (t) => {
  const desk = await openDesk(shared, 'removed');
  const { id } = await desk.draft();
  const asked = done(await desk.ask(id, 'previews')).json();
  t.equal((await desk.remove(id)).statusCode, 204);
  const gone = await desk.service.inject('GET', `/v1/policy-previews/${asked.id}`);
  t.same(refusal(gone), [404, 'policy_preview_not_found']);
  await desk.service.services.policies.previewDue(shared.clock.now());
});
