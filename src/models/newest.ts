// Owns the newest calibration of each tenant as the core computes with it: read once, since a version never
// changes, and asked for by its number each time. Does not own its row (policies/).

import type { Executor } from '../db/executor.js';
import { type Calibration, calibrationOf, DEFAULT_CALIBRATION } from '../lifecycle/calibration.js';
import { identifiedOf } from '../lifecycle/models/fitted.js';
import type { CalibrationRow, PoliciesService } from '../policies/service.js';

const TENANTS_MAX = 1_000;

export interface NewestCalibrations {
  of(executor: Executor, tenantId: string, version: number): Promise<Calibration>;
  /** What was asked for last, if anything was: a guess at what will be asked for next. */
  last(tenantId: string): Calibration | undefined;
}

export function createNewestCalibrations(
  policies: Pick<PoliciesService, 'calibrationAt'>,
): NewestCalibrations {
  const known = new Map<string, Calibration>();
  return {
    last: (tenantId) => known.get(tenantId),
    async of(executor, tenantId, version) {
      if (version === 0) return DEFAULT_CALIBRATION;
      const before = known.get(tenantId);
      if (before?.version === version) return before;
      const calibration = fromRow(await policies.calibrationAt(executor, tenantId, version));
      known.delete(tenantId);
      known.set(tenantId, calibration);
      const oldest = known.size > TENANTS_MAX ? known.keys().next().value : undefined;
      if (oldest !== undefined) known.delete(oldest);
      return calibration;
    },
  };
}

/** To predict by, so of what this very fit has identified. Without one: what is assumed before the first fit. */
export function fromRow(row: CalibrationRow | undefined): Calibration {
  if (row === undefined) return DEFAULT_CALIBRATION;
  const { version, r, alphaDays, medianGapDays, models } = row;
  return calibrationOf({ version, cadence: { r, alphaDays, medianGapDays }, ...identifiedOf(models) });
}
