// Owns the work of backtests: one of each tenant at a time, a stretch of customers after the other, under a lease.
// What a stretch came to is kept with its place in one statement, so that an interrupted backtest goes on and
// comes to the same. Does not own what is counted (lifecycle/backtest/), nor when this runs (jobs/).

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import { tenantsDue } from '../db/due-tenants.js';
import { PerennialError } from '../errors.js';
import { newId } from '../ids.js';
import { leaseUntil } from '../lease.js';
import type { BacktestPlan } from '../lifecycle/backtest/plan.js';
import { emptyTally } from '../lifecycle/backtest/tally.js';
import { DAY_MS } from '../lifecycle/calendar.js';
import type { Offload } from '../offload/offload.js';
import type { PoliciesService } from '../policies/service.js';
import type { HistoryReading } from '../transitions/service.js';
import { segmentNameOf } from './segment.js';
import { pack, unpack } from './tally-codec.js';
import { claimWork, countCustomers, letGo, saveEnd, saveProgress, type Work } from './work-store.js';

/** Customers whose histories are read at once: of a thousand, requests would wait for 40 ms. */
const STRETCH = 500;
/** Stretches in one run, so that it ends; the backtest is due again at once, behind the tenant's others. */
const STRETCHES_MAX = 20;
/** A process that dies in the middle is waited for this long. */
const LEASE_MS = 60_000;
/** A fit to the orders of a large tenant, behind others that wait for a thread, may take minutes. */
const FIT_LEASE_MS = 600_000;
const FAILURES_MAX = 5;
const RETRY_MS = 10_000;

export interface RunDeps {
  database: Database;
  histories: HistoryReading;
  policies: Pick<PoliciesService, 'calibrationAsOf'>;
  offload: Pick<Offload, 'run'>;
  clock: () => Date;
  onFailure: (failure: { tenantId: string; backtestId: string; error: unknown }) => void;
}

export interface RunResult {
  customers: number;
  finished: number;
  /** Whether any has more to do at once. */
  more: boolean;
}

interface Held {
  context: Context;
  token: string;
  work: Work;
}

/** One backtest of each tenant that has one due, some stretches further. */
export async function advanceBacktests(deps: RunDeps, now: Date): Promise<RunResult> {
  const result: RunResult = { customers: 0, finished: 0, more: false };
  for (const tenantId of await deps.database.find((finder) => tenantsDue(finder, 'backtests', now))) {
    const held = await claim(deps, tenantId, now);
    if (held === undefined) continue;
    try {
      const { customers, isOver } = await goOn(deps, held);
      result.customers += customers;
      result.finished += isOver ? 1 : 0;
      result.more = true;
    } catch (error) {
      await putOff(deps, held, error);
    }
  }
  return result;
}

async function claim(deps: RunDeps, tenantId: string, now: Date): Promise<Held | undefined> {
  const actor = { kind: 'system', id: 'backtests' } as const;
  const context: Context = { tenantId, actor, now, requestId: newId() };
  const token = newId();
  const lease = { token, now, leaseUntil: leaseUntil(deps, LEASE_MS) };
  const work = await deps.database.write(context, (tx) => claimWork(tx, tenantId, lease));
  return work === undefined ? undefined : { context, token, work };
}

