// The probability that a backtest holds against what happened, on real purchases and published parameters.

import t from 'tap';
import { purchasesAround } from '../../../src/lifecycle/backtest/known.js';
import { stopProbability } from '../../../src/lifecycle/backtest/probability.js';
import { DEFAULT_CALIBRATION } from '../../../src/lifecycle/calibration.js';
import { auc, brier } from '../../../src/lifecycle/models/scores.js';
import { readPurchases } from '../cdnow.js';
import { at, factsOf } from '../samples.js';

const CUT = at('1997-09-30');
const HORIZON_MS = 273 * 86_400_000;
/** Of BTYDplus, whose time is in weeks. */
const PUBLISHED = { r: 0.5248, alphaDays: 6.1831 * 7, a: 0.8914, b: 1.614 };
const fitted = { ...DEFAULT_CALIBRATION, mbg: PUBLISHED };

t.test('MBG/NBD says who stops with AUC ≥ .755 and a Brier score ≤ .163', async (t) => {
  const probabilities: number[] = [];
  const outcomes: boolean[] = [];
  for (const orders of readPurchases().values()) {
    const facts = factsOf(orders.filter((order) => order.at <= CUT));
    const probability = stopProbability('mbg', fitted, { facts, at: CUT, horizonMs: HORIZON_MS });
    if (probability === null) continue;
    probabilities.push(probability);
    outcomes.push(purchasesAround(orders, CUT, HORIZON_MS).firstAfterAt === null);
  }
  t.equal(probabilities.length, 2_357);
  const [area, distance] = [auc(probabilities, outcomes) ?? 0, brier(probabilities, outcomes) ?? 1];
  t.ok(area >= 0.755, `AUC ${area}`);
  t.ok(distance <= 0.163, `Brier ${distance}`);
});

t.test('there is none without a model, a fit or an order', async (t) => {
  const facts = factsOf(readPurchases().values().next().value ?? []);
  const when = { at: CUT, horizonMs: HORIZON_MS };
  t.equal(stopProbability(null, fitted, { facts, ...when }), null);
  t.equal(stopProbability('mbg', { ...fitted, mbg: null } as never, { facts, ...when }), null);
  t.equal(stopProbability('mbg', fitted, { facts: factsOf([]), ...when }), null);
});
