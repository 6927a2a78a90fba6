// Owns finding the top of a likelihood of a few positive parameters, and what its curvature there says of
// their precision. Does not own any likelihood. Damped Newton steps in the logarithms of the parameters: with
// exact second derivatives it takes some ten evaluations, where a simplex takes hundreds and can run away.

import { choleskyOf, inverseDiagonal, solve } from './cholesky.js';

/** A log-likelihood at a point with its first and second derivatives, the latter row by row. */
export interface Evaluation {
  value: number;
  gradient: number[];
  hessian: number[];
}

/** Where the parameters may lie, both ends included; all of it positive. */
export interface Box {
  low: readonly number[];
  high: readonly number[];
}

export interface Optimum {
  at: number[];
  value: number;
  iterations: number;
  converged: boolean;
  /** For each parameter, whether it ended on a side of the box. */
  atBound: boolean[];
  /** Of the parameters themselves, from the observed information; null at a bound or where it is singular. */
  standardErrors: number[] | null;
}

const ITERATIONS_MAX = 200;
/** A step that promises less than this in log-likelihood is not worth taking: a hundred-thousandth of an error. */
const GAIN_MIN = 1e-10;
/** A step that promises no more than this and does not keep it has met rounding, and is at the top. */
const ROUNDED_GAIN = 1e-6;
/** In logarithms: a factor of seven at a time, so that no step leaves the region where the model is tame. */
const STRIDE_MAX = 2;
const DAMPING_MIN = 1e-4;
const DAMPING_MAX = 1e10;
/** What counts as curvature where there is none, so that damping bites. */
const CURVATURE_MIN = 1e-6;
/** A likelihood is a sum of many terms: a loss below this share of it is rounding. */
const ROUNDING = 1e-13;

interface Point {
  logs: number[];
  value: number;
  /** In the logarithms; `information` is minus the second derivatives, row by row. */
  gradient: number[];
  information: number[];
}

/** The best of the tops that are reached from several starts; the first of equals. */
export function maximiseFrom(
  evaluate: (at: readonly number[]) => Evaluation,
  starts: readonly (readonly number[])[],
  box: Box,
): Optimum {
  let best: Optimum | undefined;
  let iterations = 0;
  for (const start of starts) {
    const optimum = maximise(evaluate, start, box);
    iterations += optimum.iterations;
    if (best === undefined || optimum.value > best.value + ROUNDING * Math.abs(best.value)) best = optimum;
  }
  if (best === undefined) throw new RangeError('a search needs a start');
  return { ...best, iterations };
}

function maximise(
  evaluate: (at: readonly number[]) => Evaluation,
  start: readonly number[],
  box: Box,
): Optimum {
  const low = box.low.map(Math.log);
  const high = box.high.map(Math.log);
  const inside = (logs: number[]) => logs.map((u, i) => Math.min(Math.max(u, low[i] ?? u), high[i] ?? u));
  let point = pointAt(evaluate, inside(start.map(Math.log)));
  let damping = 0;
  let converged = false;
  let iterations = 0;
  for (; iterations < ITERATIONS_MAX && damping < DAMPING_MAX; iterations += 1) {
    const free = freeOf(point, low, high);
    const step = stepOf(point, free, damping);
    if (step === null) {
      damping = Math.max(damping * 10, DAMPING_MIN);
      continue;
    }
    if (step.gain < GAIN_MIN && damping <= 1) {
      converged = true;
      break;
    }
    const next = pointAt(evaluate, inside(point.logs.map((u, i) => u + (step.by[i] ?? 0))));
    if (next.value >= point.value - ROUNDING * Math.abs(point.value)) {
      point = next;
      damping = damping > DAMPING_MIN ? damping / 10 : 0;
    } else {
      converged = step.gain < ROUNDED_GAIN;
      if (converged) break;
      damping = Math.max(damping * 10, DAMPING_MIN);
    }
  }
  const atBound = point.logs.map((u, i) => u === low[i] || u === high[i]);
  return {
    at: point.logs.map(Math.exp),
    value: point.value,
    iterations,
    converged,
    atBound,
    standardErrors: atBound.includes(true) ? null : errorsOf(point),
  };
}

/** By the chain rule: d/du = p·d/dp, and the second derivatives gain p·d/dp on the diagonal. */
function pointAt(evaluate: (at: readonly number[]) => Evaluation, logs: number[]): Point {
  const at = logs.map(Math.exp);
  const { value, gradient, hessian } = evaluate(at);
  const slope = gradient.map((g, i) => g * (at[i] ?? 0));
  const n = at.length;
  const information = hessian.map((h, k) => {
    const i = Math.floor(k / n);
    const j = k % n;
    return -(h * (at[i] ?? 0) * (at[j] ?? 0) + (i === j ? (slope[i] ?? 0) : 0));
  });
  // A point that cannot be evaluated is one that no step may go to.
  return { logs, value: Number.isFinite(value) ? value : -Infinity, gradient: slope, information };
}

/** Those that are not pressed against a side of the box. */
function freeOf({ logs, gradient }: Point, low: number[], high: number[]): number[] {
  return [...logs.keys()].filter((i) => {
    const slope = gradient[i] ?? 0;
    return !((logs[i] === low[i] && slope <= 0) || (logs[i] === high[i] && slope >= 0));
  });
}

/** The damped Newton step and half of what it would gain on a parabola; null where the damping is too small. */
function stepOf({ gradient, information }: Point, free: number[], damping: number) {
  const n = gradient.length;
  const matrix = free.flatMap((i) =>
    free.map((j) => {
      const value = information[i * n + j] ?? 0;
      return i === j ? value + damping * Math.max(Math.abs(value), CURVATURE_MIN) : value;
    }),
  );
  const factor = choleskyOf(matrix, free.length);
  if (factor === null) return null;
  const slope = free.map((i) => gradient[i] ?? 0);
  const stride = solve(factor, slope);
  const longest = Math.max(0, ...stride.map(Math.abs));
  const scale = longest > STRIDE_MAX ? STRIDE_MAX / longest : 1;
  const by = Array.from({ length: n }, () => 0);
  for (const [k, i] of free.entries()) by[i] = (stride[k] ?? 0) * scale;
  return { by, gain: slope.reduce((sum, g, k) => sum + g * (stride[k] ?? 0), 0) / 2 };
}

/** The information is in the logarithms, so an error there is a share of the parameter (delta method). */
function errorsOf({ logs, information }: Point): number[] | null {
  const factor = choleskyOf(information, logs.length);
  if (factor === null) return null;
  const errors = inverseDiagonal(factor).map((v, i) => Math.exp(logs[i] ?? 0) * Math.sqrt(v));
  return errors.every(Number.isFinite) ? errors : null;
}
