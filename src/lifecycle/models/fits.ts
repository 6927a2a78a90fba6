// Owns fitting each model to a tenant's customers summed up in columns, and the plain form in which a fit is
// kept. Does not own the fits themselves (cadenceFit.ts, dropoutFit.ts, spendFit.ts) nor when they are made.

import { type CadenceFit, fitCadence } from './cadenceFit.js';
import type { DropoutModel, DropoutParameters } from './dropout.js';
import { fitDropout } from './dropoutFit.js';
import type { FittedModel } from './fitted.js';
import type { SpendParameters } from './spend.js';
import { fitSpend } from './spendFit.js';

/**
 * At each index one kind of history (x, t_x, T) and how many customers have it. Columns, because they cross to
 * another thread as they lie in memory: 200,000 objects would hold up the thread that sends them.
 */
export interface HistoryColumns {
  repeats: Int32Array;
  spanDays: Int32Array;
  ageDays: Int32Array;
  customers: Int32Array;
}

/** At each index a number of repeat purchase days, what was spent on one of them on average, and of how many customers. */
export interface SpendColumns {
  repeats: Int32Array;
  meanMinor: Float64Array;
  customers: Int32Array;
}

export interface CadenceFitInput {
  histories: HistoryColumns;
  medianGapDays: number | null;
}

/** Completed gaps are those between the first purchase day and the last, so x and t_x say all of them. */
export function cadenceFitOf({ histories, medianGapDays }: CadenceFitInput): CadenceFit {
  const gaps = rowsOf(histories.customers, (i) => ({
    gaps: histories.repeats[i] ?? 0,
    totalDays: histories.spanDays[i] ?? 0,
    customers: histories.customers[i] ?? 0,
  })).filter((row) => row.gaps > 0);
  return fitCadence(gaps, medianGapDays);
}

export interface DropoutFitInput {
  model: DropoutModel;
  histories: HistoryColumns;
}

export function dropoutFitOf({ model, histories }: DropoutFitInput): FittedModel<DropoutParameters> {
  const customers = histories.customers.reduce((sum, count) => sum + count, 0);
  if (customers === 0) return unfitted('too_few_customers');
  const groups = rowsOf(histories.customers, (i) => ({
    repeats: histories.repeats[i] ?? 0,
    spanDays: histories.spanDays[i] ?? 0,
    ageDays: histories.ageDays[i] ?? 0,
    customers: histories.customers[i] ?? 0,
  }));
  const { r, alphaDays, a, b, ...fit } = fitDropout(model, groups);
  return kept({ r, alphaDays, a, b }, fit);
}

export function spendFitOf(columns: SpendColumns): FittedModel<SpendParameters> {
  if (columns.customers.length === 0) return unfitted('too_few_customers');
  const groups = rowsOf(columns.customers, (i) => ({
    repeats: columns.repeats[i] ?? 0,
    meanMinor: columns.meanMinor[i] ?? 0,
    customers: columns.customers[i] ?? 0,
  }));
  const { p, q, v, ...fit } = fitSpend(groups);
  return kept({ p, q, v }, fit);
}

function rowsOf<Row>(column: Int32Array, rowAt: (index: number) => Row): Row[] {
  return Array.from({ length: column.length }, (_, index) => rowAt(index));
}

function unfitted<Parameters>(reason: string): FittedModel<Parameters> {
  return {
    parameters: null,
    standardErrors: null,
    logLikelihood: null,
    customers: 0,
    identified: false,
    reason,
  };
}

interface Fit<Parameters> {
  logLikelihood: number;
  standardErrors: Parameters | null;
  customers: number;
  identified: boolean;
  reason: string | null;
}

/** JSON has no infinity, and a fit that ran off to one has no figures to show. */
function kept<Parameters extends object>(
  parameters: Parameters,
  { logLikelihood, standardErrors, customers, identified, reason }: Fit<Parameters>,
): FittedModel<Parameters> {
  return {
    parameters: areFinite(parameters) ? parameters : null,
    standardErrors: standardErrors !== null && areFinite(standardErrors) ? standardErrors : null,
    logLikelihood: Number.isFinite(logLikelihood) ? logLikelihood : null,
    customers,
    identified: identified && areFinite(parameters),
    reason,
  };
}

function areFinite(figures: object): boolean {
  return Object.values(figures).every((figure) => Number.isFinite(figure));
}
