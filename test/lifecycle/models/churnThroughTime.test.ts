// P(order within 39 weeks) < 0.25 as the rule for churned, followed through time on CDNOW, at MBG/NBD as fitted
// to the calibration period. What is counted:
//
// - A flag is raised whenever, after a purchase day, the probability falls to the threshold before the next one,
//   and no later than the cut, 1997-09-30. A customer who comes back and falls silent again is flagged again, so
//   one customer may raise several; the probability at each is of what was known then.
// - A flag is true when nothing is bought in the 39 weeks after it. The data end 39 weeks after the cut, so that
//   every flag is observed for its full 39 weeks. Precision is the share of flags that are true.
// - A customer stopped before the cut when their last purchase is not after it: they bought nothing in the 39
//   weeks after it either. Recall is the share of them who are flagged, after that purchase, by the cut.
// - The delay is from that last purchase to its flag, over those customers who have one.

import t from 'tap';
import { orderProbabilityUntilAgeDays } from '../../../src/lifecycle/models/dropout.js';
import { fitDropout } from '../../../src/lifecycle/models/dropoutFit.js';
import { historiesUntil, purchaseDays, readPurchases } from '../cdnow.js';

const DAY = 86_400_000;
const CUT = Date.parse('1997-09-30T00:00Z');
const HORIZON_DAYS = 39 * 7;
const THRESHOLD = 0.25;

t.test('flags through time: precision, recall and delay', async (t) => {
  const purchases = readPurchases();
  const fit = fitDropout('mbg', historiesUntil(purchases, '1997-09-30'));
  const flags = { raised: 0, true: 0 };
  const delays: number[] = [];
  let stopped = 0;
  for (const orders of purchases.values()) {
    const days = purchaseDays(orders);
    const first = days[0] ?? 0;
    for (const [repeats, day] of days.entries()) {
      if (day > CUT) break;
      const next = days[repeats + 1] ?? Infinity;
      if (next === Infinity) stopped += 1;
      const h = { repeats, spanDays: (day - first) / DAY };
      const flagged = first + orderProbabilityUntilAgeDays('mbg', fit, h, HORIZON_DAYS, THRESHOLD) * DAY;
      if (flagged > CUT || flagged >= next) continue;
      flags.raised += 1;
      if (next > flagged + HORIZON_DAYS * DAY) flags.true += 1;
      if (next === Infinity) delays.push((flagged - day) / DAY);
    }
  }
  const precision = flags.true / flags.raised;
  const recall = delays.length / stopped;
  const medianWeeks = (delays.sort((a, b) => a - b)[Math.floor(delays.length / 2)] ?? Infinity) / 7;
  t.equal(stopped, 1_673);
  t.ok(precision >= 0.72, `precision ${precision}: ${flags.true} of ${flags.raised} flags`);
  t.ok(recall >= 0.85, `recall ${recall}: ${delays.length} of ${stopped}`);
  t.ok(medianWeeks <= 10, `median delay ${medianWeeks} weeks`);
});
