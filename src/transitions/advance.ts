// Owns the one way in which a stage is set: what has become known is folded, decided and written, for many
// customers in one statement. Does not own the locking before it (service.ts) nor the facts' own rows.

import type { Context } from '../context.js';
import type { Executor, Transaction } from '../db/executor.js';
import type { CompiledTimeline } from '../lifecycle/timeline.js';
import type { OutboxService } from '../outbox/service.js';
import { loadHistories } from './history-store.js';
import { type Computed, compute, type History, needsHistory, recordingTime } from './ledger.js';
import { writeAdvance } from './ledger-store.js';
import type { Timelines } from './timeline.js';
import type { Advancement, AdvanceOptions, LockedCustomer, Standing } from './work.js';

export interface AdvanceDeps {
  timelines: Timelines;
  outbox: Pick<OutboxService, 'prepareEvents' | 'placeAtOnce'>;
}

export async function advanceCustomers(
  { timelines, outbox }: AdvanceDeps,
  tx: Transaction,
  context: Context,
  work: { advancements: Advancement[]; options: AdvanceOptions },
): Promise<Map<string, Standing>> {
  const { advancements, options } = work;
  const timeline = await timelines.of(tx, context.tenantId);
  const computed = await computeAll(tx, context, { advancements, timeline, options });
  if (computed.length > 0) {
    const prepared = outbox.prepareEvents(
      context,
      computed.flatMap((each) => each.events),
    );
    const isShadowed = await timelines.isShadowed(tx, context.tenantId);
    const events = await outbox.placeAtOnce(tx, context.tenantId, prepared);
    const deliveries = await writeAdvance(tx, context.tenantId, {
      lifecycles: computed.map(({ lifecycle }) => lifecycle),
      added: computed.flatMap(({ added }) => added),
      superseded: computed.flatMap(({ supersededIds, recordedAt }) =>
        supersededIds.map((id) => ({ id, at: recordedAt })),
      ),
      events,
      isShadowed,
    });
    if (deliveries > 0) tx.announce('deliveries');
  }
  return new Map(computed.map(({ standing }) => [standing.customerId, standing]));
}

export interface Computation {
  advancements: Advancement[];
  timeline: CompiledTimeline;
  options: AdvanceOptions;
}

/** What each advancement comes to. Reads the histories that it needs and writes nothing. */
export async function computeAll(
  executor: Executor,
  context: Context,
  computation: Computation,
): Promise<Computed[]> {
  const { advancements, timeline, options } = computation;
  const { tenantId } = context;
  const nowOf = ({ customer }: Advancement) => recordingTime(context.now, customer);
  const replayed = advancements.filter((advancement) =>
    needsHistory(advancement, timeline, options.until ?? nowOf(advancement)),
  );
  const histories = await historiesOf(executor, tenantId, replayed);
  return advancements.map((advancement) => {
    const history = histories.get(advancement.customer.snapshot.id);
    return compute({ advancement, history, timeline, now: nowOf(advancement), options });
  });
}

/** Where a customer stands by now, were it written: for a check before something is added. Writes nothing. */
export async function standingNow(
  tx: Transaction,
  context: Context,
  { customer, timeline }: { customer: LockedCustomer; timeline: CompiledTimeline },
): Promise<Standing> {
  const options: AdvanceOptions = { mode: 'write', deliver: false };
  const [computed] = await computeAll(tx, context, { advancements: [{ customer }], timeline, options });
  if (computed === undefined) throw new Error('one customer in, one standing out');
  return computed.standing;
}

/** The facts of customers, and their ledger in force. */
export async function historiesOf(
  executor: Executor,
  tenantId: string,
  advancements: Advancement[],
): Promise<Map<string, History>> {
  const histories = new Map<string, History>();
  if (advancements.length === 0) return histories;
  const ids = advancements.map(({ customer }) => customer.snapshot.id);
  const rows = await loadHistories(executor, tenantId, ids);
  for (const id of ids) {
    histories.set(id, {
      orders: rows.orders.get(id) ?? [],
      touchpoints: rows.touchpoints.get(id) ?? [],
      moves: rows.moves.get(id) ?? [],
      changes: rows.changes.get(id) ?? [],
      inForce: rows.inForce.get(id) ?? [],
    });
  }
  return histories;
}
