// Owns which parts of a calibration a policy reads, and which of them differ between two versions: only where
// the two meet does anybody's due time move. Does not own what is done about it (policies/).

import type { Calibration } from './calibration.js';
import { sameJson } from './json.js';
import { DROPOUT_MODELS, type DropoutModel } from './models/dropout.js';
import type { Policy } from './policy.js';
import { needsOf } from './predicates.js';

export const CALIBRATION_PARTS = ['cadence', ...DROPOUT_MODELS] as const;
export type CalibrationPart = 'cadence' | DropoutModel;

export function partsRead({ rules }: Policy): ReadonlySet<CalibrationPart> {
  return needsOf(rules.map((rule) => rule.when)).calibration;
}

/** To the last digit: a due time that was computed by other figures is another. */
export function partsMoved(
  before: Pick<Calibration, CalibrationPart>,
  after: Pick<Calibration, CalibrationPart>,
): CalibrationPart[] {
  return CALIBRATION_PARTS.filter((part) => !sameJson(before[part], after[part]));
}
