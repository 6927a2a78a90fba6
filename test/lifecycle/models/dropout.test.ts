// The dropout models against published figures, and their crossings against direct evaluation on both sides.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  aliveUntilAgeDays,
  type DropoutParameters,
  expectedOrders,
  orderProbability,
  orderProbabilityUntilAgeDays,
  probabilityAlive,
} from '../../../src/lifecycle/models/dropout.js';
import { horizonDays, model, parameters, purchaseHistory, threshold } from './arbitraries.js';

const DAY_MS = 86_400_000;
const near = (a: number, b: number, tolerance: number) => Math.abs(a - b) <= tolerance;
/** Published in weeks: any unit does, as long as it is one. */
const BG = { r: 0.2425945, alphaDays: 4.4136019, a: 0.7929199, b: 2.4258881 };
const MBG_DAYS = { r: 0.5248, alphaDays: 6.1831 * 7, a: 0.8914, b: 1.614 };

t.test('expected orders and P(alive) are the published ones', async (t) => {
  const customer = { repeats: 2, spanDays: 30.43, ageDays: 38.86 };
  t.ok(near(expectedOrders('bg', BG, customer, 39), 1.226, 0.0005));
  const frequent = { repeats: 26, spanDays: 30 + 6 / 7, ageDays: 31 };
  t.ok(near(expectedOrders('bg', BG, frequent, 52), 25.757, 0.001), 'customer 1516');
  t.ok(near(probabilityAlive('bg', BG, frequent), 0.96885, 0.000005));
});

t.test('the unit of time does not matter as long as it is one', async (t) => {
  const days = { ...BG, alphaDays: BG.alphaDays * 7 };
  const inDays = expectedOrders('bg', days, { repeats: 2, spanDays: 30.43 * 7, ageDays: 38.86 * 7 }, 273);
  const inWeeks = expectedOrders('bg', BG, { repeats: 2, spanDays: 30.43, ageDays: 38.86 }, 39);
  t.ok(near(inDays, inWeeks, 1e-12));
});

t.test('one purchase: BG never gives a customer up, MBG does after 42 days', async (t) => {
  const once = { repeats: 0, spanDays: 0 };
  t.equal(probabilityAlive('bg', BG, { ...once, ageDays: 10_000 }), 1);
  t.equal(aliveUntilAgeDays('bg', BG, once, 0.5), Infinity);
  t.ok(probabilityAlive('mbg', MBG_DAYS, { ...once, ageDays: 0 }) < 1);
  t.ok(near(orderProbabilityUntilAgeDays('mbg', MBG_DAYS, once, 180, 0.25), 42.5, 0.5));
  const bg = { ...BG, alphaDays: BG.alphaDays * 7 };
  t.ok(orderProbabilityUntilAgeDays('bg', bg, once, 180, 0.25) < Infinity, 'who orders is another question');
});

t.test('thresholds that nothing or everything is below', async (t) => {
  const h = { repeats: 3, spanDays: 90 };
  t.equal(aliveUntilAgeDays('mbg', MBG_DAYS, h, 0), Infinity);
  t.equal(aliveUntilAgeDays('mbg', MBG_DAYS, h, 1), 90);
  t.equal(orderProbabilityUntilAgeDays('mbg', MBG_DAYS, h, 180, 0), Infinity);
  t.equal(orderProbabilityUntilAgeDays('mbg', MBG_DAYS, h, 180, 1), 90);
  t.equal(orderProbabilityUntilAgeDays('mbg', MBG_DAYS, h, 0, 0.5), 90, 'within no time nobody orders');
  t.equal(expectedOrders('mbg', MBG_DAYS, { ...h, ageDays: 100 }, 0), 0);
});

