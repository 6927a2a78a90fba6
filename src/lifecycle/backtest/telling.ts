// Owns what the scores of a rule may be said to tell: their curve and their groups, as long as they are of one kind.
// Does not own how scores are counted (scores.ts).

import { type Decile, decilesOf, type RocPoint, ratioOf, rocOf, STEPS_WHOLE } from './scores.js';
import type { RuleTally } from './tally.js';

export interface CalibrationRow {
  from: number;
  to: number;
  customers: number;
  /** The mean probability; null where the score is none. */
  predicted: number | null;
  /** The mean score where it is no probability: silence over the silence at the flag. */
  score: number | null;
  /** The share that did not order in the horizon. */
  observed: number;
}

/**
 * At a cut where the model has no fit the score is the silence, which says nothing that could be ranked with, or
 * held against, the probabilities of another cut.
 */
export function areMixed({ tp, fp, fn, tn, probabilities }: RuleTally): boolean {
  return probabilities > 0 && probabilities < tp + fp + fn + tn;
}

export function rocUnlessMixed(rule: RuleTally, points: number): RocPoint[] {
  return areMixed(rule) ? [] : rocOf(rule.scores, points);
}

export function calibrationOf(rule: RuleTally): CalibrationRow[] {
  if (areMixed(rule)) return [];
  return decilesOf(rule.scores).map((decile) => calibrationRow(decile, rule.probabilities > 0));
}

function calibrationRow(
  { from, to, customers, mean, stopped }: Decile,
  isProbability: boolean,
): CalibrationRow {
  const observed = stopped / customers;
  if (isProbability) return { from, to, customers, predicted: mean, score: null, observed };
  // The last step has no end but that of the table.
  const [low, high] = [ratioOf(from), to >= 1 ? ratioOf(1 - 1 / STEPS_WHOLE) : ratioOf(to)];
  return { from: low, to: high, customers, predicted: null, score: ratioOf(mean), observed };
}
