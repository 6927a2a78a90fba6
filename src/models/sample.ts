// Owns what a fit is made from, and that it is made coarser where there is too much of it. Does not own the SQL
// (sample-store.ts).

import type { Executor } from '../db/executor.js';
import type { HistoryColumns, SpendColumns } from '../lifecycle/models/fits.js';
import { readHistoryGroups, readMedianGap, readSpendGroups, type SampleRange } from './sample-store.js';

export interface Sample {
  histories: HistoryColumns;
  medianGapDays: number | null;
  spend: Map<string, SpendColumns>;
  /** Customers with a counting order. */
  customers: number;
  /** From the first purchase day to the fit's. */
  days: number;
}

/** Weeks where days are too many kinds; published fits of these models are to weekly data. */
const GRAINS_DAYS = [1, 7, 28, 91];
/** Five are exact to a cent below 1,000; three are off by half a percent at the most, either way. */
const DIGITS = [5, 3, 2];

export async function readSample(executor: Executor, range: SampleRange): Promise<Sample> {
  // One after another: each is held as rows and then as columns, and only the latter stay.
  const histories = await firstThatFits(GRAINS_DAYS, (grain) => readHistoryGroups(executor, range, grain));
  const spend = await firstThatFits(DIGITS, (digits) => readSpendGroups(executor, range, digits));
  const medianGapDays = await readMedianGap(executor, range);
  const customers = histories.customers.reduce((sum, count) => sum + count, 0);
  const days = histories.ageDays.reduce((longest, age) => Math.max(longest, age), 0);
  return { histories, medianGapDays, spend, customers, days };
}

async function firstThatFits<T>(steps: number[], read: (step: number) => Promise<T | undefined>): Promise<T> {
  for (const step of steps) {
    const found = await read(step);
    if (found !== undefined) return found;
  }
  throw new Error('the orders are of more kinds than a fit can hold');
}
