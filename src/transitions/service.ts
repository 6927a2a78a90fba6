// Owns where every customer stands: locking them, deciding, and writing stage, ledger and events together.
// Does not own the facts (orders, touchpoints, profiles): their modules bring them here. If a second place
// ever sets a stage, the house is broken.

import { v7 as uuidv7 } from 'uuid';
import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Executor, Transaction } from '../db/executor.js';
import { ConflictError, NotFoundError } from '../errors.js';
import { permittedMoves } from '../lifecycle/stages.js';
import type { OutboxService } from '../outbox/service.js';
import { listCustomers, type CustomerFilter, type CustomerPage } from './customer-list-store.js';
import { type LedgerFilter, type LedgerPage, type LedgerView, listLedger } from './feed-store.js';
import { loadHistories } from './history-store.js';
import { compute, type Computed, type History, needsHistory } from './ledger.js';
import { insertMove, writeAdvance } from './ledger-store.js';
import { fromDbCustomer } from './rows.js';
import type { MoveInput } from './schemas.js';
import { findCustomers, lockCustomers, lockNext, type NamedRow, type Ref } from './store.js';
import { advanceDue, type TickDeps, type TickResult } from './tick.js';
import { createTimelines } from './timeline.js';
import type { AdvanceOptions, Advancement, CustomerSnapshot, LockedCustomer, Standing } from './work.js';

export interface TransitionsService {
  /** Locks customers; aligned with `refs`, undefined where unknown; the same customer is the same object. */
  lock(tx: Transaction, tenantId: string, refs: readonly Ref[]): Promise<(LockedCustomer | undefined)[]>;
  /** A customer that this transaction has just inserted, for advanceCustomers to open its lifecycle. */
  opened(snapshot: CustomerSnapshot): LockedCustomer;
  /**
   * The only writer of a stage. The caller has locked the customers and sent the writes of its own facts
   * before; it sends nothing afterwards, because the commit may travel with the last statement.
   */
  advanceCustomers(
    tx: Transaction,
    context: Context,
    advancements: Advancement[],
    options: AdvanceOptions,
  ): Promise<Map<string, Standing>>;
  find(executor: Executor, tenantId: string, refs: readonly Ref[]): Promise<(LockedCustomer | undefined)[]>;
  list(executor: Executor, tenantId: string, filter: CustomerFilter, page: CustomerPage): Promise<LockedCustomer[]>;
  /** The id of a customer; throws where there is none. */
  identify(context: Context, ref: Ref): Promise<string>;
  /** Ledger rows, newest first. */
  history(context: Context, filter: LedgerFilter, page: LedgerPage): Promise<LedgerView[]>;
  /** A person's move; checked against the graph as the customer stands now. */
  move(context: Context, ref: Ref, input: MoveInput): Promise<Standing>;
  /** One tick: advances everybody who is due at `now`. */
  advanceDue(now: Date): Promise<TickResult>;
  /** Re-decides the next customers of a walk over all; answers the last one's id, or null at the end. */
  recompute(context: Context, walk: WalkStep): Promise<{ last: string | null; count: number }>;
}

export interface WalkStep {
  after: string | null;
  limit: number;
  deliver: boolean;
}

export interface TransitionsDeps {
  database: Database;
  outbox: Pick<OutboxService, 'prepareEvents'>;
  onFailure: TickDeps['onFailure'];
}

