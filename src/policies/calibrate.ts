// Owns fitting a tenant's models, by schedule and on demand, and making what was fitted a dated version. Does
// not own the measurement (models/measure.ts) nor fits as jobs that can be watched (models/fits-run.ts).

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import { tenantsDue } from '../db/due-tenants.js';
import type { Transaction } from '../db/executor.js';
import { newId } from '../ids.js';
import type { Calibration } from '../lifecycle/calibration.js';
import { type CalibrationPart, partsMoved, partsRead } from '../lifecycle/calibrationParts.js';
import { DEFAULT_POLICY } from '../lifecycle/defaultPolicies.js';
import { DROPOUT_MODELS, type DropoutModel } from '../lifecycle/models/dropout.js';
import { fittedOf } from '../lifecycle/models/fitted.js';
import type { Measured, Measuring } from '../models/measure.js';
import { figuresOf, hasMoved, partsOf } from './figures.js';
import { livePolicy } from './policies-store.js';
import { insertRecomputation } from './recomputations-store.js';
import { CALIBRATION_EVERY_MS, CALIBRATION_RETRY_MS } from './schedule.js';
import {
  type CalibrationRow,
  claimCalibration,
  insertCalibration,
  newestCalibration,
  scheduleCalibration,
} from './store.js';

/** Told of a fit as it goes; each is awaited before it goes on. */
export interface FitSteps {
  /** Before each model's. */
  onFitting?: () => Promise<void>;
  onRecording?: () => Promise<void>;
  /** In the transaction that makes the version. */
  onRecorded?: (tx: Transaction, row: CalibrationRow) => Promise<unknown>;
}

/** Whose calendar days purchases are counted by, and up to when. */
export interface AsOf {
  timeZone: string;
  at: Date;
}

export interface Calibrations {
  /**
   * What a first fit at a past instant would have found, for those who ask "what if". Makes no version, and knows of
   * none: what a version of that time had kept of the fits before it is not in it.
   */
  asOf(context: Context, asOf: AsOf): Promise<Calibration>;
  /** Fits now. The new version takes effect once it is made: nothing takes effect before the fit did. */
  fit(context: Context, steps?: FitSteps): Promise<CalibrationRow>;
  /** Fits the tenants whose time has come; a version is made only where the figures have moved. */
  fitDue(now: Date): Promise<{ fitted: number; unchanged: number }>;
}

/** Rules by this model go on by the version that is kept. */
export interface Refusal {
  tenantId: string;
  model: DropoutModel;
  calibrationVersion: number;
  reason: string | null;
  keptVersion: number;
}

export interface CalibrationsDeps {
  database: Database;
  measuring: Measuring;
  /** In the transaction that makes a version: what is predicted by the models is to be computed anew. */
  onVersion: (tx: Transaction, context: Context) => Promise<unknown>;
  /** Told where a model that the policy in force reads has stopped being identified. */
  onRefused?: (refusal: Refusal) => void;
  clock: () => Date;
}

