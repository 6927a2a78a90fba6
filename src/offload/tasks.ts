// Owns the list of what is computed off the event loop: a name for each pure function of the core. Both sides
// read it, the pool for its types and the threads for the functions. Does not own the threads (offload.ts).

import { type BacktestStretch, countStretch } from '../lifecycle/backtest/count.js';
import type { BacktestPlan } from '../lifecycle/backtest/plan.js';
import { reportOf } from '../lifecycle/backtest/report.js';
import type { Tally } from '../lifecycle/backtest/tally.js';
import { cadenceFitOf, dropoutFitOf, spendFitOf } from '../lifecycle/models/fits.js';
import { predictAll } from '../lifecycle/models/prediction.js';

/** One argument in, one value out, both plain data: they cross between threads by structured clone. */
// biome-ignore lint/suspicious/noExplicitAny: a table of functions of many types has no narrower one.
export type TaskTable = Record<string, (input: any) => unknown>;

export const TASKS = {
  fitCadence: cadenceFitOf,
  fitDropout: dropoutFitOf,
  fitSpend: spendFitOf,
  predict: predictAll,
  backtestStretch: (input: BacktestStretch) => countStretch(input),
  backtestReport: (input: { plan: BacktestPlan; tally: Tally }) => reportOf(input),
} satisfies TaskTable;

export type Tasks = typeof TASKS;
export type TaskName = keyof Tasks;
export type TaskInput<K extends TaskName> = Parameters<Tasks[K]>[0];
export type TaskOutput<K extends TaskName> = ReturnType<Tasks[K]>;
