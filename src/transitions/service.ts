// Owns where every customer stands: locking them, deciding, and writing stage, ledger and events together.
// Does not own the facts (orders, touchpoints, profiles): their modules bring them here. If a second place
// ever sets a stage, the house is broken.

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Executor, Transaction } from '../db/executor.js';
import type { PerennialError } from '../errors.js';
import type { OutboxService } from '../outbox/service.js';
import { absencesOf, refuseErased } from './absence.js';
import { type AdvanceDeps, advanceCustomers } from './advance.js';
import { type AsOfReading, createAsOfReading } from './as-of.js';
import { type CustomerFilter, type CustomerPage, listCustomers } from './customer-list-store.js';
import { createErasure, type Erasure } from './erasure.js';
import { explain } from './explaining.js';
import type { CustomerTold } from './explanation-schemas.js';
import { type LedgerFilter, type LedgerPage, type LedgerView, listLedger } from './feed-store.js';
import { type Foreseen, type ForesightStep, foresee } from './foresight.js';
import { countLedger, listDatedValues, listMoves } from './held-store.js';
import { createHistoryReading, type HistoryReading } from './histories.js';
import { createMerging, type Merging } from './merging.js';
import { moveIn } from './moving.js';
import { recomputeNext, type WalkResult, type WalkStep } from './recomputing.js';
import { fromDbCustomer, fromDbListed } from './rows.js';
import type { MoveInput } from './schemas.js';
import { findCustomers, lockCustomers, type NamedRow, type Ref } from './store.js';
import { advanceDue, type TickDeps, type TickResult } from './tick.js';
import { createTimelines } from './timeline.js';
import type {
  Advancement,
  AdvanceOptions,
  CustomerSnapshot,
  ListedCustomer,
  LockedCustomer,
  Standing,
} from './work.js';

export { type AsOfReading, type Counts, PAST_FIELDS, type PastFilter, type PastStanding } from './as-of.js';
export type { CustomerFilter } from './customer-list-store.js';
export { anonymousEvidence } from './erasure.js';
export type { LedgerFilter, LedgerView } from './feed-store.js';
export type { Foreseen, ForesightStep } from './foresight.js';
export type { CustomerHistory, HistoryReading } from './histories.js';
export type { Versions } from './history-store.js';
export { recordingTime } from './ledger.js';

export interface TransitionsService {
  /** Facts and versions for those who ask "what if"; see histories.ts. */
  histories: HistoryReading;
  /** Where customers stood at an instant; see as-of.ts. */
  asOf: AsOfReading;
  /** The ledger's part in merges; see merging.ts. */
  merging: Merging;
  /** The ledger's part in erasure; see erasure.ts. */
  erasure: Erasure;
  /** What is held of one customer, a page at a time. */
  held: { moves: typeof listMoves; values: typeof listDatedValues; countLedger: typeof countLedger };
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
  /** Why there was nobody under each of these references, in their order; see absence.ts. */
  absences(executor: Executor, tenantId: string, refs: readonly Ref[]): Promise<PerennialError[]>;
  list(
    executor: Executor,
    tenantId: string,
    filter: CustomerFilter,
    page: CustomerPage,
  ): Promise<ListedCustomer[]>;
  /** The id of a customer; throws where there is none. */
  identify(context: Context, ref: Ref): Promise<string>;
  /** Ledger rows, newest first. */
  history(context: Context, filter: LedgerFilter, page: LedgerPage): Promise<LedgerView[]>;
  /** Why a customer is where they are, and what would change it. */
  explain(context: Context, ref: Ref): Promise<CustomerTold>;
  /** A person's move; checked against the graph as the customer stands now. */
  move(context: Context, ref: Ref, input: MoveInput): Promise<Standing>;
  /** One tick: advances everybody who is due at `now`. */
  advanceDue(now: Date): Promise<TickResult>;
  /** Re-decides the next customers of a walk over all; answers the last one's id, or null at the end. */
  recompute(context: Context, walk: WalkStep): Promise<WalkResult>;
  /** What `recompute` would do to the next customers under another timeline. Locks nothing and writes nothing. */
  foresee(context: Context, step: ForesightStep): Promise<Foreseen[]>;
}

export interface TransitionsDeps {
  database: Database;
  outbox: Pick<OutboxService, 'prepareEvents' | 'placeAtOnce'>;
  onFailure: TickDeps['onFailure'];
}

export function createTransitionsService(deps: TransitionsDeps): TransitionsService {
  const { database, outbox, onFailure } = deps;
  const timelines = createTimelines();
  const advancing: AdvanceDeps = { timelines, outbox };
  const advance: TransitionsService['advanceCustomers'] = (tx, context, advancements, options) =>
    advanceCustomers(advancing, tx, context, { advancements, options });

  function lock(tx: Transaction, tenantId: string, refs: readonly Ref[]) {
    const rows = lockCustomers(tx, tenantId, refs);
    timelines.prime(
      tx,
      tenantId,
      rows.then(([row]) => row),
    );
    return placed(rows, refs.length);
  }

  const histories = createHistoryReading();
  return {
    histories,
    explain: (context, ref) => explain({ database, timelines, histories }, context, ref),
    asOf: createAsOfReading({ database, timelines }),
    merging: createMerging({ timelines }),
    erasure: createErasure(),
    held: { moves: listMoves, values: listDatedValues, countLedger },
    lock,
    opened,
    advanceCustomers: advance,
    find: (executor, tenantId, refs) => placed(findCustomers(executor, tenantId, refs), refs.length),
    absences: absencesOf,
    async list(executor, tenantId, filter, page) {
      const rows = await listCustomers(executor, tenantId, filter, page);
      return rows.map(fromDbListed);
    },
    identify: ({ tenantId }, ref) =>
      database.read(tenantId, async (executor) => {
        const [row] = await findCustomers(executor, tenantId, [ref]);
        if (row === undefined) throw await absenceOf(executor, tenantId, ref);
        return row.id;
      }),
    history: ({ tenantId }, filter, page) =>
      database.read(tenantId, (executor) => listLedger(executor, tenantId, filter, page)),
    move: (context, ref, input) =>
      database.write(context, async (tx) => {
        const [customer] = await lock(tx, context.tenantId, [ref]);
        if (customer === undefined) throw await absenceOf(tx, context.tenantId, ref);
        refuseErased(customer);
        return moveIn(advancing, tx, context, { customer, input });
      }),
    advanceDue: (now) => advanceDue({ database, advanceCustomers: advance, onFailure }, now),
    recompute: (context, step) =>
      recomputeNext({ database, timelines, advanceCustomers: advance }, context, step),
    foresee: (context, step) =>
      database.read(context.tenantId, (executor) => foresee(executor, context, step)),
  };
}

function opened(snapshot: CustomerSnapshot): LockedCustomer {
  return {
    snapshot,
    stage: null,
    stageSince: null,
    state: null,
    reviewAt: null,
    nextFactAt: null,
    outlook: null,
    sequence: 0,
    recordedAt: null,
    lifecycleVersion: 0,
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

async function absenceOf(executor: Executor, tenantId: string, ref: Ref) {
  const [absence] = await absencesOf(executor, tenantId, [ref]);
  return absence;
}
