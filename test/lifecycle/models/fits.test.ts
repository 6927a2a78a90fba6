// The models' fits by columns: that what a fit says of itself is what is kept.

import t from 'tap';
import { cadenceFitOf } from '../../../src/lifecycle/models/fits.js';

t.test('a cadence at its bound has no standard errors, and was fitted to those with a gap', async (t) => {
  const histories = {
    repeats: Int32Array.of(4, 0),
    spanDays: Int32Array.of(120, 0),
    ageDays: Int32Array.of(300, 40),
    customers: Int32Array.of(200, 70),
  };
  const fit = cadenceFitOf({ histories, medianGapDays: 30 });
  t.match(fit, { method: 'mle', atBound: true, completedGaps: 800, customers: 200 });
  t.equal(fit.standardErrors, null);
});
