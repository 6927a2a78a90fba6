// ln Γ and its derivatives at points where they are known, and by their recurrences.

import t from 'tap';
import { digamma, logGamma, trigamma } from '../../../src/lifecycle/models/gamma.js';

const near = (a: number, b: number, tolerance: number) => Math.abs(a - b) <= tolerance;
const EULER = 0.5772156649015329;

t.test('known values', async (t) => {
  t.ok(near(logGamma(1), 0, 1e-14));
  t.ok(near(logGamma(0.5), Math.log(Math.PI) / 2, 1e-14));
  t.ok(near(logGamma(11), Math.log(3_628_800), 1e-13));
  t.ok(near(logGamma(1e-9), -Math.log(1e-9) - EULER * 1e-9, 1e-13));
  t.ok(near(digamma(1), -EULER, 1e-14));
  t.ok(near(digamma(0.5), -EULER - 2 * Math.LN2, 1e-14));
  t.ok(near(trigamma(1), Math.PI ** 2 / 6, 1e-14));
  t.ok(near(trigamma(0.5), Math.PI ** 2 / 2, 1e-13));
});

t.test('each grows by its recurrence, over the place where the series sets in too', async (t) => {
  for (const z of [0.001, 0.3, 1.7, 5, 10.999, 11, 11.5, 12, 40, 1e4]) {
    t.ok(
      near(logGamma(z + 1) - logGamma(z), Math.log(z), 1e-13 * (1 + Math.abs(logGamma(z)))),
      `ln Γ at ${z}`,
    );
    t.ok(near(digamma(z + 1) - digamma(z), 1 / z, 1e-13 / Math.min(z, 1)), `digamma at ${z}`);
    t.ok(near(trigamma(z) - trigamma(z + 1), 1 / z ** 2, 1e-13 / Math.min(z, 1) ** 2), `trigamma at ${z}`);
  }
});

t.test('each is the slope of the one before', async (t) => {
  for (const z of [0.4, 2, 9, 13, 200]) {
    const h = z * 1e-5;
    t.ok(near((logGamma(z + h) - logGamma(z - h)) / (2 * h), digamma(z), 1e-6), `digamma at ${z}`);
    t.ok(near((digamma(z + h) - digamma(z - h)) / (2 * h), trigamma(z), 1e-6), `trigamma at ${z}`);
  }
});
