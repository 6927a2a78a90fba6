// The search for a top, and the errors, on likelihoods whose tops are known.

import t from 'tap';
import { choleskyOf, inverseDiagonal, solve } from '../../../src/lifecycle/models/cholesky.js';
import { type Evaluation, maximiseFrom } from '../../../src/lifecycle/models/maximise.js';

const near = (a: number, b: number, tolerance: number) => Math.abs(a - b) <= tolerance;
const BOX = { low: [1e-6, 1e-6], high: [1e6, 1e6] };

/** A parabola in the parameters, its top at (3, 20), its curvature a matrix with a cross term. */
function parabola([x = 0, y = 0]: readonly number[]): Evaluation {
  const [dx, dy] = [x - 3, y - 20];
  return {
    value: -(2 * dx * dx + dx * dy + dy * dy) / 2,
    gradient: [-(2 * dx + dy / 2), -(dx / 2 + dy)],
    hessian: [-2, -0.5, -0.5, -1],
  };
}

t.test('the top is found from far away, with the errors of its curvature', async (t) => {
  for (const start of [
    [1e-3, 1e4],
    [500, 0.01],
    [3, 20],
  ]) {
    const { at, converged, standardErrors, atBound } = maximiseFrom(parabola, [start], BOX);
    t.ok(converged && near(at[0] ?? 0, 3, 1e-4) && near(at[1] ?? 0, 20, 1e-4), `from ${start}: ${at}`);
    t.same(atBound, [false, false]);
    // The inverse of (2, ½; ½, 1) has 1/1.75 and 2/1.75 on its diagonal.
    t.ok(near(standardErrors?.[0] ?? 0, Math.sqrt(1 / 1.75), 1e-4));
    t.ok(near(standardErrors?.[1] ?? 0, Math.sqrt(2 / 1.75), 1e-4));
  }
});

t.test('a top outside the box is answered by the best point on its side', async (t) => {
  const { at, converged, standardErrors, atBound } = maximiseFrom(parabola, [[1, 5]], {
    low: [1e-6, 1e-6],
    high: [1e6, 10],
  });
  // With y = 10 the best x is 3 + 10/4.
  t.ok(converged && near(at[0] ?? 0, 5.5, 1e-4) && near(at[1] ?? 0, 10, 1e-9), `${at}`);
  t.same(atBound, [false, true]);
  t.equal(standardErrors, null);
});

t.test('of several tops the highest is taken', async (t) => {
  // In u = ln p: a low hill at 0 and a high one at 5.
  const hills = ([p = 1]: readonly number[]): Evaluation => {
    const u = Math.log(p);
    const hill = (height: number, at: number) => {
      const value = height * Math.exp(-((u - at) ** 2) / 2);
      return { value, slope: -(u - at) * value, bend: ((u - at) ** 2 - 1) * value };
    };
    const [low, high] = [hill(10, 0), hill(20, 5)];
    const slope = low.slope + high.slope;
    return {
      value: low.value + high.value,
      gradient: [slope / p],
      hessian: [(low.bend + high.bend - slope) / p ** 2],
    };
  };
  const box = { low: [1e-4], high: [1e4] };
  t.ok(near(maximiseFrom(hills, [[1.1]], box).value, 10, 0.01));
  t.ok(near(maximiseFrom(hills, [[1.1], [100]], box).value, 20, 0.01));
  t.ok(near(maximiseFrom(hills, [[100], [1.1]], box).value, 20, 0.01));
});

t.test('what is flat, or no number, ends without an error and without hanging', async (t) => {
  const flat = maximiseFrom(() => ({ value: 1, gradient: [0, 0], hessian: [0, 0, 0, 0] }), [[1, 1]], BOX);
  t.same([flat.value, flat.standardErrors], [1, null]);
  const nothing = { value: Number.NaN, gradient: [Number.NaN], hessian: [Number.NaN] };
  const lost = maximiseFrom(() => nothing, [[1]], { low: [0.1], high: [10] });
  t.equal(lost.converged, false);
});

t.test('a positive definite matrix is factored, solved with and inverted; another is refused', async (t) => {
  const factor = choleskyOf([4, 2, 2, 3], 2);
  if (factor === null) return t.fail('refused');
  const [x = 0, y = 0] = solve(factor, [8, 7]);
  t.ok(near(x, 1.25, 1e-12) && near(y, 1.5, 1e-12));
  const [first = 0, second = 0] = inverseDiagonal(factor);
  t.ok(near(first, 3 / 8, 1e-12) && near(second, 1 / 2, 1e-12));
  for (const matrix of [
    [1, 2, 2, 1],
    [0, 0, 0, 0],
    [1, 1, 1, 1],
    [-1, 0, 0, 1],
    [Number.NaN, 0, 0, 1],
  ]) {
    t.equal(choleskyOf(matrix, 2), null, `${matrix}`);
  }
});
