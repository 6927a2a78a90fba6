// Owns the use of the gamma-gamma model: what a customer spends on a purchase day, on average, given what they
// have spent. One currency at a time. Does not own the fit (spendFit.ts).

/** Spends are Gamma(p, rate), rates over customers Gamma(q, v), v in minor units of the currency. */
export interface SpendParameters {
  p: number;
  q: number;
  v: number;
}

/**
 * The expected spend on a purchase day, in minor units, of a customer whose x repeat days with a spend had a
 * mean of `meanMinor`: p·(v + x·m)/(p·x + q − 1). It draws the customer's own mean towards the tenant's, the more
 * the fewer days it is of. With x = 0 the mean is not read. Infinity where there is no expectation, which takes
 * q ≤ 1 and few days.
 */
export function expectedSpend({ p, q, v }: SpendParameters, x: number, meanMinor: number): number {
  const below = p * x + q - 1;
  if (!(below > 0)) return Infinity;
  return (p * (x > 0 ? v + x * meanMinor : v)) / below;
}