export function createTransitionsService({ database, outbox, onFailure }: TransitionsDeps): TransitionsService {
  const timelines = createTimelines();

  async function advanceCustomers(
    tx: Transaction,
    context: Context,
    advancements: Advancement[],
    options: AdvanceOptions,
  ): Promise<Map<string, Standing>> {
    const { tenantId, now } = context;
    const timeline = await timelines.of(tx, tenantId);
    const replayed = advancements.filter((advancement) => needsHistory(advancement, timeline, now));
    const histories = await historiesOf(tx, tenantId, replayed);
    const computed = advancements.map((advancement) => {
      const history = histories.get(advancement.customer.snapshot.id);
      return compute({ advancement, history, timeline, now, options });
    });
    await write(tx, context, computed);
    return new Map(computed.map(({ standing }) => [standing.customerId, standing]));
  }

  async function write(tx: Transaction, context: Context, computed: Computed[]): Promise<void> {
    if (computed.length === 0) return;
    const deliveries = await writeAdvance(tx, context.tenantId, {
      now: context.now,
      lifecycles: computed.map(({ lifecycle }) => lifecycle),
      added: computed.flatMap(({ added }) => added),
      supersededIds: computed.flatMap(({ supersededIds }) => supersededIds),
      events: outbox.prepareEvents(
        context,
        computed.flatMap(({ events }) => events),
      ),
    });
    if (deliveries > 0) tx.announce('deliveries');
  }

  function lock(tx: Transaction, tenantId: string, refs: readonly Ref[]) {
    const rows = lockCustomers(tx, tenantId, refs);
    void timelines.of(tx, tenantId);
    return placed(rows, refs.length);
  }

  return {
    lock,
    advanceCustomers,
    opened: (snapshot) => ({
      snapshot,
      stage: null,
      stageSince: null,
      state: null,
      reviewAt: null,
      nextFactAt: null,
      outlook: null,
      sequence: 0,
      lifecycleVersion: 0,
    }),
    find: (executor, tenantId, refs) => placed(findCustomers(executor, tenantId, refs), refs.length),
    async list(executor, tenantId, filter, page) {
      const rows = await listCustomers(executor, tenantId, filter, page);
      return rows.map(fromDbCustomer);
    },
    identify: (context, ref) =>
      database.read(context.tenantId, async (executor) => {
        const [row] = await findCustomers(executor, context.tenantId, [ref]);
        if (row === undefined) throw unknownCustomer();
        return row.id;
      }),
    history: (context, filter, page) =>
      database.read(context.tenantId, (executor) => listLedger(executor, context.tenantId, filter, page)),
    move: (context, ref, input) =>
      database.write(context, async (tx) => {
        const [customer] = await lock(tx, context.tenantId, [ref]);
        if (customer === undefined) throw unknownCustomer();
        const timeline = await timelines.of(tx, context.tenantId);
        const histories = await historiesOf(tx, context.tenantId, [{ customer, replay: true }]);
        const history = histories.get(customer.snapshot.id);
        const options: AdvanceOptions = { mode: 'write', deliver: true };
        const asIs = compute({ advancement: { customer, replay: true }, history, timeline, now: context.now, options });
        const { stage, state } = asIs.standing;
        const lifecycle = timeline.lifecycleOf(state.policyVersion);
        const permitted = permittedMoves(lifecycle, stage, state.facts.orders > 0);
        if (!permitted.includes(input.to)) {
          throw new ConflictError('move_not_permitted', `A customer in ${stage} cannot be moved to ${input.to}.`, {
            faults: [{ pointer: '/to', detail: `permitted from ${stage}: ${permitted.join(', ')}` }],
            members: { stage, permitted },
          });
        }
        const move = {
          id: uuidv7(),
          at: context.now.getTime(),
          to: input.to,
          holdUntil: input.holdUntil === undefined || input.holdUntil === null ? null : Date.parse(input.holdUntil),
          reason: input.reason,
          actor: `${context.actor.kind}:${context.actor.id}`,
        };
        const inserted = insertMove(tx, context.tenantId, customer.snapshot.id, move);
        const [standings] = await Promise.all([
          advanceCustomers(tx, context, [{ customer, moves: [move] }], options),
          inserted,
        ]);
        const standing = standings.get(customer.snapshot.id);
        if (standing === undefined) throw new Error('an advanced customer has a standing');
        return standing;
      }),
    advanceDue: (now) => advanceDue({ database, transitions: { advanceCustomers }, onFailure }, now),
    recompute: (context, { after, limit, deliver }) =>
      database.write(context, async (tx) => {
        const rows = await lockNext(tx, context.tenantId, after, limit);
        const advancements = rows.map((row) => ({ customer: fromDbCustomer(row) }));
        await advanceCustomers(tx, context, advancements, { mode: 'write', deliver });
        return { last: rows.at(-1)?.id ?? null, count: rows.length };
      }),
  };
}

async function placed(rows: Promise<NamedRow[]>, count: number): Promise<(LockedCustomer | undefined)[]> {
  const customers = new Map<string, LockedCustomer>();
  const places = new Array<LockedCustomer | undefined>(count).fill(undefined);
  for (const row of await rows) {
    const customer = customers.get(row.id) ?? fromDbCustomer(row);
    customers.set(row.id, customer);
    places[row.place] = customer;
  }
  return places;
}

async function historiesOf(
  tx: Transaction,
  tenantId: string,
  advancements: Advancement[],
): Promise<Map<string, History>> {
  const histories = new Map<string, History>();
  if (advancements.length === 0) return histories;
  const ids = advancements.map(({ customer }) => customer.snapshot.id);
  const rows = await loadHistories(tx, tenantId, ids);
  for (const id of ids) {
    histories.set(id, {
      orders: rows.orders.get(id) ?? [],
      touchpoints: rows.touchpoints.get(id) ?? [],
      moves: rows.moves.get(id) ?? [],
      inForce: rows.inForce.get(id) ?? [],
    });
  }
  return histories;
}

function unknownCustomer(): NotFoundError {
  return new NotFoundError('customer_not_found', 'There is no such customer.');
}
