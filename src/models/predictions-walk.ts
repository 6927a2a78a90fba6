// Owns the walk over all customers that computes what lists are filtered by: after each new calibration and once
// a day, in batches, off the event loop, from where it was left. Does not own the formulas (lifecycle/models/).

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import { tenantsDue } from '../db/due-tenants.js';
import { newId } from '../ids.js';
import { leaseUntil } from '../lease.js';
import { DAY_MS } from '../lifecycle/calendar.js';
import { type Calibration, dropoutOf } from '../lifecycle/calibration.js';
import type { Prediction } from '../lifecycle/models/prediction.js';
import type { Offload } from '../offload/offload.js';
import {
  claimWalk,
  listSubjects,
  type PredictionRow,
  type PredictionWalk,
  type Subject,
  saveWalk,
  type ValueRow,
  writePredictions,
} from './predictions-store.js';
import { readSpends } from './spend-store.js';

const BATCH_SIZE = 1_000;
/** Batches in one run, so that it ends; the walk is due again at once. */
const BATCHES_MAX = 20;
const LEASE_MS = 60_000;

/** By which a tenant's customers are predicted, and whose calendar their days are of. */
export interface Ground {
  calibration: Calibration;
  timeZone: string;
}

export interface WalkDeps {
  database: Database;
  offload: Pick<Offload, 'run'>;
  groundOf(context: Pick<Context, 'tenantId'>): Promise<Ground>;
  clock: () => Date;
}

export interface WalkRun {
  customers: number;
  finished: number;
}

/** Takes each tenant's walk further, until it is done or the run has reached its bound. Throws what failed first, at the end. */
export async function predictDue(deps: WalkDeps, now: Date): Promise<WalkRun> {
  const result: WalkRun = { customers: 0, finished: 0 };
  const failures: unknown[] = [];
  for (const tenantId of await deps.database.find((executor) =>
    tenantsDue(executor, 'prediction_walks', now),
  )) {
    try {
      const { customers, finished } = await predictOne(deps, tenantId, now);
      result.customers += customers;
      result.finished += finished ? 1 : 0;
    } catch (error) {
      // It is taken up again once its lease has run out; the other tenants' walks do not wait for that.
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return result;
}

async function predictOne(
  deps: WalkDeps,
  tenantId: string,
  now: Date,
): Promise<{ customers: number; finished: boolean }> {
  const actor = { kind: 'system', id: 'predict-customers' } as const;
  const context: Context = { tenantId, actor, now, requestId: newId() };
  const lease = leaseUntil(deps, LEASE_MS);
  const walk = await deps.database.write(context, (tx) =>
    claimWalk(tx, tenantId, { now, leaseUntil: lease }),
  );
  return walk === undefined ? { customers: 0, finished: false } : goOn(deps, context, walk);
}

async function goOn(deps: WalkDeps, context: Context, walk: PredictionWalk) {
  const { database } = deps;
  const { tenantId, now } = context;
  const startedAt = walk.startedAt ?? now;
  const ground = await deps.groundOf(context);
  const isPredictable = dropoutOf(ground.calibration) !== null;
  let customers = 0;
  let current = walk;
  for (let batch = 1; ; batch += 1) {
    const page = { after: current.cursor, limit: BATCH_SIZE };
    const subjects = await database.read(tenantId, (executor) => listSubjects(executor, tenantId, page));
    const rows = isPredictable
      ? await predictBatch(deps, { tenantId, ground, startedAt }, subjects)
      : NOTHING;
    const finished = subjects.length < BATCH_SIZE;
    const { dueAt: held, cursor: after } = current;
    const last = subjects.at(-1)?.id;
    current = {
      ...current,
      cursor: finished ? null : (last ?? after),
      customersDone: current.customersDone + subjects.length,
      // The stretch is over, not the walk: it is due again at once, for whichever replica comes first.
      dueAt: finished
        ? nextWalk(startedAt, isPredictable)
        : batch >= BATCHES_MAX
          ? now
          : leaseUntil(deps, LEASE_MS),
      startedAt: finished ? null : startedAt,
      finishedAt: finished ? startedAt : current.finishedAt,
    };
    const progress = current;
    const isHeld = await database.write(context, async (tx) => {
      if (!(await saveWalk(tx, tenantId, progress, held))) return false;
      const calibrationVersion = ground.calibration.version;
      if (last !== undefined)
        await writePredictions(tx, tenantId, {
          after,
          last,
          computedAt: startedAt,
          calibrationVersion,
          ...rows,
        });
      return true;
    });
    // Restarted by a new calibration, or taken over: whoever goes on does so from what was saved last.
    if (!isHeld) return { customers, finished: false };
    customers += subjects.length;
    if (finished || batch >= BATCHES_MAX) return { customers, finished };
  }
}

/** Without a model there is nothing to predict until the next fit finds one. */
function nextWalk(startedAt: Date, isPredictable: boolean): Date | null {
  return isPredictable ? new Date(startedAt.getTime() + DAY_MS) : null;
}

interface Rows {
  predictions: PredictionRow[];
  values: ValueRow[];
}

const NOTHING: Rows = { predictions: [], values: [] };

interface Batch {
  tenantId: string;
  ground: Ground;
  startedAt: Date;
}

async function predictBatch(
  { database, offload }: WalkDeps,
  { tenantId, ground, startedAt }: Batch,
  all: readonly Subject[],
): Promise<Rows> {
  const subjects = all.filter(({ facts }) => facts.purchaseDays > 0);
  if (subjects.length === 0) return NOTHING;
  const range = { tenantId, timeZone: ground.timeZone, now: startedAt };
  const ids = subjects.map(({ id }) => id);
  const spends = await database.read(tenantId, (executor) => readSpends(executor, range, ids));
  const predictions = await offload.run('predict', {
    subjects: subjects.map(({ id, facts }) => ({ facts, currencies: spends.get(id) ?? [] })),
    calibration: ground.calibration,
    at: startedAt.getTime(),
  });
  const rows: Rows = { predictions: [], values: [] };
  for (const [index, { id }] of subjects.entries()) addRows(rows, id, predictions[index]);
  return rows;
}

function addRows(rows: Rows, customer: string, prediction: Prediction | undefined): void {
  const { model = null, pAlive = null, expectedOrders = null, values = [] } = prediction ?? {};
  if (model === null || pAlive === null || expectedOrders === null) return;
  rows.predictions.push({
    ...{ customer, model, pAlive },
    expectedOrders30: expectedOrders.next30Days,
    expectedOrders90: expectedOrders.next90Days,
    expectedOrders365: expectedOrders.next365Days,
  });
  for (const { currency, historicMinor, futureMinor } of values)
    if (futureMinor !== null) rows.values.push({ customer, currency, historicMinor, futureMinor });
}
