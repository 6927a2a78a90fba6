// Owns the cadence model: is this silence long for this customer? A customer's gaps between purchase days
// are exponential, with a rate that is gamma-distributed over the tenant's customers, so the next gap is
// Lomax(r + x, alpha + t_x). Owns the formulas; the fit is in cadenceFit.ts.

/** The gamma distribution of customers' purchase rates, and the tenant's median gap. */
export interface Cadence {
  r: number;
  alphaDays: number;
  medianGapDays: number;
}

/** What is assumed of a tenant before its first fit. */
export const DEFAULT_CADENCE: Cadence = { r: 3, alphaDays: 90, medianGapDays: 30 };

/** How many gaps of the tenant's median length a customer's own gaps are averaged with. */
const PRIOR_GAPS = 3;

/**
 * The silence, in days, that a share q of the gaps does not reach, among customers with x repeat purchase
 * days and t_x days from the first purchase day to the last:
 * s_q = (alpha + t_x) · ((1 − q)^(−1/(r + x)) − 1). Infinity where it passes what a number can hold.
 */
export function cadenceQuantileDays(
  q: number,
  x: number,
  txDays: number,
  cadence: Pick<Cadence, 'r' | 'alphaDays'>,
): number {
  return tailQuantileDays(logTail(q), x, txDays, cadence);
}

/** −ln(1 − q): what the quantile needs of q, which a rule computes once and not at every order. */
export function logTail(q: number): number {
  return -Math.log1p(-q);
}

/** The quantile by its tail. Plain numbers, not an object: a replay asks this for every order and due time. */
export function tailQuantileDays(
  tail: number,
  x: number,
  txDays: number,
  cadence: Pick<Cadence, 'r' | 'alphaDays'>,
): number {
  return (cadence.alphaDays + txDays) * Math.expm1(tail / (cadence.r + x));
}

/**
 * The customer's mean gap in days, drawn towards the tenant's median gap g0 the less they have bought:
 * (t_x + 3·g0)/(x + 3).
 */
export function shrunkMeanGapDays(x: number, txDays: number, medianGapDays: number): number {
  return (txDays + PRIOR_GAPS * medianGapDays) / (x + PRIOR_GAPS);
}
