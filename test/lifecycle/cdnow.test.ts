// The core on real purchases: churned at the cut against what the following 39 weeks brought.

import t from 'tap';
import type { Policy } from '../../src/lifecycle/policy.js';
import { compileTimeline, replay } from '../../src/lifecycle/replay.js';
import { readPurchases } from './cdnow.js';
import { at, policyOf } from './samples.js';

const CUT = at('1997-09-30');
const purchases = readPurchases();

/** Churned at the cut (positive) against no purchase after it (true). */
function confusion(policy: Policy) {
  const calibrations = [
    {
      version: 1,
      effectiveFrom: at('1996-01-01'),
      cadence: { r: 3.7, alphaDays: 22.7 * 7, medianGapDays: 30 },
    },
  ];
  const timeline = compileTimeline({ policies: [{ version: 1, effectiveFrom: null, policy }], calibrations });
  const counts = { tp: 0, fp: 0, fn: 0, tn: 0 };
  for (const orders of purchases.values()) {
    const { state } = replay(
      { createdAt: CUT, orders, touchpoints: [], moves: [], changes: [] },
      timeline,
      CUT,
    );
    const bought = orders.some((order) => order.at > CUT);
    if (state.stage === 'churned') counts[bought ? 'fp' : 'tp'] += 1;
    else counts[bought ? 'tn' : 'fn'] += 1;
  }
  return counts;
}

t.test('the data is what it is published to be', async (t) => {
  const orders = [...purchases.values()].flat();
  const days = [...purchases.values()].map((own) => new Set(own.map((order) => order.at)).size);
  t.equal(purchases.size, 2_357);
  t.equal(orders.length, 6_919);
  t.equal(
    days.reduce((sum, n) => sum + n, 0),
    6_696,
  );
});

t.test('churned after 91 silent days: the published confusion counts', async (t) => {
  const policy = policyOf(
    [
      ['churned', { type: 'silence', days: 91 }],
      ['declining', { type: 'silence', days: 45 }],
      ['mature', { type: 'orders', atLeast: 2 }],
      ['new', { type: 'orders', atLeast: 1 }],
    ],
    'prospect',
  );
  t.same(confusion(policy), { tp: 1_549, fp: 397, fn: 124, tn: 287 });
});

t.test('churned at s_0.90: the published confusion counts', async (t) => {
  const policy = policyOf([['churned', { type: 'cadenceQuantile', q: 0.9 }]], 'new');
  t.same(confusion(policy), { tp: 1_467, fp: 332, fn: 206, tn: 352 });
});
