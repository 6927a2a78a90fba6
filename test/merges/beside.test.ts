// The undoing of a merge beside what else is at work on shadows and on the search for duplicates.

import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { startService } from '../helpers/service.js';
import { openShop, POLICY } from '../orders/shop.js';
import { deskOf, done } from '../policies/desk.js';
import { openRows } from '../routes/rows.js';
import { merge, twins, undo } from './twins.js';

const NOW = '2026-03-02T09:00:00.000Z';
const shared = await startService(t, { now: NOW });
const rows = await openRows(t, shared);

t.beforeEach(() => shared.clock.set(NOW));

t.test('a shadow that decided both by a clock behind the merge’s keeps nothing of either', async (t) => {
  const { shop, ann, anna } = await twins(shared, 'behind');
  const { service } = shop;
  const desk = deskOf(service);
  const { id } = await desk.draft(POLICY, 'sh');
  done(await desk.ask(id, 'shadow'));
  shared.clock.advance(60_000);
  const { id: mergeId } = done(await merge(shop, ann, anna)).json();
  await service.services.shadows.advance(new Date(shared.clock.now().getTime() - 500));
  done(await desk.ask(id, 'unshadow'));
  const left = () =>
    rows.query(
      `SELECT FROM shadow_transitions WHERE tenant_id = '${service.tenant.id}' AND customer_id = '${ann}'`,
    );
  t.ok((await left()).length > 0, 'it had decided them');
  shared.clock.advance(1_000);
  done(await undo(shop, ann, mergeId));
  t.same(await left(), []);
});

t.test('the erasure of somebody else does not stand in its way, nor it in the erasure’s', async (t) => {
  const shop = await openShop(shared, 'beside');
  const { inject, tenant } = shop.service;
  const put = async (name: string): Promise<string> =>
    done(await inject('PUT', `/v1/customers/ext:crm:${name}`, { body: { name } })).json().id;
  const [ann, anna, cleo] = [await put('ann'), await put('anna'), await put('cleo')];
  const desk = deskOf(shop.service);
  const { id } = await desk.draft(POLICY, 'shadow');
  done(await desk.ask(id, 'shadow'));
  shared.clock.advance(1_000);
  const { id: mergeId } = done(await merge(shop, ann, anna)).json();
  shared.clock.advance(1_000);
  const waiting = async (count: number): Promise<void> => {
    const locks = () =>
      rows.query(`SELECT FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
                   WHERE a.datname = current_database() AND NOT l.granted`);
    while ((await locks()).length < count) await sleep(5);
  };
  const deadlocks = async () => {
    const [row] = await rows.query<{ deadlocks: string }>(
      `SELECT pg_stat_force_next_flush(), deadlocks FROM pg_stat_database WHERE datname = current_database()`,
    );
    return Number(row?.deadlocks);
  };
  const before = await deadlocks();
  // A search for duplicates is under way: both come to wait, and neither for the other in a circle.
  const held = await rows.alone(async (client) => {
    await client.query('SELECT FROM duplicate_walks WHERE tenant_id = $1 FOR UPDATE', [tenant.id]);
    const erasing = inject('DELETE', `/v1/customers/${cleo}`);
    await waiting(1);
    const undoing = undo(shop, ann, mergeId);
    await waiting(2);
    // Not awaited here: what they wait for is let go at the end.
    return { erasing, undoing };
  });
  done(await held.erasing);
  done(await held.undoing);
  t.equal(await deadlocks(), before);
});
