// Owns one tick: everybody whose time has come, tenant by tenant, in batches. A tick that comes late writes
// the same ledger; a second replica finds nothing to repeat. Does not own when it runs (jobs/).

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Transaction } from '../db/executor.js';
import { isAway } from '../db/failures.js';
import { UnavailableError } from '../errors.js';
import { newId } from '../ids.js';
import { fromDbCustomer, type JoinedRow } from './rows.js';
import { claimDue, type DueTenant, lockCustomers, setAside, tenantsDue } from './store.js';
import type { Advancement, AdvanceOptions } from './work.js';

export interface TickLimits {
  /** Customers in one transaction: large enough to spread its cost, small enough to hold locks briefly. */
  batchSizeMax: number;
  /** Batches in one run, so that it ends; the next run goes on. */
  batchesMax: number;
}

const LIMITS: TickLimits = { batchSizeMax: 500, batchesMax: 2_000 };
const DUE_SCAN_MAX = 10_000;
const BATCHES_AT_ONCE = 2;
const SET_ASIDE_FIRST_MS = 60_000;
const SET_ASIDE_MAX_MS = 24 * 3_600_000;

export interface TickDeps {
  database: Database;
  advanceCustomers(
    tx: Transaction,
    context: Context,
    advancements: Advancement[],
    options: AdvanceOptions,
  ): Promise<unknown>;
  /** Told of a customer whose advance failed and was set aside. */
  onFailure: (failure: { tenantId: string; customerId: string; error: unknown }) => void;
}

export interface TickResult {
  advanced: number;
  setAside: number;
  /** Whether somebody may still be due: the run reached its bound. */
  more: boolean;
}

/** Advances everybody due at `now`; bounded, and safe to run on any number of machines at once. */
export async function advanceDue(
  deps: TickDeps,
  now: Date,
  limits: TickLimits = LIMITS,
): Promise<TickResult> {
  const result: TickResult = { advanced: 0, setAside: 0, more: false };
  let batches = 0;
  for (;;) {
    const queue = await deps.database.find((executor) => tenantsDue(executor, now, DUE_SCAN_MAX));
    let found = 0;
    // A batch a tenant in turn: one with millions due does not keep the others waiting.
    const work = async (): Promise<void> => {
      for (let tenant = queue.shift(); tenant !== undefined; tenant = queue.shift()) {
        if (batches >= limits.batchesMax) {
          result.more = true;
          return;
        }
        batches += 1;
        const batch = await advanceBatch(deps, { tenant, now, limit: limits.batchSizeMax });
        result.advanced += batch.advanced;
        result.setAside += batch.setAside;
        const size = batch.advanced + batch.setAside;
        found += size;
        // A full batch may have left more behind; whoever is free takes the tenant up again.
        if (size >= limits.batchSizeMax) queue.push(tenant);
      }
    };
    // A tenant more than once: while one batch is being decided here, another's rows are written there.
    if (queue.length < BATCHES_AT_ONCE) queue.push(...queue);
    await allEnded(Array.from({ length: BATCHES_AT_ONCE }, work));
    // What is due and was not found is held by another replica.
    if (result.more || found === 0) return result;
  }
}

/** Fails as the first of them does, but not before all have come to an end: nothing is left under way. */
async function allEnded(runs: Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(runs))
    if (outcome.status === 'rejected') throw outcome.reason;
}

function contextOf(tenantId: string, now: Date): Context {
  return { tenantId, actor: { kind: 'system', id: 'advance-due-customers' }, now, requestId: newId() };
}

interface Batch {
  tenant: DueTenant;
  now: Date;
  limit: number;
}

async function advanceBatch(deps: TickDeps, { tenant, now, limit }: Batch) {
  const context = contextOf(tenant.tenantId, now);
  let claimed: string[] = [];
  try {
    const advanced = await deps.database.write(context, async (tx) => {
      const rows = await claimDue(tx, tenant, now, limit);
      claimed = rows.map(({ id }) => id);
      await advanceRows(deps, tx, context, rows);
      return rows.length;
    });
    return { advanced, setAside: 0 };
  } catch (error) {
    if (isOutage(error) || claimed.length === 0) throw error;
    return advanceSingly(deps, context, claimed);
  }
}

async function advanceRows(
  deps: TickDeps,
  tx: Transaction,
  context: Context,
  rows: JoinedRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const advancements = rows.map((row) => ({ customer: fromDbCustomer(row) }));
  await deps.advanceCustomers(tx, context, advancements, { mode: 'tick', deliver: true });
}

/** A batch failed as a whole: one by one, so that only the customer at fault is set aside. */
async function advanceSingly(deps: TickDeps, context: Context, ids: string[]) {
  const result = { advanced: 0, setAside: 0 };
  for (const customerId of ids) {
    let failures = 0;
    try {
      await deps.database.write(context, async (tx) => {
        const rows = await lockCustomers(tx, context.tenantId, [{ kind: 'id', id: customerId }]);
        failures = rows[0]?.failures ?? 0;
        await advanceRows(deps, tx, context, rows);
      });
      result.advanced += 1;
    } catch (error) {
      if (isOutage(error)) throw error;
      deps.onFailure({ tenantId: context.tenantId, customerId, error });
      const until = new Date(
        context.now.getTime() + Math.min(SET_ASIDE_FIRST_MS * 2 ** failures, SET_ASIDE_MAX_MS),
      );
      await deps.database.write(context, (tx) => setAside(tx, context.tenantId, customerId, until));
      result.setAside += 1;
    }
  }
  return result;
}

/** The database being away is nobody's fault in particular: the tick ends and the next one tries again. */
function isOutage(error: unknown): boolean {
  return error instanceof UnavailableError || isAway(error);
}
