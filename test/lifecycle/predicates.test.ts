// What each condition means over time.

import t, { type Test } from 'tap';
import type { Calibration } from '../../src/lifecycle/calibration.js';
import type { Condition } from '../../src/lifecycle/conditions.js';
import { emptyFacts, type Facts } from '../../src/lifecycle/facts.js';
import { evaluate } from '../../src/lifecycle/predicates.js';
import { at, calibration, factsOf, orderAt, ordersAt } from './samples.js';

const MS = 1;
const never = null;

interface Row {
  say: string;
  condition: Condition;
  facts: Facts;
  at: number;
  holds: boolean;
  until: number | null;
  calibration?: Calibration;
}

function check(t: Test, rows: Row[]): void {
  for (const row of rows) {
    const { holds, until, because } = evaluate(
      row.condition,
      row.facts,
      row.calibration ?? calibration,
      row.at,
    );
    t.same({ holds, until }, { holds: row.holds, until: row.until }, row.say);
    t.equal(because.holds, row.holds, `${row.say}: the evidence agrees`);
    t.equal(because.type, row.condition.type);
  }
}

const none = emptyFacts();
const once = factsOf(ordersAt('2024-01-01'));
const twice = factsOf([
  orderAt('a', '2024-01-01', { categories: ['books'] }),
  orderAt('b', '2024-01-01T15:00Z', { categories: ['books', 'films'] }),
  orderAt('c', '2024-01-11', { categories: [] }),
]);

t.test('orders are purchase days, and only facts change them', async (t) => {
  const condition: Condition = { type: 'orders', atLeast: 2 };
  const now = at('2024-06-01');
  check(t, [
    { say: 'none', condition, facts: none, at: now, holds: false, until: never },
    { say: 'one', condition, facts: once, at: now, holds: false, until: never },
    { say: 'three orders on two days', condition, facts: twice, at: now, holds: true, until: never },
    {
      say: 'not three',
      condition: { ...condition, atLeast: 3 },
      facts: twice,
      at: now,
      holds: false,
      until: never,
    },
  ]);
  t.same(evaluate(condition, once, calibration, now).because, {
    type: 'orders',
    holds: false,
    value: 1,
    threshold: 2,
    unit: 'purchase_days',
  });
});

t.test('categories are distinct ones, over all orders', async (t) => {
  const condition: Condition = { type: 'categories', atLeast: 2 };
  const now = at('2024-06-01');
  check(t, [
    { say: 'none', condition, facts: none, at: now, holds: false, until: never },
    { say: 'one', condition, facts: once, at: now, holds: false, until: never },
    { say: 'two', condition, facts: twice, at: now, holds: true, until: never },
  ]);
});

t.test('a silence holds from the last order plus its days on, inclusive', async (t) => {
  const condition: Condition = { type: 'silence', days: 30 };
  const due = at('2024-02-10');
  check(t, [
    { say: 'without an order, never', condition, facts: none, at: due, holds: false, until: never },
    { say: 'at the order', condition, facts: twice, at: at('2024-01-11'), holds: false, until: due },
    { say: 'a millisecond before', condition, facts: twice, at: due - MS, holds: false, until: due },
    { say: 'at the instant', condition, facts: twice, at: due, holds: true, until: never },
    { say: 'long after', condition, facts: twice, at: at('2034-01-01'), holds: true, until: never },
  ]);
  t.same(evaluate(condition, twice, calibration, at('2024-02-01T12:00Z')).because, {
    type: 'silence',
    holds: false,
    value: 21.5,
    threshold: 30,
    unit: 'days',
    at: '2024-02-10T00:00:00.000Z',
  });
  t.same(evaluate(condition, none, calibration, due).because, {
    type: 'silence',
    holds: false,
    value: null,
    threshold: null,
    unit: 'days',
  });
});

t.test('due times round up to the millisecond', async (t) => {
  const condition: Condition = { type: 'silence', days: 1 / 86_400_000 / 3 };
  check(t, [
    {
      say: 'a third of one',
      condition,
      facts: once,
      at: at('2024-01-01'),
      holds: false,
      until: at('2024-01-01') + MS,
    },
  ]);
});

