// Owns the fit of gamma-gamma to what a tenant's customers spent on their repeat purchase days, in one currency,
// by maximum likelihood, and whether what came out may be believed. Does not own the model's use (spend.ts), nor
// when a fit is made. Deterministic: the same customers in any order give the same figures.

import { maximiseFrom, type Optimum } from './maximise.js';
import type { SpendParameters } from './spend.js';
import { gatherSpends, type SpendGroup, spendLikelihood } from './spendLikelihood.js';

/** Why the parameters must not be used, the first that holds. */
export const SPEND_REFUSALS = ['too_few_customers', 'did_not_converge', 'no_expectation'] as const;
export type SpendRefusal = (typeof SPEND_REFUSALS)[number];

export interface SpendFit extends SpendParameters {
  /** Of means in minor units: n·ln 100 below that of means in units of a hundred. */
  logLikelihood: number;
  /** Null where a parameter is on a bound, or the data say nothing of one. */
  standardErrors: SpendParameters | null;
  /** Those with a repeat day and a spend. */
  customers: number;
  /** Newton steps over all starts. */
  iterations: number;
  identified: boolean;
  /** Null where identified. */
  reason: SpendRefusal | null;
}

/** Three parameters from fewer customers than this would be guesses. */
export const SPENDERS_MIN = 50;

/** Of p and q, and of v in shares of the mean spend. Beyond them a parameter has gone to infinity or to nothing. */
const LOW = 1e-3;
const HIGH = 1e4;
const V_LOW = 1e-6;
const V_HIGH = 1e7;
/** A round sum where there is nobody to take a mean of. */
const MEAN_MINOR = 1_000;

export function fitSpend(perCustomer: readonly SpendGroup[]): SpendFit {
  const groups = gatherSpends(perCustomer);
  const customers = groups.reduce((sum, group) => sum + group.customers, 0);
  const spent = groups.reduce((sum, group) => sum + group.customers * group.meanMinor, 0);
  const mean = customers > 0 ? spent / customers : MEAN_MINOR;
  // Spends that vary a lot, or hardly, within a customer and among customers; v so that the mean is right.
  const starts = [
    [1, 3, 2 * mean],
    [6, 3, mean / 3],
    [1, 30, 29 * mean],
    [30, 30, mean],
  ];
  const box = { low: [LOW, LOW, V_LOW * mean], high: [HIGH, HIGH, V_HIGH * mean] };
  const fit = maximiseFrom((at) => spendLikelihood(groups, at), starts, box);
  const reason = refusalOf(customers, fit);
  return {
    ...toParameters(fit.at),
    logLikelihood: fit.value,
    standardErrors: fit.standardErrors === null ? null : toParameters(fit.standardErrors),
    customers,
    iterations: fit.iterations,
    identified: reason === null,
    reason,
  };
}

function refusalOf(customers: number, fit: Optimum): SpendRefusal | null {
  if (customers < SPENDERS_MIN) return 'too_few_customers';
  if (!fit.converged) return 'did_not_converge';
  // Some customers would be expected to spend without limit.
  return (fit.at[1] ?? 0) > 1 ? null : 'no_expectation';
}

function toParameters([p = 0, q = 0, v = 0]: readonly number[]): SpendParameters {
  return { p, q, v };
}