export function createCalibrations({
  database,
  measuring,
  onVersion,
  onRefused,
  clock,
}: CalibrationsDeps): Calibrations {
  async function measure(context: Context, onFitting?: FitSteps['onFitting']): Promise<Measured> {
    const { tenantId } = context;
    const live = await database.read(tenantId, (executor) => livePolicy(executor, tenantId));
    return measuring.measure(context, (live?.policy ?? DEFAULT_POLICY).timeZone, onFitting);
  }

  async function record(
    context: Context,
    measured: Measured,
    onRecorded?: FitSteps['onRecorded'],
  ): Promise<CalibrationRow> {
    const { tenantId } = context;
    let refusals: ReturnType<typeof refusalsOf> = [];
    // What it answers is what a repeat of the request is answered: the version and nothing beside it.
    const work = async (tx: Transaction): Promise<CalibrationRow> => {
      const [policy, newest] = await Promise.all([livePolicy(tx, tenantId), newestCalibration(tx, tenantId)]);
      // By now all other writes of the tenant are over or wait: what has been decided was decided before this.
      const at = latest(context.now, clock(), newest?.effectiveFrom);
      const row = {
        ...{ version: (newest?.version ?? 0) + 1, effectiveFrom: at, createdAt: at },
        ...figuresOf(measured, newest),
      };
      await insertCalibration(tx, tenantId, row);
      const read = partsRead(policy?.policy ?? DEFAULT_POLICY);
      if (partsMoved(partsOf(newest), partsOf(row)).some((part) => read.has(part))) {
        const { version } = row;
        const walk = { id: newId(), cause: 'calibration', version, backfill: false, createdAt: at } as const;
        await insertRecomputation(tx, tenantId, walk);
      }
      await onVersion(tx, { ...context, now: at });
      await onRecorded?.(tx, row);
      refusals = refusalsOf(row, read);
      return row;
    };
    const row = await database.write(context, work, { exclusive: true });
    for (const refusal of refusals) onRefused?.({ tenantId, ...refusal });
    return row;
  }

  async function fitOne(tenantId: string, now: Date): Promise<'fitted' | 'unchanged' | 'taken'> {
    const actor = { kind: 'system', id: 'calibrate' } as const;
    const context: Context = { tenantId, actor, now, requestId: newId() };
    const again = new Date(now.getTime() + CALIBRATION_RETRY_MS);
    if (!(await database.write(context, (tx) => claimCalibration(tx, tenantId, now, again)))) return 'taken';
    const measured = await measure(context);
    const newest = await database.read(tenantId, (executor) => newestCalibration(executor, tenantId));
    const isNew = newest === undefined || hasMoved(newest, figuresOf(measured, newest));
    if (isNew) await record(context, measured);
    const next = new Date(now.getTime() + CALIBRATION_EVERY_MS);
    await database.write(context, (tx) => scheduleCalibration(tx, tenantId, next));
    return isNew ? 'fitted' : 'unchanged';
  }

  return {
    async asOf(context, { timeZone, at }) {
      const measured = await measuring.measure({ ...context, now: at }, timeZone);
      const { r, alphaDays, medianGapDays } = measured.cadence;
      return { version: 1, cadence: { r, alphaDays, medianGapDays }, ...fittedOf(measured.models) };
    },
    async fit(context, { onFitting, onRecording, onRecorded } = {}) {
      const measured = await measure(context, onFitting);
      await onRecording?.();
      return record(context, measured, onRecorded);
    },
    async fitDue(now) {
      const result = { fitted: 0, unchanged: 0 };
      const failures: unknown[] = [];
      for (const tenantId of await database.find((executor) =>
        tenantsDue(executor, 'calibration_schedules', now),
      )) {
        try {
          const outcome = await fitOne(tenantId, now);
          if (outcome !== 'taken') result[outcome] += 1;
        } catch (error) {
          // It is due again before long; the other tenants' fits do not wait for that.
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
      return result;
    },
  };
}

/**
 * When a version is made: after its fit, whose context is as old as its beginning, and never before the version
 * that it follows, which would be as if it had not been.
 */
function latest(begun: Date, ended: Date, before: Date | undefined): Date {
  return new Date(Math.max(begun.getTime(), ended.getTime(), before?.getTime() ?? -Infinity));
}

/** Only where the version before was identified: what goes on being refused has been told of. */
function refusalsOf(
  { version, models }: CalibrationRow,
  read: ReadonlySet<CalibrationPart>,
): Omit<Refusal, 'tenantId'>[] {
  return DROPOUT_MODELS.flatMap((model) => {
    const { kept, reason = null } = models?.[model] ?? {};
    if (!read.has(model) || kept?.version !== version - 1) return [];
    return [{ model, calibrationVersion: version, reason, keptVersion: kept.version }];
  });
}