t.test('a cadence quantile is s_q of the calibration for this history', async (t) => {
  const cadence = { r: 3.7, alphaDays: 158.9, medianGapDays: 20 };
  const cdnow: Calibration = { ...calibration, version: 7, cadence };
  const days = (value: number) => Math.ceil(value * 86_400_000);
  const first = at('2024-01-01');
  // x = 0, t_x = 0: 158.9 · (10^(1/3.7) − 1); x = 1, t_x = 10: 168.9 · (10^(1/4.7) − 1).
  const s90 = 158.9 * (10 ** (1 / 3.7) - 1);
  const s90twice = 168.9 * (10 ** (1 / 4.7) - 1);
  const condition: Condition = { type: 'cadenceQuantile', q: 0.9 };
  const one = evaluate(condition, once, cdnow, first);
  t.equal(Math.abs((one.until ?? 0) - first - days(s90)) <= 1, true);
  const two = evaluate(condition, twice, cdnow, at('2024-01-11'));
  t.equal(Math.abs((two.until ?? 0) - at('2024-01-11') - days(s90twice)) <= 1, true);
  check(t, [
    {
      say: 'before',
      condition,
      facts: once,
      at: (one.until ?? 0) - MS,
      holds: false,
      until: one.until,
      calibration: cdnow,
    },
    { say: 'at', condition, facts: once, at: one.until ?? 0, holds: true, until: never, calibration: cdnow },
    {
      say: 'without an order',
      condition,
      facts: none,
      at: first,
      holds: false,
      until: never,
      calibration: cdnow,
    },
  ]);
  t.match(one.because, { type: 'cadenceQuantile', q: 0.9, value: 0, threshold: 137.1698, unit: 'days' });
});

t.test('a due time that no calendar can write never comes', async (t) => {
  const cadence = { r: 0.05, alphaDays: 90, medianGapDays: 30 };
  const wild: Calibration = { ...calibration, version: 1, cadence };
  const condition: Condition = { type: 'cadenceQuantile', q: 0.999 };
  check(t, [
    {
      say: 's_q of 10^60 days',
      condition,
      facts: once,
      at: at('2024-01-02'),
      holds: false,
      until: never,
      calibration: wild,
    },
  ]);
  t.match(evaluate(condition, once, wild, at('2024-01-02')).because, { threshold: null, value: 1 });
});

t.test('a cadence multiple is of the mean gap, drawn towards the median one', async (t) => {
  // x = 1, t_x = 10, g0 = 30: (10 + 90)/4 = 25 days.
  const condition: Condition = { type: 'cadenceMultiple', multiple: 2 };
  const due = at('2024-01-11') + 50 * 86_400_000;
  check(t, [
    { say: 'before', condition, facts: twice, at: due - MS, holds: false, until: due },
    { say: 'at', condition, facts: twice, at: due, holds: true, until: never },
    { say: 'without an order', condition, facts: none, at: due, holds: false, until: never },
  ]);
  t.match(evaluate(condition, twice, calibration, due).because, { multiple: 2, value: 50, threshold: 50 });
});

t.test('all, any and not combine, and look again at the earliest change of a part', async (t) => {
  const short: Condition = { type: 'silence', days: 10 };
  const long: Condition = { type: 'silence', days: 20 };
  const [s, l] = [at('2024-01-11'), at('2024-01-21')];
  const all: Condition = { type: 'all', of: [short, long] };
  const any: Condition = { type: 'any', of: [long, short] };
  const not: Condition = { type: 'not', of: short };
  check(t, [
    { say: 'all, none yet', condition: all, facts: once, at: s - MS, holds: false, until: s },
    { say: 'all, one of two', condition: all, facts: once, at: s, holds: false, until: l },
    { say: 'all, both', condition: all, facts: once, at: l, holds: true, until: never },
    { say: 'any, none yet', condition: any, facts: once, at: s - MS, holds: false, until: s },
    { say: 'any, one of two', condition: any, facts: once, at: s, holds: true, until: l },
    { say: 'not, before', condition: not, facts: once, at: s - MS, holds: true, until: s },
    { say: 'not, after', condition: not, facts: once, at: s, holds: false, until: never },
    { say: 'not, without an order', condition: not, facts: none, at: s, holds: true, until: never },
  ]);
  t.match(evaluate({ type: 'any', of: [not, all] }, once, calibration, s).because, {
    type: 'any',
    holds: false,
    of: [
      { type: 'not', holds: false, of: [{ type: 'silence', holds: true }] },
      { type: 'all', holds: false, of: [{ holds: true }, { holds: false, at: '2024-01-21T00:00:00.000Z' }] },
    ],
  });
});
