// Owns the points of a series in time and what is counted at each of them. Pure; knows nothing of the ledger.

import { DAY_MS } from '../lifecycle/calendar.js';
import type { StageMoves } from './as-of-store.js';

export const SERIES_STEPS = ['day', 'week', 'month'] as const;
export type SeriesStep = (typeof SERIES_STEPS)[number];

/** Over a year of days: what a chart can show. */
export const POINTS_MAX = 400;

const STEP_MS = { day: DAY_MS, week: 7 * DAY_MS };

export interface Stretch {
  from: Date;
  to: Date;
  step: SeriesStep;
}

/** `from`, and every step after it that is not past `to`; undefined where those are more than there may be. */
export function pointsOf({ from, to, step }: Stretch): Date[] | undefined {
  const points: Date[] = [];
  for (let index = 0; ; index += 1) {
    const point = pointAt(from, step, index);
    if (point > to) return points;
    if (index === POINTS_MAX) return undefined;
    points.push(point);
  }
}

/** Counted from `from` and not from the point before it, so that the 31st is one again after a short month. */
function pointAt(from: Date, step: SeriesStep, index: number): Date {
  if (step !== 'month') return new Date(from.getTime() + index * STEP_MS[step]);
  const month = from.getUTCMonth() + index;
  const monthEnd = new Date(Date.UTC(from.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const point = new Date(from);
  point.setUTCMonth(month, Math.min(from.getUTCDate(), monthEnd));
  return point;
}

/** How many are in which stage at each of `count` points; a stage that nobody is in is left out. */
export function countsFrom(moves: readonly StageMoves[], count: number): Map<string, number>[] {
  const byPoint = Array.from({ length: count }, (): StageMoves[] => []);
  for (const move of moves) byPoint[move.point]?.push(move);
  const counts = new Map<string, number>();
  const add = (stage: string, customers: number) => counts.set(stage, (counts.get(stage) ?? 0) + customers);
  return byPoint.map((moved) => {
    for (const { stage, left, customers } of moved) {
      add(stage, customers);
      if (left !== null) add(left, -customers);
    }
    return new Map([...counts].filter(([, customers]) => customers !== 0));
  });
}