t.test('P(alive) is at the threshold at its crossing, above it before and below after', async () => {
  fc.assert(
    fc.property(model, parameters, purchaseHistory, threshold, (m, p, h, q) => {
      const until = aliveUntilAgeDays(m, p, h, q);
      assert.ok(until >= h.spanDays);
      if (until === h.spanDays) {
        assert.ok(probabilityAlive(m, p, { ...h, ageDays: until }) <= q + 1e-12);
      } else if (until > 1e12) {
        assert.ok(probabilityAlive(m, p, { ...h, ageDays: 1e12 }) > q);
      } else {
        const silence = until - h.spanDays;
        assert.ok(probabilityAlive(m, p, { ...h, ageDays: h.spanDays + silence * (1 - 1e-6) }) > q - 1e-12);
        assert.ok(probabilityAlive(m, p, { ...h, ageDays: h.spanDays + silence * (1 + 1e-6) }) < q + 1e-12);
        assert.ok(near(probabilityAlive(m, p, { ...h, ageDays: until }), q, 1e-6));
      }
    }),
    { numRuns: 3_000 },
  );
});

t.test(
  'an order is likelier than the threshold until the crossing, and not from its millisecond on',
  async () => {
    let crossed = 0;
    fc.assert(
      fc.property(
        model,
        parameters,
        purchaseHistory,
        horizonDays,
        threshold,
        (m, p, { repeats, spanDays }, within, q) => {
          const h = { repeats, spanDays: Math.round(spanDays) };
          const until = orderProbabilityUntilAgeDays(m, p, h, within, q);
          const at = (ageDays: number) => orderProbability(m, p, { ...h, ageDays }, within);
          assert.ok(until >= h.spanDays && until < Infinity);
          const roundedUp = Math.ceil(until * DAY_MS) / DAY_MS;
          // Past some ten thousand days one millisecond is less than rounding leaves of the probability.
          assert.ok(at(roundedUp) <= q + (until > 10_000 ? 1e-9 : 1e-15));
          if (until === h.spanDays) return;
          crossed += 1;
          assert.ok(at(until - 1e-5) > q - (until > 10_000 ? 1e-9 : 1e-15));
        },
      ),
      { numRuns: 3_000 },
    );
    assert.ok(crossed > 300, `only ${crossed} cases crossed`);
  },
);

t.test('both probabilities fall with silence; an order is likelier the longer one waits for it', async () => {
  fc.assert(
    fc.property(model, parameters, purchaseHistory, horizonDays, horizonDays, (m, p, h, within, more) => {
      const later = { ...h, ageDays: h.ageDays + more };
      assert.ok(probabilityAlive(m, p, later) <= probabilityAlive(m, p, h));
      assert.ok(orderProbability(m, p, later, within) <= orderProbability(m, p, h, within) * (1 + 1e-12));
      assert.ok(orderProbability(m, p, h, within + more) >= orderProbability(m, p, h, within));
      assert.ok(orderProbability(m, p, h, within) <= probabilityAlive(m, p, h));
      assert.ok(probabilityAlive(m, p, h) >= 0 && probabilityAlive(m, p, h) <= 1);
    }),
    { numRuns: 3_000 },
  );
});

t.test('as many orders are expected as probability and rate allow, and more in more time', async () => {
  fc.assert(
    fc.property(model, parameters, purchaseHistory, horizonDays, horizonDays, (m, p, h, days, more) => {
      const expected = expectedOrders(m, p, h, days);
      const rate = (p.r + h.repeats) / (p.alphaDays + h.ageDays);
      // Of a count, P(at least one) ≤ the mean; and nobody is expected to buy faster than while there.
      assert.ok(expected >= orderProbability(m, p, h, days) * (1 - 1e-8));
      assert.ok(expected <= probabilityAlive(m, p, h) * rate * days * (1 + 1e-8));
      assert.ok(expectedOrders(m, p, h, days + more) >= expected * (1 - 1e-9));
    }),
    { numRuns: 2_000 },
  );
});

t.test('a = 1 is no singularity', async (t) => {
  const at = (a: number) => {
    const p: DropoutParameters = { ...MBG_DAYS, a };
    return expectedOrders('mbg', p, { repeats: 3, spanDays: 100, ageDays: 140 }, 365);
  };
  for (const step of [1e-4, 1e-6, 1e-9, 1e-12, 1e-15]) {
    t.ok(near(at(1), (at(1 - step) + at(1 + step)) / 2, 1e-7), `1 ± ${step}`);
  }
});
