// Owns the fit of the cadence model to a tenant's completed gaps by maximum likelihood. Does not own the
// model's use (cadence.ts), nor when a fit is made. Deterministic: the same gaps give the same figures.

import { type Cadence, DEFAULT_CADENCE } from './cadence.js';

/** One customer's completed gaps between purchase days: how many, and their sum in days. */
export interface CustomerGaps {
  gaps: number;
  totalDays: number;
  /** How many customers these figures stand for; 1 unless it is said. */
  customers?: number;
}

export interface CadenceFit extends Cadence {
  completedGaps: number;
  /** Those who have one. */
  customers: number;
  method: 'mle' | 'fallback';
  /** Null for a fallback. */
  logLikelihood: number | null;
  /** From the observed information; null for a fallback and at a bound, where the likelihood has no top. */
  standardErrors: Pick<Cadence, 'r' | 'alphaDays'> | null;
  /** Whether r ended on a bound: the gaps are more alike (or wilder) than the model can say. */
  atBound: boolean;
}

/** Below this many completed gaps a tenant has no fit of its own. */
export const COMPLETED_GAPS_MIN = 50;

/**
 * Gaps that are all alike push r, and alpha with it, to infinity: past 100 the quantiles no longer change to
 * speak of. Below 0.05 a quantile of 0.9 is longer than any history.
 */
const R_MIN = 0.05;
const R_MAX = 100;
/** Points of the search over ln r: the likelihood could have more than one top, and one grid finds it. */
const GRID = 33;
const STEPS_MAX = 100;
const TOLERANCE = 1e-12;
/** In ln alpha: a factor of some fifty at a time, which no step can overflow by. */
const STRIDE_MAX = 4;

/** Equal customers are one group; `c` of them have n gaps of `sum` days in all. */
interface Group {
  c: number;
  n: number;
  sum: number;
}

interface Sample {
  groups: Group[];
  customers: number;
  gaps: number;
  /** At i: how many customers have more than i gaps, so that the sum of ln(r + i) is taken once for all. */
  atLeast: number[];
}

/** A point on the ridge: r, and the alpha that is best for it. */
interface Point {
  r: number;
  alpha: number;
  logLikelihood: number;
}

export function fitCadence(perCustomer: readonly CustomerGaps[], medianGapDays: number | null): CadenceFit {
  const sample = gather(perCustomer);
  const median = medianGapDays !== null && medianGapDays > 0 ? medianGapDays : null;
  if (sample.gaps < COMPLETED_GAPS_MIN) return fallback(sample, median);
  const { point, atBound } = maximise(sample);
  return {
    r: point.r,
    alphaDays: point.alpha,
    medianGapDays: median ?? DEFAULT_CADENCE.medianGapDays,
    completedGaps: sample.gaps,
    customers: sample.customers,
    method: 'mle',
    logLikelihood: point.logLikelihood,
    standardErrors: atBound ? null : errorsAt(sample, point),
    atBound,
  };
}

function fallback({ gaps, customers }: Sample, median: number | null): CadenceFit {
  const { r, alphaDays, medianGapDays } = DEFAULT_CADENCE;
  return {
    r,
    alphaDays: median === null ? alphaDays : 3 * median,
    medianGapDays: median ?? medianGapDays,
    completedGaps: gaps,
    customers,
    method: 'fallback',
    logLikelihood: null,
    standardErrors: null,
    atBound: false,
  };
}

/** Leaves out who has no completed gap: they add a constant to the likelihood, whatever the parameters. */
function gather(perCustomer: readonly CustomerGaps[]): Sample {
  const byKey = new Map<string, Group>();
  const sample: Sample = { groups: [], customers: 0, gaps: 0, atLeast: [] };
  for (const { gaps, totalDays, customers = 1 } of perCustomer) {
    if (!(gaps >= 1) || !(totalDays > 0)) continue;
    sample.customers += customers;
    sample.gaps += gaps * customers;
    const key = `${gaps}:${totalDays}`;
    const group = byKey.get(key);
    if (group === undefined) byKey.set(key, { c: customers, n: gaps, sum: totalDays });
    else group.c += customers;
  }
  // Sorted, so that the sums, and with them the last digits, do not depend on the order of the customers.
  sample.groups = [...byKey.values()].sort((a, b) => a.n - b.n || a.sum - b.sum);
  let left = sample.customers;
  for (const { c, n } of sample.groups) {
    while (sample.atLeast.length < n) sample.atLeast.push(left);
    left -= c;
  }
  return sample;
}

