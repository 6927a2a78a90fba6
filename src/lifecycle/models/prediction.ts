// Owns what a tenant's models say of one customer's time to come: whether they are still there, the orders and
// the money to expect. Pure: from what is known of the customer, one calibration, and an instant. Does not own
// the models (dropout.ts, spend.ts).

import { DAY_MS } from '../calendar.js';
import { type Calibration, dropoutOf } from '../calibration.js';
import type { Facts } from '../facts.js';
import {
  type DropoutModel,
  expectedOrders,
  orderProbability,
  type PurchaseHistory,
  probabilityAlive,
} from './dropout.js';
import { expectedSpend } from './spend.js';

/** What money in a year's time is worth less than money now. */
export const DISCOUNT_PER_YEAR = 0.1;
/** Future value looks this far ahead: what is beyond is guesswork for a shop that has been watched for less. */
export const HORIZON_DAYS = 365;

/** The part of a customer's facts that a prediction reads. */
export type PredictionFacts = Pick<Facts, 'purchaseDays' | 'firstDay' | 'lastDay' | 'lastOrderAt' | 'spend'>;

/** What was spent in one currency, by purchase days; `repeat` leaves out the customer's first purchase day. */
export interface CurrencyDays {
  currency: string;
  days: number;
  repeatDays: number;
  repeatMinor: number;
}

export interface Horizons {
  next30Days: number;
  next90Days: number;
  next365Days: number;
}

export interface ValuePrediction {
  currency: string;
  /** All that was spent, net of refunds. */
  historicMinor: number;
  /** Of the next order in this currency; null where the model of spend is not identified. */
  expectedOrderMinor: number | null;
  /** Of the next 365 days, discounted; null as above, or without a model of orders. */
  futureMinor: number | null;
}

export interface Prediction {
  /** Null where there is none to predict by; `reason` says why. */
  model: DropoutModel | null;
  reason: 'no_orders' | 'not_identified' | null;
  calibrationVersion: number;
  pAlive: number | null;
  orderProbability: Horizons | null;
  expectedOrders: Horizons | null;
  values: ValuePrediction[];
}

export interface Subject {
  facts: PredictionFacts;
  currencies: readonly CurrencyDays[];
}

export function predict(subject: Subject, calibration: Calibration, at: number): Prediction {
  const { facts } = subject;
  const { version: calibrationVersion } = calibration;
  const history = historyOf(facts, at);
  const dropout = dropoutOf(calibration);
  if (history === null || dropout === null) {
    const reason = history === null ? 'no_orders' : 'not_identified';
    const values = valuesOf(subject, calibration, null);
    const none = { pAlive: null, orderProbability: null, expectedOrders: null };
    return { model: null, reason, calibrationVersion, ...none, values };
  }
  const { model, parameters } = dropout;
  const probabilityIn = (days: number) => orderProbability(model, parameters, history, days);
  const ordersIn = OFFSETS_DAYS.map((days) => expectedOrders(model, parameters, history, days));
  return {
    model,
    reason: null,
    calibrationVersion,
    pAlive: probabilityAlive(model, parameters, history),
    orderProbability: {
      next30Days: probabilityIn(30),
      next90Days: probabilityIn(90),
      next365Days: probabilityIn(365),
    },
    expectedOrders: {
      next30Days: ordersIn[0] ?? 0,
      next90Days: ordersIn[1] ?? 0,
      next365Days: ordersIn.at(-1) ?? 0,
    },
    values: valuesOf(subject, calibration, discounted(ordersIn)),
  };
}

export interface PredictInput {
  subjects: readonly Subject[];
  calibration: Calibration;
  at: number;
}

/** Many at once, for another thread. */
export function predictAll({ subjects, calibration, at }: PredictInput): Prediction[] {
  return subjects.map((subject) => predict(subject, calibration, at));
}

/** Where orders are counted: at the horizons that are told, and often enough between to discount them. */
const OFFSETS_DAYS = [30, 90, 180, 270, HORIZON_DAYS];

/** x, t_x and T: age is exact time since the last order on top of whole days before it. */
function historyOf(facts: PredictionFacts, at: number): PurchaseHistory | null {
  const { purchaseDays, firstDay, lastDay, lastOrderAt } = facts;
  if (purchaseDays === 0 || firstDay === null || lastDay === null || lastOrderAt === null) return null;
  const spanDays = lastDay - firstDay;
  const silenceDays = Math.max(at - lastOrderAt, 0) / DAY_MS;
  return { repeats: purchaseDays - 1, spanDays, ageDays: spanDays + silenceDays };
}

/** The orders of each stretch are worth what they are in its middle. */
function discounted(ordersIn: readonly number[]): number {
  let total = 0;
  let before = 0;
  let from = 0;
  for (const [i, to] of OFFSETS_DAYS.entries()) {
    const orders = ordersIn[i] ?? before;
    total += (orders - before) / (1 + DISCOUNT_PER_YEAR) ** ((from + to) / 2 / 365);
    before = orders;
    from = to;
  }
  return total;
}

/**
 * By currency, the largest historic value first. Of the orders to come as many are expected in a currency as its
 * share in the purchase days so far; with one currency that is all of them.
 */
function valuesOf(
  { facts, currencies }: Subject,
  { spend }: Calibration,
  orders: number | null,
): ValuePrediction[] {
  const values = currencies.map(({ currency, days, repeatDays, repeatMinor }): ValuePrediction => {
    const parameters = Object.hasOwn(spend, currency) ? spend[currency] : undefined;
    const mean = repeatMinor > 0 ? repeatMinor / repeatDays : 0;
    const expected =
      parameters === undefined ? null : expectedSpend(parameters, mean > 0 ? repeatDays : 0, mean);
    const share = facts.purchaseDays > 0 ? Math.min(days / facts.purchaseDays, 1) : 0;
    return {
      currency,
      historicMinor: facts.spend[currency] ?? 0,
      expectedOrderMinor: expected === null ? null : minor(expected),
      futureMinor: expected === null || orders === null ? null : minor(orders * share * expected),
    };
  });
  return values.sort((a, b) => b.historicMinor - a.historicMinor || (a.currency < b.currency ? -1 : 1));
}

/** A fit to a few odd customers can expect more than money is counted up to. */
function minor(amount: number): number {
  return Math.min(Math.round(amount), Number.MAX_SAFE_INTEGER);
}
