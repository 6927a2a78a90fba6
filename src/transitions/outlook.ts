// Owns what a customer's row says of the time to come: the next change of stage, and their own rhythm.

import { cadenceQuantileDays, shrunkMeanGapDays } from '../lifecycle/models/cadence.js';
import type { Advance } from '../lifecycle/replay.js';
import type { CompiledTimeline } from '../lifecycle/timeline.js';
import type { Cadence, Outlook } from './work.js';

export function outlookOf(result: Advance, timeline: CompiledTimeline): Outlook {
  const { next } = result;
  return {
    next:
      next === null
        ? null
        : { at: new Date(next.at).toISOString(), stage: next.stage, because: next.because },
    cadence: cadenceOf(result, timeline),
  };
}

/** Null before the first order: a rhythm is one of orders. */
function cadenceOf({ state }: Advance, timeline: CompiledTimeline): Cadence | null {
  const { purchaseDays, firstDay, lastDay } = state.facts;
  if (purchaseDays === 0 || firstDay === null || lastDay === null) return null;
  const { cadence } = timeline.calibrationOf(state.calibrationVersion);
  const repeats = purchaseDays - 1;
  const spanDays = lastDay - firstDay;
  const quantile = (q: number) => rounded(cadenceQuantileDays(q, repeats, spanDays, cadence));
  return {
    meanGapDays: rounded(shrunkMeanGapDays(repeats, spanDays, cadence.medianGapDays)),
    gapDaysP50: quantile(0.5),
    gapDaysP75: quantile(0.75),
    gapDaysP90: quantile(0.9),
    calibrationVersion: state.calibrationVersion,
  };
}

/** Hundredths of a day are a quarter of an hour: enough to read, and short to store. */
function rounded(days: number): number {
  return Math.round(days * 100) / 100;
}
