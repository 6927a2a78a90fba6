// Calibration versions as the service makes them one after another, from no more than each fit's parameters.

import type { GivenCalibration } from '../../../src/lifecycle/calibration.js';
import type { DropoutModel, DropoutParameters } from '../../../src/lifecycle/models/dropout.js';
import {
  type FittedDropout,
  type FittedModels,
  fittedOf,
  succeeding,
} from '../../../src/lifecycle/models/fitted.js';

/** Null: the fit is refused. */
type Found = Record<DropoutModel, DropoutParameters | null>;

/** What a refused fit has found, which nobody may compute with. */
export const REFUSED = { r: 0.1, alphaDays: 9, a: 1e-4, b: 7 };

export function fitOf(parameters: DropoutParameters | null): FittedDropout {
  const identified = parameters !== null;
  return {
    parameters: parameters ?? REFUSED,
    ...{ standardErrors: null, logLikelihood: -1, customers: 600, identified },
    reason: identified ? null : 'dropout_not_identified',
  };
}

export function modelsOf({ bg, mbg }: Found): FittedModels {
  return {
    window: { from: '2024-01-01', to: '2024-12-31', days: 365 },
    cadence: { standardErrors: null, customers: 600 },
    ...{ bg: fitOf(bg), mbg: fitOf(mbg), spend: {} },
  };
}

export type Dated = Found & Pick<GivenCalibration, 'cadence'> & { effectiveFrom: number };

/** Versions 1, 2, … in the order of the fits. */
export function versionsOf(fits: readonly Dated[]): (GivenCalibration & { effectiveFrom: number })[] {
  let before: { version: number; models: FittedModels } | undefined;
  return fits.map(({ effectiveFrom, cadence, ...found }, i) => {
    const models: FittedModels = succeeding(modelsOf(found), before);
    before = { version: i + 1, models };
    return { version: i + 1, effectiveFrom, cadence, ...fittedOf(models) };
  });
}
