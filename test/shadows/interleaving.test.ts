// No change of a customer is lost to a shadow, whatever falls between its reading and its writing, and what cannot be
// done now is done later.

import t from 'tap';
import { v7 as uuidv7 } from 'uuid';
import { createShadowsService, type ShadowsService } from '../../src/shadows/service.js';
import type { CustomerHistory, TransitionsService } from '../../src/transitions/service.js';
import { createPlayground, policyOf } from '../helpers/playground.js';
import {
  countRows,
  dieInRun,
  expected,
  recorded,
  runShadows,
  type Shadow,
  startShadow,
  type Tenant,
} from './lab.js';

const DAY_MS = 86_400_000;
const START = Date.parse('2025-01-01T00:00:00Z');
const NEVER = { silentDays: 120, timeZone: 'UTC', cadence: false };

const playground = await createPlayground(t, { replicas: 2 });

async function open(silentDays = 10, cadence = false) {
  const tenant = await playground.openTenant(START);
  await tenant.activate(policyOf(NEVER), null, START);
  const policy = policyOf({ ...NEVER, silentDays, cadence });
  const shadow: Shadow = { policyId: uuidv7(), policy, sinceMs: START + DAY_MS };
  return { tenant, shadow, sale: { kind: 'order', customer: 0, atMs: START + DAY_MS } as const };
}

/** The service with a hand in what it reads. */
function watched(
  tenant: Tenant,
  histories: Partial<TransitionsService['histories']>,
  failures: unknown[] = [],
): ShadowsService {
  const { database, services } = tenant.world();
  const { transitions } = services;
  return createShadowsService({
    database,
    transitions: { ...transitions, histories: { ...transitions.histories, ...histories } },
    onFailure: (failure) => failures.push(failure),
  });
}

function gate() {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open: () => open() };
}

/** Whether somebody waits until the tenant's writes are done. */
async function isWaiting(tenant: Tenant): Promise<boolean> {
  const [row] = await tenant.world().database.read(tenant.id, (executor) =>
    executor.rows<{ waits: boolean }>({
      text: `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted) AS waits`,
    }),
  );
  return row?.waits ?? false;
}

t.test('a change that comes while its customer is being decided is looked at again', async (t) => {
  const { tenant, shadow, sale } = await open();
  await startShadow(tenant, shadow, START + DAY_MS);
  await runShadows(tenant, START + DAY_MS);
  const now = START + 2 * DAY_MS;
  await tenant.tell(sale, now);
  const { histories } = tenant.world().services.transitions;
  const shadows = watched(tenant, {
    async of(...given) {
      const read = await histories.of(...given);
      // Behind the back of the step, which has read the customer and the mark of the sale.
      await tenant.tell({ ...sale, atMs: now }, now, 1);
      return read;
    },
  });
  await shadows.advance(new Date(now));
  t.equal(await countRows(tenant, 'shadow_marks'), 1, 'the mark of the second sale is still there');
  await runShadows(tenant, now);
  t.same(await recorded(tenant, shadow), await expected(tenant, shadow, now));
});

t.test('a write that had begun before the shadow did is waited for, since it marks nobody', async (t) => {
  const { tenant, shadow } = await open();
  const now = START + 2 * DAY_MS;
  const { database, services } = tenant.world();
  const context = tenant.contextAt(now);
  const held = gate();
  const begun = gate();
  const writing = database.write(context, async (tx) => {
    const [customer] = await services.transitions.lock(tx, tenant.id, [
      { kind: 'external', namespace: 'c', id: '0' },
    ]);
    if (customer === undefined) throw new Error('there is one');
    begun.open();
    await held.passed;
    const move = { id: uuidv7(), at: now, to: 'churned', holdUntil: null, reason: 'r', actor: 'a' };
    await tx.rows({
      text: `INSERT INTO manual_moves (tenant_id, id, customer_id, to_stage, reason, actor, effective_at)
             VALUES ($1, $2, $3, $4, 'r', 'a', $5)`,
      values: [tenant.id, move.id, customer.snapshot.id, move.to, new Date(now)],
    });
    const advancements = [{ customer, moves: [move] }];
    await services.transitions.advanceCustomers(tx, context, advancements, { mode: 'write', deliver: true });
  });
  await begun.passed;
  await startShadow(tenant, shadow, now);
  const running = runShadows(tenant, now, 1);
  let isOver = false;
  void running.finally(() => {
    isOver = true;
  });
  while (!isOver && !(await isWaiting(tenant))) {
    // Until the run has come to where it waits, or has not waited at all.
  }
  held.open();
  await Promise.all([writing, running]);
  t.equal(await countRows(tenant, 'shadow_marks'), 0, 'it did not know of the shadow');
  const found = await recorded(tenant, shadow);
  t.same(found, await expected(tenant, shadow, now));
  t.match(found.standings[0], { live: 'churned', shadow: 'churned' });
});

t.test('who dies leaves the shadow to others after the lease, and nothing half done', async (t) => {
  const { tenant, shadow, sale } = await open();
  await tenant.tell(sale, START + DAY_MS);
  await startShadow(tenant, shadow, START + DAY_MS);
  const now = START + 30 * DAY_MS;
  // Claim and wait, then the step.
  await dieInRun(tenant, now, 3);
  await runShadows(tenant, now + 59_000, 1);
  t.equal(await countRows(tenant, 'shadow_customers'), 0, 'it is leased');
  await runShadows(tenant, now + 60_000, 1);
  t.same(await recorded(tenant, shadow), await expected(tenant, shadow, now + 60_000));
});

