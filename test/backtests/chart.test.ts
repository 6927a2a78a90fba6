// The picture of a report without groups says why there are none.

import t from 'tap';
import { chartOf } from '../../src/backtests/chart.js';
import { countStretch } from '../../src/lifecycle/backtest/count.js';
import { reportOf } from '../../src/lifecycle/backtest/report.js';
import { emptyTally } from '../../src/lifecycle/backtest/tally.js';
import { at, calibration, historyOf, ordersAt, silencePolicy } from '../lifecycle/samples.js';

const NONE = /No groups: nobody is judged/;

t.test('a picture without groups says so, and no other does', async (t) => {
  const cuts = [{ at: at('2025-01-01'), calibration }];
  const plan = { policy: silencePolicy(10, 20), live: [], horizonMs: 86_400_000, cuts, isSegmented: false };
  const history = historyOf('2024-11-01', { orders: ordersAt('2024-11-01') });
  const chartWith = (customers: { history: typeof history; segment: null }[]) => {
    const report = reportOf({ plan, tally: countStretch({ plan, tally: emptyTally(1), customers }) });
    return chartOf(report, { policyVersion: 1, cuts: ['2025-01-01T00:00:00.000Z'], horizonDays: 1 });
  };
  t.match(chartWith([]), NONE);
  t.notMatch(chartWith([{ history, segment: null }]), NONE);
});
