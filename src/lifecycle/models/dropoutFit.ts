// Owns the fit of BG/NBD and MBG/NBD to a tenant's customers by maximum likelihood, and whether what came out
// may be believed. Does not own the models' use (dropout.ts), nor when a fit is made. Deterministic: the same
// customers in any order give the same figures.

import type { DropoutModel, DropoutParameters } from './dropout.js';
import { dropoutLikelihood, nbdLikelihood } from './dropoutLikelihood.js';
import { type CustomerGroup, type DropoutSample, gatherHistories } from './dropoutSample.js';
import { maximiseFrom, type Optimum } from './maximise.js';

/** Why the parameters must not be used, the first that holds. */
export const DROPOUT_REFUSALS = [
  'too_few_customers',
  'history_too_short',
  'too_few_repeaters',
  'did_not_converge',
  'dropout_not_identified',
] as const;
export type DropoutRefusal = (typeof DROPOUT_REFUSALS)[number];

export interface DropoutFit extends DropoutParameters {
  logLikelihood: number;
  /** Null where a parameter is on a bound, or the data say nothing of one. */
  standardErrors: DropoutParameters | null;
  customers: number;
  /** Newton steps over all starts. */
  iterations: number;
  identified: boolean;
  /** Null where identified. */
  reason: DropoutRefusal | null;
}

export const CUSTOMERS_MIN = 500;
export const HISTORY_DAYS_MIN = 180;
/** Customers with three purchase days or more: before a second gap nobody shows whether they went on. */
export const REPEATERS_MIN = 50;

/** Of r, alpha in days, a, b. Beyond them a parameter has gone to infinity or to nothing. */
const BOX = { low: [1e-3, 1e-3, 1e-4, 1e-4], high: [1e3, 1e6, 1e4, 1e4] };

/**
 * By how much dropout must raise the log-likelihood over NBD, the same model without it. Where customers are
 * not lost, a goes to its bound or stops short of it for a gain that chance alone gives: twice the gain is then
 * below 9.21 in 99 of 100 samples even by the chi-squared distribution with two degrees of freedom, which is
 * too strict a judge here, since a = 0 lies on the edge and b means nothing there. The gain, and not the size
 * of a, is what is asked: a and b go down together where some customers leave at once and the others never
 * (a/(a + b) is well known then), and up together where all leave at one rate. A standard error of a would
 * say little either, as the likelihood is no parabola near the edge.
 */
const GAIN_MIN = 4.61;

export function fitDropout(model: DropoutModel, groups: readonly CustomerGroup[]): DropoutFit {
  const sample = gatherHistories(groups);
  const plain = fitPlain(sample);
  const fit = maximiseFrom((at) => dropoutLikelihood(model, sample, at), startsOf(sample, plain), BOX);
  const reason = refusalOf(sample, plain, fit);
  return {
    ...toParameters(fit.at),
    logLikelihood: fit.value,
    standardErrors: fit.standardErrors === null ? null : toParameters(fit.standardErrors),
    customers: sample.customers,
    iterations: plain.iterations + fit.iterations,
    identified: reason === null,
    reason,
  };
}

/** NBD: dropout's null hypothesis, and a start for the rates. */
function fitPlain(sample: DropoutSample): Optimum {
  const scale = scaleOf(sample);
  const box = { low: BOX.low.slice(0, 2), high: BOX.high.slice(0, 2) };
  return maximiseFrom(
    (at) => nbdLikelihood(sample, at),
    [
      [1, scale],
      [0.1, 0.1 * scale],
    ],
    box,
  );
}

/**
 * Much, some and little dropout, on rates that are as alike as customers of one shop, or as unlike. The rates of
 * NBD are too low where customers leave, so the other starts let them be higher.
 */
function startsOf(sample: DropoutSample, plain: Optimum): number[][] {
  const scale = scaleOf(sample);
  const [r = 1, alpha = 1] = plain.at;
  return [
    [0.5, 0.25 * scale, 1, 2],
    [2, 0.5 * scale, 0.5, 1],
    [1, 0.5 * scale, 2, 20],
    [r, alpha, 0.05, 1],
  ];
}

/** Days between purchases, on average over everybody; a month where nobody bought twice. */
function scaleOf({ repeatsTotal, ageDaysTotal }: DropoutSample): number {
  return repeatsTotal > 0 && ageDaysTotal > 0 ? ageDaysTotal / repeatsTotal : 30;
}

function refusalOf(sample: DropoutSample, plain: Optimum, fit: Optimum): DropoutRefusal | null {
  if (sample.customers < CUSTOMERS_MIN) return 'too_few_customers';
  if (sample.ageDaysMax < HISTORY_DAYS_MIN) return 'history_too_short';
  if (sample.repeaters < REPEATERS_MIN) return 'too_few_repeaters';
  // Without the plain fit there is nothing to hold dropout against.
  if (!fit.converged || !plain.converged) return 'did_not_converge';
  const gain = fit.value - plain.value;
  return gain < GAIN_MIN || (fit.atBound[2] && (fit.at[2] ?? 0) < 1) ? 'dropout_not_identified' : null;
}

function toParameters([r = 0, alphaDays = 0, a = 0, b = 0]: readonly number[]): DropoutParameters {
  return { r, alphaDays, a, b };
}