t.test('a customer who cannot be decided keeps nobody waiting and is tried again', async (t) => {
  const { tenant, shadow, sale } = await open();
  await tenant.tell(sale, START + DAY_MS);
  await startShadow(tenant, shadow, START + DAY_MS);
  const { histories } = tenant.world().services.transitions;
  const failures: unknown[] = [];
  const broken = (each: CustomerHistory, index: number) => (index === 1 ? { ...each, inForce: [] } : each);
  const shadows = watched(
    tenant,
    { next: async (...given) => (await histories.next(...given)).map(broken) },
    failures,
  );
  const now = START + 30 * DAY_MS;
  await shadows.advance(new Date(now));
  t.match(failures, [{ tenantId: tenant.id, error: { message: 'a customer stands somewhere' } }]);
  t.equal(await countRows(tenant, 'shadow_customers'), 2);
  await runShadows(tenant, now + 60_000);
  t.equal(await countRows(tenant, 'shadow_customers'), 2, 'not at once');
  await runShadows(tenant, now + 600_000);
  t.same(await recorded(tenant, shadow), await expected(tenant, shadow, now + 600_000));
});

t.test('a calibration that the shadow alone reads is noticed within seconds', async (t) => {
  const { tenant, shadow, sale } = await open(10, true);
  for (const days of [1, 3, 5, 9])
    await tenant.tell({ ...sale, atMs: START + days * DAY_MS }, START + days * DAY_MS);
  const begun = START + 10 * DAY_MS;
  await startShadow(tenant, { ...shadow, sinceMs: begun }, begun);
  await runShadows(tenant, begun);
  await tenant.calibrate(begun + 1_000);
  t.equal(
    await countRows(tenant, 'shadow_marks'),
    0,
    'the live policy does not read it, so nobody is marked',
  );
  const report = () =>
    tenant.world().services.shadows.report(tenant.contextAt(begun + 10_000), shadow.policyId);
  t.equal((await report()).progress.isCurrent, false, 'and yet it is known to be behind');
  await runShadows(tenant, begun + 10_000);
  t.equal((await report()).progress.isCurrent, true);
  const decided = await tenant.world().database.read(tenant.id, (executor) =>
    executor.rows({
      text: 'SELECT FROM shadow_customers WHERE tenant_id = $1 AND as_of = $2',
      values: [tenant.id, new Date(begun + 10_000)],
    }),
  );
  t.equal(decided.length, 3, 'everybody is decided anew');
  const now = begun + 200 * DAY_MS;
  await tenant.tick(now);
  await runShadows(tenant, now);
  const given = { ...shadow, sinceMs: begun };
  t.same(await recorded(tenant, given), await expected(tenant, given, now));
});

/** Whether somebody waits for a row that another transaction holds. */
async function isBlocked(tenant: Tenant): Promise<boolean> {
  const [row] = await tenant.world().database.read(tenant.id, (executor) =>
    executor.rows<{ waits: boolean }>({
      text: `SELECT EXISTS (
               SELECT FROM pg_locks WHERE locktype IN ('transactionid', 'tuple') AND NOT granted) AS waits`,
    }),
  );
  return row?.waits ?? false;
}

for (const [what, meanwhile] of [
  ['erased', (tenant: Tenant, now: number) => erase(tenant, now)],
  ['merged', (tenant: Tenant, now: number) => tenant.merge({ customer: 1, from: 0 }, now)],
] as const) {
  t.test(`one who is ${what} while a step has read them is not written by it`, async (t) => {
    const { tenant, shadow, sale } = await open();
    await tenant.tell(sale, START + DAY_MS);
    const { database, services } = tenant.world();
    const who = { kind: 'external', namespace: 'c', id: '0' } as const;
    const id = await services.transitions.identify(tenant.contextAt(START), who);
    const move = { to: 'churned', reason: 'she quarrelled with us' } as const;
    await services.transitions.move(tenant.contextAt(START + DAY_MS + 1), who, move);
    await startShadow(tenant, shadow, START + 2 * DAY_MS);
    const now = START + 3 * DAY_MS;
    const { histories } = services.transitions;
    let ending: Promise<unknown> | undefined;
    const shadows = watched(tenant, {
      async next(...given) {
        const read = await histories.next(...given);
        let isOver = false;
        ending ??= meanwhile(tenant, now).finally(() => {
          isOver = true;
        });
        while (!isOver && !(await isBlocked(tenant))) {
          // Until it waits for the step, or has not waited at all.
        }
        return read;
      },
    });
    await shadows.advance(new Date(now));
    await ending;
    const left = await database.read(tenant.id, (executor) =>
      executor.rows({
        text: 'SELECT reason FROM shadow_transitions WHERE tenant_id = $1 AND customer_id = $2',
        values: [tenant.id, id],
      }),
    );
    t.same(left, [], 'nothing of theirs is left');
    await runShadows(tenant, now);
    const counted = await database.read(tenant.id, (executor) =>
      executor.rows<{ kept: number; counted: number }>({
        text: `SELECT (SELECT count(*)::int FROM shadow_customers WHERE tenant_id = $1) AS kept,
                      (SELECT sum(count)::int FROM shadow_counts WHERE tenant_id = $1 AND kind = 'standing') AS counted`,
        values: [tenant.id],
      }),
    );
    const standing = what === 'merged' ? 2 : 3;
    t.same(counted, [{ kept: standing, counted: standing }], 'and who is there is counted');
    t.equal(await countRows(tenant, 'shadow_marks'), 0);
  });
}

function erase(tenant: Tenant, now: number) {
  const { privacy } = tenant.world(1).services;
  return privacy.erase(tenant.contextAt(now), { ref: 'ext:c:0', expected: undefined });
}
