// Owns fitting a tenant's cadence, by schedule and on demand, and making it a dated version.

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import { newId } from '../ids.js';
import { fitCadence } from '../lifecycle/models/cadenceFit.js';
import { DEFAULT_POLICY, type Policy } from '../lifecycle/policy.js';
import { CALIBRATION_EVERY_MS, CALIBRATION_RETRY_MS } from './schedule.js';
import {
  type CalibrationRow,
  claimCalibration,
  insertCalibration,
  insertRecomputation,
  livePolicy,
  newestCalibration,
  readGaps,
  scheduleCalibration,
  tenantsDue,
} from './store.js';

export interface Calibrations {
  /** Fits now. The new version takes effect now: nothing takes effect before the fit did. */
  fit(context: Context, matters: (policy: Policy) => boolean): Promise<CalibrationRow>;
  /** Fits the tenants whose time has come; a version is made only where the figures have moved. */
  fitDue(now: Date, matters: (policy: Policy) => boolean): Promise<{ fitted: number; unchanged: number }>;
}

/** A refit that moves no figure by more than this is not worth deciding everybody anew. */
const RELATIVE_CHANGE_MIN = 0.01;

export function createCalibrations({ database }: { database: Database }): Calibrations {
  async function measure(context: Context) {
    const { tenantId, now } = context;
    return database.read(tenantId, async (executor) => {
      const policy = (await livePolicy(executor, tenantId))?.policy ?? DEFAULT_POLICY;
      const sample = await readGaps(executor, tenantId, policy.timeZone, now);
      return { ...fitCadence(sample.gaps, sample.medianGapDays), customers: sample.customers };
    });
  }

  type Fit = Awaited<ReturnType<typeof measure>>;

  function record(context: Context, fit: Fit, matters: (policy: Policy) => boolean): Promise<CalibrationRow> {
    const { tenantId, now } = context;
    const work = async (tx: Parameters<Parameters<Database['write']>[1]>[0]): Promise<CalibrationRow> => {
      const [policy, newest] = await Promise.all([livePolicy(tx, tenantId), newestCalibration(tx, tenantId)]);
      const { r, alphaDays, medianGapDays, completedGaps, customers, method, logLikelihood } = fit;
      const figures = { r, alphaDays, medianGapDays, completedGaps, customers, method, logLikelihood };
      const row = { version: (newest?.version ?? 0) + 1, effectiveFrom: now, ...figures, createdAt: now };
      await insertCalibration(tx, tenantId, row);
      if (policy !== undefined && matters(policy.policy)) {
        const { version } = row;
        await insertRecomputation(tx, tenantId, {
          id: newId(),
          cause: 'calibration',
          version,
          backfill: false,
          createdAt: now,
        });
      }
      return row;
    };
    return database.write(context, work, { exclusive: true });
  }

  return {
    fit: async (context, matters) => record(context, await measure(context), matters),
    async fitDue(now, matters) {
      const result = { fitted: 0, unchanged: 0 };
      const failures: unknown[] = [];
      for (const tenantId of await database.find((executor) =>
        tenantsDue(executor, 'calibration_schedules', now),
      )) {
        try {
          const outcome = await fitOne(tenantId, now, matters);
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

  async function fitOne(tenantId: string, now: Date, matters: (policy: Policy) => boolean) {
    const actor = { kind: 'system', id: 'calibrate' } as const;
    const context: Context = { tenantId, actor, now, requestId: newId() };
    const again = new Date(now.getTime() + CALIBRATION_RETRY_MS);
    if (!(await database.write(context, (tx) => claimCalibration(tx, tenantId, now, again)))) return 'taken';
    const fit = await measure(context);
    const newest = await database.read(tenantId, (executor) => newestCalibration(executor, tenantId));
    const isNew = newest === undefined || hasMoved(newest, fit);
    if (isNew) await record(context, fit, matters);
    const next = new Date(now.getTime() + CALIBRATION_EVERY_MS);
    await database.write(context, (tx) => scheduleCalibration(tx, tenantId, next));
    return isNew ? 'fitted' : 'unchanged';
  }
}

function hasMoved(
  before: CalibrationRow,
  after: { r: number; alphaDays: number; medianGapDays: number },
): boolean {
  const figures = ['r', 'alphaDays', 'medianGapDays'] as const;
  return figures.some((figure) => Math.abs(after[figure] / before[figure] - 1) > RELATIVE_CHANGE_MIN);
}
