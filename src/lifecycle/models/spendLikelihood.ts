// Owns the likelihood of gamma-gamma over a tenant's customers, with its first and second derivatives. Does not
// own the search for its top (maximise.ts).

import { digamma, logGamma, trigamma } from './gamma.js';
import type { Evaluation } from './maximise.js';

/** How many customers have this many repeat purchase days with a spend, and this mean of it. */
export interface SpendGroup {
  repeats: number;
  meanMinor: number;
  customers: number;
}

/** Sorted by x; who has no repeat day or spent nothing says nothing of spends and is left out. */
export function gatherSpends(groups: readonly SpendGroup[]): SpendGroup[] {
  const possible = groups.filter(
    ({ repeats, meanMinor, customers }) =>
      Number.isSafeInteger(repeats) && repeats >= 1 && meanMinor > 0 && meanMinor < Infinity && customers > 0,
  );
  // Sorted, so that the sums, and with them the last digits, do not depend on the order of the customers.
  const order = possible.sort((a, b) => a.repeats - b.repeats || a.meanMinor - b.meanMinor);
  const merged: SpendGroup[] = [];
  for (const group of order) {
    const last = merged.at(-1);
    if (last?.repeats === group.repeats && last.meanMinor === group.meanMinor) {
      last.customers += group.customers;
    } else merged.push({ ...group });
  }
  return merged;
}

/**
 * One customer: ln Γ(px + q) − ln Γ(px) − ln Γ(q) + q·ln v + (px − 1)·ln m + px·ln x − (px + q)·ln(xm + v).
 * Parameters: p, q, v. What depends on x alone, the gamma functions among it, is computed once for each x.
 */
export function spendLikelihood(groups: readonly SpendGroup[], at: readonly number[]): Evaluation {
  const [p = 1, q = 1, v = 1] = at;
  const lnV = Math.log(v);
  const own = { ln: logGamma(q), psi: digamma(q), tri: trigamma(q) };
  const sums = { value: 0, gp: 0, gq: 0, gv: 0, pp: 0, pq: 0, pv: 0, qq: 0, qv: 0, vv: 0 };
  let x = 0;
  let ofX = atRepeats(1, p, q);
  for (const { repeats, meanMinor: m, customers: c } of groups) {
    if (repeats !== x) {
      x = repeats;
      ofX = atRepeats(x, p, q);
    }
    const total = 1 / (x * m + v);
    const lnM = Math.log(m);
    const share = lnM + Math.log(x * total);
    sums.value += c * (ofX.ln - own.ln + q * (lnV + Math.log(total)) + p * x * share - lnM);
    sums.gp += c * x * (ofX.psi - ofX.psiOwn + share);
    sums.gq += c * (ofX.psi - own.psi + lnV + Math.log(total));
    sums.gv += c * (q / v - (p * x + q) * total);
    sums.pp += c * x * x * (ofX.tri - ofX.triOwn);
    sums.pq += c * x * ofX.tri;
    sums.pv -= c * x * total;
    sums.qq += c * (ofX.tri - own.tri);
    sums.qv += c * (1 / v - total);
    sums.vv += c * ((p * x + q) * total * total - q / (v * v));
  }
  const { pp, pq, pv, qq, qv, vv } = sums;
  return {
    value: sums.value,
    gradient: [sums.gp, sums.gq, sums.gv],
    hessian: [pp, pq, pv, pq, qq, qv, pv, qv, vv],
  };
}

function atRepeats(x: number, p: number, q: number) {
  const all = p * x + q;
  return {
    ln: logGamma(all) - logGamma(p * x),
    psi: digamma(all),
    psiOwn: digamma(p * x),
    tri: trigamma(all),
    triOwn: trigamma(p * x),
  };
}