async function goOn(deps: RunDeps, held: Held): Promise<{ customers: number; isOver: boolean }> {
  const { context, token, work } = held;
  const { tenantId, now } = context;
  let customers = 0;
  if (!(await prepare(deps, held))) return { customers, isOver: false };
  const plan = planOf(work);
  let tally = work.tally === null ? emptyTally(plan.cuts.length) : await unpack(work.tally);
  let ahead = read(deps, held, work.cursor);
  for (let taken = 0; taken < STRETCHES_MAX; taken += 1) {
    const stretch = await ahead;
    const last = stretch.at(-1)?.customer.snapshot.id ?? work.cursor;
    const isLast = stretch.length < STRETCH;
    // While a thread counts these.
    ahead = isLast || taken + 1 === STRETCHES_MAX ? Promise.resolve([]) : read(deps, held, last);
    ahead.catch(() => undefined);
    const input = stretch.map(({ customer, history }) => {
      return { history, segment: segmentNameOf(customer.snapshot, work.segmentBy) };
    });
    tally = await deps.offload.run('backtestStretch', { plan, tally, customers: input });
    customers += stretch.length;
    work.cursor = last;
    work.customersDone += stretch.length;
    if (isLast) {
      const report = JSON.stringify(await deps.offload.run('backtestReport', { plan, tally }));
      const end = { id: work.id, token, now: deps.clock(), customersDone: work.customersDone, report };
      return { customers, isOver: await deps.database.write(context, (tx) => saveEnd(tx, tenantId, end)) };
    }
    work.tally = await pack(tally);
    if (!(await keep(deps, held))) return { customers, isOver: false };
  }
  const again = { id: work.id, token, dueAt: now, failures: 0 };
  await deps.database.write(context, (tx) => letGo(tx, tenantId, again));
  return { customers, isOver: false };
}

/** What is to be known before the first customer: how many there are, and a calibration for each cut. */
async function prepare(deps: RunDeps, held: Held): Promise<boolean> {
  const { context, work } = held;
  const { tenantId } = context;
  const { timeZone } = work.policy;
  work.customersTotal ??= await deps.database.read(tenantId, (executor) =>
    countCustomers(executor, tenantId),
  );
  for (const at of work.cuts.slice(work.calibrations.length)) {
    // Before each, so that nobody takes it up meanwhile, fits the same, and loses it in the same way.
    if (!(await keep(deps, held, FIT_LEASE_MS))) return false;
    work.calibrations.push(await deps.policies.calibrationAsOf(context, { timeZone, at }));
    if (!(await keep(deps, held))) return false;
  }
  return true;
}

/** False where the claim has been lost: what has been done since is nobody's. */
function keep(deps: RunDeps, { context, token, work }: Held, leaseMs = LEASE_MS): Promise<boolean> {
  const { tenantId } = context;
  const progress = { ...work, token, leaseUntil: leaseUntil(deps, leaseMs) };
  return deps.database.write(context, (tx) => saveProgress(tx, tenantId, progress));
}

function read({ database, histories }: RunDeps, { context: { tenantId } }: Held, after: string | null) {
  return database.read(tenantId, (executor) => histories.next(executor, tenantId, { after, limit: STRETCH }));
}

function planOf({ policy, live, horizonDays, segmentBy, cuts, calibrations }: Work): BacktestPlan {
  return {
    policy,
    live,
    horizonMs: horizonDays * DAY_MS,
    cuts: cuts.flatMap((cut, index) => {
      const calibration = calibrations[index];
      return calibration === undefined ? [] : [{ at: cut.getTime(), calibration }];
    }),
    isSegmented: segmentBy !== null,
  };
}

/** What was not available is tried again without end; what fails again and again is given up. */
async function putOff({ database, clock, onFailure }: RunDeps, held: Held, error: unknown): Promise<void> {
  const { context, token, work } = held;
  const { tenantId } = context;
  const now = clock();
  const isTemporary = error instanceof PerennialError && error.kind === 'unavailable';
  const failures = isTemporary ? work.failures : work.failures + 1;
  onFailure({ tenantId, backtestId: work.id, error });
  const dueAt = new Date(now.getTime() + RETRY_MS);
  // Where the database is away this fails as well: the lease runs out, and another run takes it up.
  await database.write(context, async (tx) => {
    if (failures < FAILURES_MAX) return letGo(tx, tenantId, { id: work.id, token, dueAt, failures });
    await saveEnd(tx, tenantId, { id: work.id, token, now, customersDone: work.customersDone, report: null });
  });
}
