// Owns the likelihood of BG/NBD and MBG/NBD over a tenant's customers, with its first and second derivatives,
// and that of NBD, which is either of them without dropout. Does not own the search for its top (maximise.ts).

import type { DropoutModel } from './dropout.js';
import type { DropoutSample } from './dropoutSample.js';
import type { Evaluation } from './maximise.js';

/**
 * One customer: Σ_{i<x} ln(r + i) + r·ln alpha − Σ ln(1 + a/(b + i)) + ln(e^A3 + e^A4), the second sum over
 * i < x for BG and i ≤ x for MBG; A3 = −(r + x)·ln(alpha + T) is for who is still there, and
 * A4 = ln a − ln D − (r + x)·ln(alpha + t_x) for who is not. Parameters: r, alpha, a, b.
 * It is NBD's, the survivals', and of each customer ln(1 + e^u) with u = A4 − A3.
 */
export function dropoutLikelihood(model: DropoutModel, s: DropoutSample, at: readonly number[]): Evaluation {
  const [r = 1, alpha = 1, a = 1, b = 1] = at;
  const nbd = nbdLikelihood(s, [r, alpha]);
  const [gr = 0, galpha = 0] = nbd.gradient;
  const [hrr = 0, hralpha = 0, , halpha = 0] = nbd.hessian;
  const stay = survivals(model, s, a, b);
  const gone = departures(model, s, r, alpha, a, b);
  const ra = gone.vl / a;
  const rb = -gone.vld;
  const alphaA = gone.vm / a;
  const alphaB = -gone.vmd;
  const ab = stay.hab - gone.vd / a;
  const cross = hralpha + gone.hralpha;
  return {
    value: nbd.value + stay.value + gone.value,
    gradient: [gr + gone.wl, galpha + gone.wm, stay.ga + gone.w / a, stay.gb - gone.wd],
    // biome-ignore format: a matrix is read by rows.
    hessian: [
      hrr + gone.vll, cross, ra, rb,
      cross, halpha + gone.halpha, alphaA, alphaB,
      ra, alphaA, stay.haa + (gone.v - gone.w) / (a * a), ab,
      rb, alphaB, ab, stay.hbb + gone.bb,
    ],
  };
}

/**
 * Σ ln(1 + e^u), u = ln a − ln D + (r + x)·l with l = ln((alpha + T)/(alpha + t_x)), and the sums that its
 * derivatives are made of. du/dr is l, du/d alpha is m, du/da is 1/a, du/db is −1/D; the first derivative of
 * ln(1 + e^u) by u is w, the probability of being gone, and the second is v = w·(1 − w).
 */
function departures(model: DropoutModel, s: DropoutSample, r: number, alpha: number, a: number, b: number) {
  const lnA = Math.log(a);
  const sums = { value: 0, w: 0, wl: 0, wm: 0, wd: 0, v: 0, vl: 0, vll: 0, vm: 0, vd: 0, vld: 0, vmd: 0 };
  let hralpha = 0;
  let halpha = 0;
  let bb = 0;
  let x = -1;
  let d = 1;
  let lnOdds = 0;
  for (let k = model === 'bg' ? s.oneTimeGroups : 0; k < s.groups; k += 1) {
    if (s.repeats[k] !== x) {
      // Sorted by x: what depends on it alone is computed once for each.
      x = s.repeats[k] ?? 0;
      d = model === 'bg' ? b + x - 1 : b + x;
      lnOdds = lnA - Math.log(d);
    }
    const c = s.weight[k] ?? 0;
    const there = 1 / (alpha + (s.ageDays[k] ?? 0));
    const last = 1 / (alpha + (s.spanDays[k] ?? 0));
    const l = Math.log(last / there);
    const u = lnOdds + (r + x) * l;
    const e = Math.exp(-Math.abs(u));
    const w = c * (u > 0 ? 1 / (1 + e) : e / (1 + e));
    const v = (c * e) / ((1 + e) * (1 + e));
    const m = (r + x) * (there - last);
    sums.value += c * (Math.max(u, 0) + Math.log1p(e));
    sums.w += w;
    sums.wl += w * l;
    sums.wm += w * m;
    sums.wd += w / d;
    sums.v += v;
    sums.vl += v * l;
    sums.vll += v * l * l;
    sums.vm += v * m;
    sums.vd += v / d;
    sums.vld += (v * l) / d;
    sums.vmd += (v * m) / d;
    hralpha += w * (there - last) + v * l * m;
    halpha += w * m * -(there + last) + v * m * m;
    bb += (w + v) / (d * d);
  }
  return { ...sums, hralpha, halpha, bb };
}

/** Without dropout: Σ_{i<x} ln(r + i) + r·ln alpha − (r + x)·ln(alpha + T). Parameters: r, alpha. */
export function nbdLikelihood(s: DropoutSample, at: readonly number[]): Evaluation {
  const [r = 1, alpha = 1] = at;
  let { value, gr, galpha, hrr, hra, haa } = purchases(s, r, alpha);
  for (let k = 0; k < s.groups; k += 1) {
    const c = s.weight[k] ?? 0;
    const n = r + (s.repeats[k] ?? 0);
    const there = alpha + (s.ageDays[k] ?? 0);
    const lnThere = Math.log(there);
    value -= c * n * lnThere;
    gr -= c * lnThere;
    galpha -= (c * n) / there;
    hra -= c / there;
    haa += (c * n) / (there * there);
  }
  return { value, gradient: [gr, galpha], hessian: [hrr, hra, hra, haa] };
}

/** Σ_{i<x} ln(r + i) + r·ln alpha over all customers, and its derivatives. */
function purchases(s: DropoutSample, r: number, alpha: number) {
  let value = s.customers * r * Math.log(alpha);
  let gr = s.customers * Math.log(alpha);
  let hrr = 0;
  for (let i = 0; i < s.moreThan.length; i += 1) {
    const count = s.moreThan[i] ?? 0;
    value += count * Math.log(r + i);
    gr += count / (r + i);
    hrr -= count / ((r + i) * (r + i));
  }
  const galpha = (s.customers * r) / alpha;
  return { value, gr, galpha, hrr, hra: s.customers / alpha, haa: -galpha / alpha };
}

/** −Σ ln(1 + a/(b + i)) over all customers, and its derivatives: that they stayed as often as they did. */
function survivals(model: DropoutModel, s: DropoutSample, a: number, b: number) {
  const sums = { value: 0, ga: 0, gb: 0, haa: 0, hab: 0, hbb: 0 };
  const counts = model === 'bg' ? s.moreThan : [s.customers, ...s.moreThan];
  for (let i = 0; i < counts.length; i += 1) {
    const count = counts[i] ?? 0;
    const both = 1 / (a + b + i);
    const stay = 1 / (b + i);
    sums.value -= count * Math.log1p(a * stay);
    sums.ga -= count * both;
    sums.gb += count * (stay - both);
    sums.haa += count * both * both;
    sums.hab += count * both * both;
    sums.hbb += count * (both * both - stay * stay);
  }
  return sums;
}
