// The series against the integral where both are good, and the integral at its limits.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  isTame,
  meanByIntegral,
  meanBySeries,
  meanOrdersWhileAlive,
} from '../../../src/lifecycle/models/hypergeometric.js';
import { magnitude } from './arbitraries.js';

const near = (a: number, b: number, share: number) => Math.abs(a - b) <= share * Math.abs(b);

/** The shape and b share x: a customer with many purchases has much of both. */
const living = (horizon: fc.Arbitrary<number>) =>
  fc
    .record({
      x: fc.nat({ max: 500 }),
      r: magnitude(0.02, 50),
      a: magnitude(0.01, 200),
      b: magnitude(0.01, 200),
      horizon,
    })
    .map(({ x, r, a, b, horizon }) => ({ shape: r + x, a, b: b + x, horizon }));

t.test('series and integral agree to nine digits', async () => {
  let both = 0;
  fc.assert(
    fc.property(living(magnitude(1e-6, 40)), (one) => {
      if (!isTame(one)) return;
      both += 1;
      const [series, integral] = [meanBySeries(one), meanByIntegral(one)];
      assert.ok(near(series, integral, 1e-9), `${series} or ${integral}: ${JSON.stringify(one)}`);
    }),
    { numRuns: 3_000 },
  );
  assert.ok(both > 1_000);
});

t.test('nowhere does the mean jump, be it between the two forms', async () => {
  fc.assert(
    fc.property(living(fc.constantFrom(40, 1, 1e3)), (one) => {
      const beyond = meanOrdersWhileAlive({ ...one, horizon: one.horizon * (1 + 1e-9) });
      assert.ok(near(beyond, meanOrdersWhileAlive(one), 3e-9));
    }),
    { numRuns: 1_000 },
  );
});

t.test('in a long time a customer makes 1/p purchases, on average over p', async () => {
  // With a > 1 the mean of 1/p is (a + b − 1)/(a − 1).
  fc.assert(
    fc.property(magnitude(0.5, 50), magnitude(2, 100), magnitude(0.1, 100), (shape, a, b) => {
      const mean = meanOrdersWhileAlive({ shape, a, b, horizon: 1e30 });
      assert.ok(near(mean, (a + b - 1) / (a - 1), 1e-9), `${mean} for ${shape}, ${a}, ${b}`);
    }),
  );
});

t.test('in a short time, or with next to no dropout, purchases come at their rate', async (t) => {
  t.ok(near(meanOrdersWhileAlive({ shape: 3.5, a: 0.8, b: 5, horizon: 1e-9 }), 3.5e-9, 1e-8));
  t.ok(near(meanOrdersWhileAlive({ shape: 3.5, a: 1e-9, b: 5, horizon: 2 }), 7, 1e-7));
  t.ok(near(meanOrdersWhileAlive({ shape: 3.5, a: 1e-9, b: 5, horizon: 50 }), 175, 1e-7));
});

t.test('a dropout probability that is known gives the plain formula', async (t) => {
  // Beta(3e7, 7e7) is 0.3 to four digits.
  const plain = (1 - (1 + 0.3 * 20) ** -2.5) / 0.3;
  t.ok(near(meanOrdersWhileAlive({ shape: 2.5, a: 3e7, b: 7e7, horizon: 20 }), plain, 1e-6));
});
