// Draws populations of customers whose parameters are known, from a seed, for the tests of the fits.

import type { DropoutModel, DropoutParameters } from '../../../src/lifecycle/models/dropout.js';
import type { CustomerGroup } from '../../../src/lifecycle/models/dropoutSample.js';

/** Uniform draws from (0, 1): a linear congruential generator of 48 bits, whose low ones are dropped. */
export function drawsFrom(seed: number): () => number {
  let state = BigInt(seed) * 2_654_435_761n + 11n;
  const next = () => {
    state = (state * 25_214_903_917n + 11n) & 0xffff_ffff_ffffn;
    return (Number(state >> 16n) + 0.5) / 2 ** 32;
  };
  for (let i = 0; i < 8; i += 1) next();
  return next;
}

/** A gamma variate of scale 1, by Marsaglia & Tsang. */
export function drawGamma(draw: () => number, shape: number): number {
  if (shape < 1) return drawGamma(draw, shape + 1) * draw() ** (1 / shape);
  const d = shape - 1 / 3;
  for (;;) {
    const normal = Math.sqrt(-2 * Math.log(draw())) * Math.cos(2 * Math.PI * draw());
    const v = (1 + normal / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(draw()) < normal ** 2 / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** Customers who came at any time of the last `days`; with a = 0 nobody is ever lost. */
export function drawCustomers(
  model: DropoutModel,
  p: DropoutParameters,
  { seed, customers, days }: { seed: number; customers: number; days: number },
): CustomerGroup[] {
  const draw = drawsFrom(seed);
  return Array.from({ length: customers }, () => {
    const rate = drawGamma(draw, p.r) / p.alphaDays;
    const leaving = p.a === 0 ? 0 : drawGamma(draw, p.a);
    const dropout = leaving === 0 ? 0 : leaving / (leaving + drawGamma(draw, p.b));
    const ageDays = days * draw();
    let repeats = 0;
    let spanDays = 0;
    let alive = model === 'bg' || draw() >= dropout;
    while (alive) {
      const at: number = spanDays - Math.log(draw()) / rate;
      if (at > ageDays) break;
      repeats += 1;
      spanDays = at;
      alive = draw() >= dropout;
    }
    return { repeats, spanDays, ageDays, customers: 1 };
  });
}
