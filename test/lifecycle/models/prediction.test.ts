// What the models say of one customer, put together: which model, money by currency, discounting.

import t from 'tap';
import { type Calibration, DEFAULT_CALIBRATION } from '../../../src/lifecycle/calibration.js';
import { expectedOrders } from '../../../src/lifecycle/models/dropout.js';
import {
  DISCOUNT_PER_YEAR,
  type PredictionFacts,
  predict,
  predictAll,
} from '../../../src/lifecycle/models/prediction.js';

const DAY = 86_400_000;
const LAST = Date.parse('2026-01-01T10:00:00Z');
const bg = { r: 0.24, alphaDays: 31, a: 0.79, b: 2.43 };
const mbg = { r: 0.52, alphaDays: 43, a: 0.89, b: 1.61 };
const usd = { p: 6.25, q: 3.74, v: 1_544 };
const fitted: Calibration = { ...DEFAULT_CALIBRATION, version: 7, bg, mbg, spend: { USD: usd } };
const facts: PredictionFacts = {
  ...{ purchaseDays: 4, firstDay: 20_000, lastDay: 20_090, lastOrderAt: LAST },
  spend: { USD: 9_000, EUR: 1_000 },
};
const currencies = [
  { currency: 'EUR', days: 1, repeatDays: 1, repeatMinor: 1_000 },
  { currency: 'USD', days: 3, repeatDays: 2, repeatMinor: 6_000 },
];
const at = LAST + 30 * DAY;

t.test('MBG/NBD where it is identified, else BG/NBD, else none', async (t) => {
  t.match(predict({ facts, currencies }, fitted, at), { model: 'mbg', reason: null, calibrationVersion: 7 });
  t.match(predict({ facts, currencies }, { ...fitted, mbg: null }, at), { model: 'bg' });
  const none = predict({ facts, currencies }, { ...fitted, bg: null, mbg: null }, at);
  t.match(none, { model: null, reason: 'not_identified', pAlive: null, expectedOrders: null });
  t.match(none.values[0], { currency: 'USD', historicMinor: 9_000, futureMinor: null });
  t.ok((none.values[0]?.expectedOrderMinor ?? 0) > 0, 'spend has its own model');
});

t.test('a customer without an order has nothing to be predicted from', async (t) => {
  const idle = { purchaseDays: 0, firstDay: null, lastDay: null, lastOrderAt: null, spend: {} };
  t.match(predict({ facts: idle, currencies: [] }, fitted, at), {
    ...{ model: null, reason: 'no_orders', pAlive: null, values: [] },
  });
});

t.test('orders to come are shared out to currencies, and are worth less the later they come', async (t) => {
  const history = { repeats: 3, spanDays: 90, ageDays: 120 };
  const { values, expectedOrders: orders } = predict({ facts, currencies }, fitted, at);
  t.equal(orders?.next90Days, expectedOrders('mbg', mbg, history, 90));
  const [first, second] = values;
  t.same([first?.currency, second?.currency], ['USD', 'EUR'], 'the most spent first');
  t.equal(second?.futureMinor, null, 'no model of spend in that currency');
  const all = (orders?.next365Days ?? 0) * (3 / 4) * (first?.expectedOrderMinor ?? 0);
  t.ok((first?.futureMinor ?? 0) < all && (first?.futureMinor ?? 0) > all / (1 + DISCOUNT_PER_YEAR));
});

t.test('time alone lowers what is expected; an order ahead of its time counts as now', async (t) => {
  const after = (days: number) => predict({ facts, currencies }, fitted, LAST + days * DAY).pAlive ?? 0;
  t.ok(after(1) > after(30) && after(30) > after(300));
  t.equal(after(-0.001), after(0));
});

t.test('repeat days on which nothing was spent say nothing of spend', async (t) => {
  const free = [{ currency: 'USD', days: 4, repeatDays: 3, repeatMinor: 0 }];
  const [value] = predict({ facts, currencies: free }, fitted, at).values;
  t.equal(value?.expectedOrderMinor, Math.round((usd.p * usd.v) / (usd.q - 1)));
});

t.test('an expectation beyond what money is counted up to is held there', async (t) => {
  const wild: Calibration = { ...fitted, spend: { USD: { p: 6, q: 1 + 1e-12, v: 1e9 } } };
  const [value] = predict(
    { facts, currencies: [{ ...currencies[1], repeatMinor: 0 } as never] },
    wild,
    at,
  ).values;
  t.equal(value?.expectedOrderMinor, Number.MAX_SAFE_INTEGER);
});

t.test('many at once are each as by themselves', async (t) => {
  const subject = { facts, currencies };
  t.same(predictAll({ subjects: [subject, subject], calibration: fitted, at }), [
    predict(subject, fitted, at),
    predict(subject, fitted, at),
  ]);
});
