// Owns running the fits that somebody has asked for: one at a time for each tenant, by a lease, its progress
// kept, tried again a few times. Does not own the fit (policies/calibrate.ts) nor asking for one (service.ts).

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import { tenantsDue } from '../db/due-tenants.js';
import type { Transaction } from '../db/executor.js';
import { PerennialError } from '../errors.js';
import { newId } from '../ids.js';
import { leaseUntil } from '../lease.js';
import type { PoliciesService } from '../policies/service.js';
import { claimFit, type FitRow, saveFit } from './fits-store.js';

/** Renewed before each model's fit, which may take a minute; a replica that dies in the middle is waited for this long. */
const LEASE_MS = 10 * 60_000;
const ATTEMPTS_MAX = 3;
const RETRY_MS = 60_000;
/** What was not available, since the service stops or the threads have too much to do, soon is again. */
const UNAVAILABLE_RETRY_MS = 10_000;

export interface FitsRunDeps {
  database: Database;
  policies: Pick<PoliciesService, 'calibrate'>;
  /** Told of a fit that failed, and is tried again or given up. */
  onFailure: (failure: { tenantId: string; fitId: string; error: unknown }) => void;
  clock: () => Date;
}

export interface FitsRun {
  fitted: number;
  failed: number;
}

/** Each tenant's oldest fit that is due; the next ones are due at once and left to the next run. */
export async function runFits(deps: FitsRunDeps, now: Date): Promise<FitsRun> {
  const result: FitsRun = { fitted: 0, failed: 0 };
  for (const tenantId of await deps.database.find((executor) => tenantsDue(executor, 'model_fits', now))) {
    const actor = { kind: 'system', id: 'fit-models' } as const;
    const context: Context = { tenantId, actor, now, requestId: newId() };
    const claimed = await claim(deps, context);
    if (claimed !== undefined)
      result[claimed === 'failed' ? claimed : await runOne(deps, context, claimed)] += 1;
  }
  return result;
}

/** A fit whose replica has died at every try had nobody left to give it up. */
async function claim(deps: FitsRunDeps, context: Context): Promise<FitRow | 'failed' | undefined> {
  const { tenantId, now } = context;
  const claimed = await deps.database.write(context, async (tx) => {
    const row = await claimFit(tx, tenantId, { now, leaseUntil: leaseUntil(deps, LEASE_MS) });
    if (row === undefined || row.attempts <= ATTEMPTS_MAX) return row;
    const end = { attempts: ATTEMPTS_MAX, finishedAt: deps.clock(), dueAt: null } as const;
    await saveFit(tx, tenantId, { ...row, ...end, status: 'failed' }, row.dueAt);
    return { lost: row.id };
  });
  if (claimed === undefined || !('lost' in claimed)) return claimed;
  const error = new Error('the process that ran the fit has died at every try');
  deps.onFailure({ tenantId, fitId: claimed.lost, error });
  return 'failed';
}

async function runOne(deps: FitsRunDeps, context: Context, claimed: FitRow): Promise<keyof FitsRun> {
  const { database, policies, clock } = deps;
  const { tenantId } = context;
  let row = claimed;
  const save = async (tx: Transaction, change: Partial<FitRow>) => {
    const next = { ...row, ...change };
    if (!(await saveFit(tx, tenantId, next, row.dueAt))) throw new TakenOver();
    return next;
  };
  const reach = async (stage: FitRow['stage']) => {
    row = await database.write(context, (tx) => save(tx, { stage, dueAt: leaseUntil(deps, LEASE_MS) }));
  };
  try {
    await policies.calibrate(context, {
      onFitting: () => reach('fitting'),
      onRecording: () => reach('recording'),
      // With the version itself: a fit that is done has one, and one that is not can be made again.
      onRecorded: (tx, { version: calibrationVersion }) =>
        save(tx, { status: 'done', stage: null, calibrationVersion, finishedAt: clock(), dueAt: null }),
    });
    return 'fitted';
  } catch (error) {
    if (error instanceof TakenOver) return 'failed';
    deps.onFailure({ tenantId, fitId: row.id, error });
    const next = { ...row, ...afterFailure(row, error, clock()) };
    // Where the database is away this fails as well: the lease runs out, and another run takes it up.
    await database.write(context, (tx) => saveFit(tx, tenantId, next, row.dueAt));
    return 'failed';
  }
}

/** What was not available is no try; what fails again and again is given up. */
function afterFailure({ attempts }: FitRow, error: unknown, at: Date): Partial<FitRow> {
  const after = (ms: number) => ({ status: 'queued', dueAt: new Date(at.getTime() + ms) }) as const;
  if (error instanceof PerennialError && error.kind === 'unavailable')
    return { ...after(UNAVAILABLE_RETRY_MS), attempts: attempts - 1 };
  if (attempts >= ATTEMPTS_MAX) return { status: 'failed', finishedAt: at, dueAt: null };
  return after(RETRY_MS * attempts);
}

/** Another replica has the fit: its lease had run out here. */
class TakenOver extends Error {}
