// The recipes of backtests.

import type { Recipe } from './recipe.js';

const CUT = '2026-02-01T00:00:00Z';
const body = { horizonDays: 14, cuts: [CUT] };

/** So that two requests that should differ do. */
const daysIn = (name: string) => (Number(/\d+$/.exec(name)?.[0] ?? 0) % 20) + 1;

export const BACKTEST_RECIPES: Record<string, Recipe> = {
  createBacktest: ({ policyVersion: id, fresh: name }) => [
    { params: { id }, body: { ...body, horizonDays: daysIn(name) } },
    { params: { id: 'live' }, body: { ...body, segmentBy: `attribute:${name}` } },
    { params: { id }, body: { ...body, cuts: [CUT, '2026-01-01T00:00:00Z'], segmentBy: 'channel' } },
  ],
  listBacktests: ({ policyVersion: id }) => [{ params: { id } }],
  getBacktest: ({ backtestId: id }) => [{ params: { id } }],
  getBacktestCsv: ({ backtestId: id }) => [{ params: { id } }],
  getBacktestSvg: ({ backtestId: id }) => [{ params: { id } }],
  deleteBacktest: ({ backtestId: id }) => [{ params: { id } }],
};
