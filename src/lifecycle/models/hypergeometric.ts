// Owns the one hypergeometric function that the dropout models need, in the two forms in which it loses no
// digits: a series, and where that is slow or its terms cancel, an integral. Does not own what it is used for.

/** What is known of a living customer: their rate is Gamma(shape, 1 per unit), their dropout Beta(a, b). */
export interface Living {
  shape: number;
  a: number;
  b: number;
  /** The time ahead, in units of the rate's scale: t/(alpha + T). */
  horizon: number;
}

/** Up to here, z = 0.976, the series takes no longer than the integral; each halving of 1 − z doubles its terms. */
const SERIES_HORIZON_MAX = 40;
/** Its terms grow until about a·horizon of them before they fall. */
const SERIES_PEAK_MAX = 100;
const SERIES_TERMS_MAX = 5_000;
const EPSILON = 2 ** -53;
/** Terms of the series whose signs alternate cancel; with A above this they hardly do. */
const SERIES_A_MIN = -2;

/** e^−40 is below the precision of a number. */
const TAIL = 40;
/**
 * The trapezoidal rule on an analytic function errs by e^(−2π·w/h), w the width of the strip it is analytic
 * in. The kernel is tame up to π/2, so a step of 1/4 errs by 7e-18.
 */
const STEP_MAX = 0.25;
const STEPS_MAX = 200_000;

/**
 * How many purchases a living customer makes in the time ahead, on average: the mean over their dropout
 * probability p of (1 − (1 + p·horizon)^(−shape))/p. Finite for every a, b > 0, a = 1 included.
 */
export function meanOrdersWhileAlive(living: Living): number {
  return isTame(living) ? meanBySeries(living) : meanByIntegral(living);
}

/** Whether the series is short and loses no digits. */
export function isTame(living: Living): boolean {
  const { a, horizon } = living;
  return horizon <= SERIES_HORIZON_MAX && a * horizon <= SERIES_PEAK_MAX && firstOf(living) >= SERIES_A_MIN;
}

/** A of ₂F₁(A, B; C; z). */
function firstOf({ shape, a, b }: Living): number {
  return a + b - 1 - shape;
}

/**
 * With A = a + b − 1 − shape, B = a − 1, C = a + b − 1 and w = 1 − z it is
 * C·(1 − w^B·₂F₁(A, B; C; z))/B. Taking the 1 out of ₂F₁ = 1 + B·S divides by B before it can be zero:
 * C·(1 − w^B)/B − w^B·(C·S), and C·S = Σ_{n≥1} (A)_n·(B + 1)_{n−1}/((C + 1)_{n−1}·n!)·z^n bears C = 0 too.
 */
export function meanBySeries(living: Living): number {
  const { a, b, horizon } = living;
  const first = firstOf(living);
  const z = horizon / (1 + horizon);
  const logW = -Math.log1p(horizon);
  let term = first * z;
  let sum = term;
  for (let n = 1; n < SERIES_TERMS_MAX && Math.abs(term) > EPSILON * Math.abs(sum) * (1 - z); n += 1) {
    term *= ((first + n) * (a - 1 + n) * z) / ((a + b - 1 + n) * (n + 1));
    sum += term;
  }
  const power = (a - 1) * logW;
  const plain = Math.abs(power) < 1e-300 ? -logW : -Math.expm1(power) / (a - 1);
  return (a + b - 1) * plain - Math.exp(power) * sum;
}

/**
 * The mean itself, as a quotient of two sums over y = ln(p/(1 − p)), where the density p^a·(1 − p)^b is
 * smooth and falls off exponentially to both sides. All terms are positive: nothing cancels. Where p no longer
 * changes the kernel, the rest of each tail is a geometric series.
 */
export function meanByIntegral({ shape, a, b, horizon }: Living): number {
  const mode = Math.log(a / b);
  const h = Math.min(STEP_MAX, 0.7 * Math.sqrt(1 / a + 1 / b));
  // Left of this p·horizon·shape is nothing; right of its counterpart 1 − p is.
  const flat = Math.min(-TAIL - Math.log(Math.max(horizon * Math.max(shape, 1), 1)), mode - h);
  const peak = logDensity(mode, a, b);
  // The kernel falls from shape·horizon to its value at p = 1: what is left out is nothing beside either.
  const negligible = (Math.exp(-TAIL) * kernel(Infinity, shape, horizon)) / (shape * horizon);
  let mass = 0;
  let orders = 0;
  let y = mode;
  for (let step = 0; step < STEPS_MAX && y > flat; step += 1, y -= h) {
    const density = Math.exp(logDensity(y, a, b) - peak);
    if (density < negligible) break;
    mass += density;
    orders += density * kernel(y, shape, horizon);
  }
  const left = Math.exp(logDensity(y, a, b) - peak) / -Math.expm1(-a * h);
  mass += left;
  orders += left * kernel(y, shape, horizon);
  y = mode + h;
  for (let step = 0; step < STEPS_MAX && y < Math.max(TAIL, mode + 2 * h); step += 1, y += h) {
    const density = Math.exp(logDensity(y, a, b) - peak);
    if (density < negligible) break;
    mass += density;
    orders += density * kernel(y, shape, horizon);
  }
  const right = Math.exp(logDensity(y, a, b) - peak) / -Math.expm1(-b * h);
  return (orders + right * kernel(y, shape, horizon)) / (mass + right);
}

/** ln(p^a·(1 − p)^b) at p = 1/(1 + e^−y), for any y. */
function logDensity(y: number, a: number, b: number): number {
  const log1pExp = Math.log1p(Math.exp(-Math.abs(y)));
  return -a * (Math.max(-y, 0) + log1pExp) - b * (Math.max(y, 0) + log1pExp);
}

/** (1 − (1 + p·horizon)^(−shape))/p, which is shape·horizon as p goes to zero. */
function kernel(y: number, shape: number, horizon: number): number {
  const p = 1 / (1 + Math.exp(-y));
  if (p < 1e-290) return shape * horizon;
  return -Math.expm1(-shape * Math.log1p(p * horizon)) / p;
}
