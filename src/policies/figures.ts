// Owns the figures of a calibration as its row has them: from a measurement, as decisions read them, and whether
// they have moved. Does not own the fit (models/measure.ts) nor the row's SQL (store.ts).

import type { Calibration } from '../lifecycle/calibration.js';
import { CALIBRATION_PARTS, type CalibrationPart } from '../lifecycle/calibrationParts.js';
import { DEFAULT_CADENCE } from '../lifecycle/models/cadence.js';
import { fittedOf, identifiedOf, succeeding } from '../lifecycle/models/fitted.js';
import type { Measured } from '../models/measure.js';
import type { CalibrationRow } from './store.js';

export type Figures = Omit<CalibrationRow, 'version' | 'effectiveFrom' | 'createdAt'>;

/** Of the version that follows `before`. */
export function figuresOf(
  { cadence, customers, models }: Measured,
  before: CalibrationRow | undefined,
): Figures {
  const { r, alphaDays, medianGapDays, completedGaps, method, logLikelihood } = cadence;
  const fitted = succeeding(models, before);
  return { r, alphaDays, medianGapDays, completedGaps, customers, method, logLikelihood, models: fitted };
}

/** As a decision reads them; before the first fit, what is assumed until then. */
export function partsOf(row: Figures | undefined): Pick<Calibration, CalibrationPart> {
  if (row === undefined) return { cadence: DEFAULT_CADENCE, bg: null, mbg: null };
  const { bg, mbg } = fittedOf(row.models);
  return { cadence: cadenceOf(row), bg, mbg };
}

/** A refit that moves no figure by more than this is not worth deciding everybody anew. */
const RELATIVE_CHANGE_MIN = 0.01;

/** By what each has found itself: a fit that is refused is told of once, though it moves nobody. */
export function hasMoved(before: Figures, after: Figures): boolean {
  const old = { cadence: cadenceOf(before), ...identifiedOf(before.models) };
  const fresh = { cadence: cadenceOf(after), ...identifiedOf(after.models) };
  if (CALIBRATION_PARTS.some((part) => differ(old[part], fresh[part]))) return true;
  const currencies = new Set([...Object.keys(old.spend), ...Object.keys(fresh.spend)]);
  return [...currencies].some((currency) =>
    differ(old.spend[currency] ?? null, fresh.spend[currency] ?? null),
  );
}

function cadenceOf({ r, alphaDays, medianGapDays }: Figures): Calibration['cadence'] {
  return { r, alphaDays, medianGapDays };
}

/** Whether one is identified and the other is not, or any of their figures has moved. */
function differ(before: object | null, after: object | null): boolean {
  if (before === null || after === null) return before !== after;
  const figures = new Map<string, number>(Object.entries(before));
  return Object.entries(after).some(
    ([name, figure]) => Math.abs(figure / (figures.get(name) ?? 0) - 1) > RELATIVE_CHANGE_MIN,
  );
}