/**
 * For a given r the best alpha is the root of a falling function, so the search has one dimension, ln r: a
 * grid finds the highest stretch, and there the slope along the ridge is brought to zero by bisection.
 * A Newton step in both at once is shorter but walks off where the ridge is flat.
 */
function maximise(sample: Sample): { point: Point; atBound: boolean } {
  const span = Math.log(R_MAX / R_MIN);
  const rAt = (k: number) => R_MIN * Math.exp((span * k) / (GRID - 1));
  let best = 0;
  let top = -Infinity;
  let alpha = 1;
  for (let k = 0; k < GRID; k += 1) {
    const point = ridge(sample, rAt(k), alpha);
    alpha = point.alpha;
    if (point.logLikelihood > top) {
      top = point.logLikelihood;
      best = k;
    }
  }
  let low = rAt(Math.max(best - 1, 0));
  let high = rAt(Math.min(best + 1, GRID - 1));
  for (let step = 0; step < STEPS_MAX && high / low - 1 > TOLERANCE; step += 1) {
    const r = Math.sqrt(low * high);
    const point = ridge(sample, r, alpha);
    alpha = point.alpha;
    if (slope(sample, point) > 0) low = r;
    else high = r;
  }
  const point = ridge(sample, Math.sqrt(low * high), alpha);
  return { point, atBound: low === rAt(0) || high === rAt(GRID - 1) };
}

/** The best alpha for r: where r·C = Σ (r + n)·alpha/(alpha + sum), by Newton in ln alpha between brackets. */
function ridge(sample: Sample, r: number, start: number): Point {
  let low = -Infinity;
  let high = Infinity;
  let u = Math.log(start);
  for (let step = 0; step < STEPS_MAX; step += 1) {
    const alpha = Math.exp(u);
    let value = r * sample.customers;
    let fall = 0;
    for (const { c, n, sum } of sample.groups) {
      const share = alpha / (alpha + sum);
      const weight = c * (r + n) * share;
      value -= weight;
      fall += weight * (1 - share);
    }
    if (value > 0) low = u;
    else high = u;
    const stride = Math.max(-STRIDE_MAX, Math.min(STRIDE_MAX, value / fall));
    const next = within(u + stride, low, high);
    const moved = Math.abs(next - u);
    u = next;
    if (moved < TOLERANCE) break;
  }
  const alpha = Math.exp(u);
  return { r, alpha, logLikelihood: logLikelihood(sample, r, alpha) };
}

/** A step that leaves the bracket is replaced: by its middle, or by a bounded stride where it is open. */
function within(next: number, low: number, high: number): number {
  if (next > low && next < high) return next;
  if (low === -Infinity) return high - STRIDE_MAX;
  if (high === Infinity) return low + STRIDE_MAX;
  return (low + high) / 2;
}

/** d logLikelihood / d r, which on the ridge is the slope along it. */
function slope(sample: Sample, { r, alpha }: Point): number {
  let total = sample.customers * Math.log(alpha);
  for (let i = 0; i < sample.atLeast.length; i += 1) total += (sample.atLeast[i] ?? 0) / (r + i);
  for (const { c, sum } of sample.groups) total -= c * Math.log(alpha + sum);
  return total;
}

/** Σ over customers of Σ_{i<n} ln(r + i) + r·ln alpha − (r + n)·ln(alpha + sum). */
function logLikelihood(sample: Sample, r: number, alpha: number): number {
  let total = sample.customers * r * Math.log(alpha);
  for (let i = 0; i < sample.atLeast.length; i += 1) total += (sample.atLeast[i] ?? 0) * Math.log(r + i);
  for (const { c, n, sum } of sample.groups) total -= c * (r + n) * Math.log(alpha + sum);
  return total;
}

/** The diagonal of the inverse of minus the second derivatives, of two unknowns. */
function errorsAt(sample: Sample, { r, alpha }: Point): Pick<Cadence, 'r' | 'alphaDays'> | null {
  let rr = 0;
  let cross = -sample.customers / alpha;
  let aa = (sample.customers * r) / (alpha * alpha);
  for (let i = 0; i < sample.atLeast.length; i += 1) rr += (sample.atLeast[i] ?? 0) / ((r + i) * (r + i));
  for (const { c, n, sum } of sample.groups) {
    cross += c / (alpha + sum);
    aa -= (c * (r + n)) / ((alpha + sum) * (alpha + sum));
  }
  const determinant = rr * aa - cross * cross;
  if (!(determinant > 0 && aa > 0)) return null;
  return { r: Math.sqrt(aa / determinant), alphaDays: Math.sqrt(rr / determinant) };
}
