// A report as CSV: what spreadsheets would make of its names.

import t from 'tap';
import { csvOf } from '../../src/backtests/csv.js';
import { countStretch } from '../../src/lifecycle/backtest/count.js';
import { reportOf } from '../../src/lifecycle/backtest/report.js';
import { emptyTally } from '../../src/lifecycle/backtest/tally.js';
import { at, calibration, historyOf, ordersAt, silencePolicy } from '../lifecycle/samples.js';

const DAY_MS = 86_400_000;
const SIGNS = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '\n', '\r', '\t', ' =', '\n=', '\uFEFF@'];

function csvWith(segment: string | null): string {
  const cuts = [{ at: at('2025-01-01'), calibration }];
  const plan = { policy: silencePolicy(10, 20), live: [], horizonMs: 30 * DAY_MS, cuts, isSegmented: true };
  const history = historyOf('2024-11-01', { orders: ordersAt('2024-11-01') });
  const tally = countStretch({ plan, tally: emptyTally(1), customers: [{ history, segment }] });
  return csvOf(reportOf({ plan, tally }));
}

t.test('no name is taken for a formula', async (t) => {
  for (const sign of SIGNS) {
    const disarmed = `'${sign}1+1`;
    const field = /[\r\n]/.test(sign) ? `"${disarmed}"` : disarmed;
    t.ok(csvWith(`${sign}1+1`).includes(`\r\nall,${field},value,policy,`), JSON.stringify(sign));
  }
});

t.test('other names are as they are, and everybody is told from nobody’s value', async (t) => {
  for (const name of ['web', '1-2', 'a=b', 'x@y', 'all', 'none']) {
    t.ok(csvWith(name).includes(`\r\nall,${name},value,policy,`), name);
  }
  t.ok(csvWith(null).includes('\r\nall,,none,policy,'));
  t.ok(csvWith(null).includes('\r\nall,,all,policy,'));
});
