// Arbitrary parameters and histories of the dropout models, over all that a fit may give and a customer may do.

import fc from 'fast-check';
import { DROPOUT_MODELS } from '../../../src/lifecycle/models/dropout.js';

/** Of every order of magnitude alike. */
export function magnitude(low: number, high: number): fc.Arbitrary<number> {
  return fc
    .double({ min: Math.log(low), max: Math.log(high), noNaN: true, noDefaultInfinity: true })
    .map(Math.exp);
}

export const model = fc.constantFrom(...DROPOUT_MODELS);

export const parameters = fc.record({
  r: magnitude(0.02, 50),
  alphaDays: magnitude(0.5, 5_000),
  a: magnitude(0.01, 200),
  b: magnitude(0.01, 200),
});

/** x, t_x and T, whole days of silence among them; one purchase has no span. */
export const purchaseHistory = fc
  .record({
    repeats: fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 400 })),
    spanDays: magnitude(1, 3_000),
    silenceDays: fc.oneof(fc.nat({ max: 1_000 }), magnitude(0.001, 3_000)),
  })
  .map(({ repeats, spanDays, silenceDays }) => {
    const span = repeats === 0 ? 0 : spanDays;
    return { repeats, spanDays: span, ageDays: span + silenceDays };
  });

export const threshold = fc.double({ min: 0.01, max: 0.99, noNaN: true });
export const horizonDays = magnitude(1, 2_000);
