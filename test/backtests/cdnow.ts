// A shop with the CDNOW purchases, sent through the API, and its backtests run to their end.

import type { Backtest } from '../../src/backtests/schemas.js';
import type { BacktestsService } from '../../src/backtests/service.js';
import type { TestService } from '../helpers/service.js';
import { readPurchases } from '../lifecycle/cdnow.js';

export const CUT = '1997-09-30T00:00:00.000Z';
/** To the last day of the purchases. */
export const HORIZON_DAYS = 273;
/** When the shop looks back. */
export const NOW = '1998-07-01T00:00:00.000Z';
const BATCH = 1_000;

export const FIXED_POLICY = {
  template: 'ecommerce',
  timeZone: 'UTC',
  rules: [
    { stage: 'churned', when: { type: 'silence', days: 91 } },
    { stage: 'declining', when: { type: 'silence', days: 45 } },
    { stage: 'mature', when: { type: 'orders', atLeast: 2 } },
    { stage: 'new', when: { type: 'orders', atLeast: 1 } },
  ],
  otherwise: 'prospect',
};

export async function sendPurchases(service: TestService): Promise<void> {
  const orders = [...readPurchases()].flatMap(([customer, purchases]) =>
    purchases.map(({ id, at, amountMinor, currency }) => ({
      externalId: { namespace: 'cdnow', id },
      customer: { externalIds: [{ namespace: 'cdnow', id: customer }] },
      placedAt: new Date(at).toISOString(),
      ...{ amountMinor, currency },
    })),
  );
  for (let start = 0; start < orders.length; start += BATCH) {
    const body = { items: orders.slice(start, start + BATCH), backfill: true };
    const answer = await service.inject('POST', '/v1/orders/batch', { body });
    const failed = answer.json().results.find(({ status }: { status: number }) => status !== 201);
    if (failed !== undefined) throw new Error(JSON.stringify(failed));
  }
}

export async function activate(service: TestService, policy: object): Promise<number> {
  const body = { policy, effectiveFrom: 'beginning', backfill: true };
  const answer = await service.inject('PUT', '/v1/policies/live', { body });
  if (answer.statusCode !== 200) throw new Error(answer.body);
  return answer.json().version;
}

export async function ask(
  service: TestService,
  policy: string | number,
  more: object = {},
): Promise<Backtest> {
  const body = { horizonDays: HORIZON_DAYS, cuts: [CUT], ...more };
  const answer = await service.inject('POST', `/v1/policies/${policy}/backtests`, { body });
  if (answer.statusCode !== 202) throw new Error(answer.body);
  return answer.json();
}

/** All that is due, run by run. */
export async function runAll(
  { services, clock }: TestService,
  backtests: Pick<BacktestsService, 'advance'> = services.backtests,
): Promise<void> {
  while ((await backtests.advance(clock.now())).more) {
    // Until there is nothing left.
  }
}

export async function backtestOf(service: TestService, policy: string | number, more: object = {}) {
  const { id } = await ask(service, policy, more);
  await runAll(service);
  return show(service, id);
}

export async function show(service: TestService, id: string): Promise<Backtest> {
  return (await service.inject('GET', `/v1/backtests/${id}`)).json();
}

export function reportIn({ report, status }: Backtest) {
  if (report === null) throw new Error(`the backtest is ${status}`);
  return report;
}

export function ruleIn<R extends { rule: string }>(rules: readonly R[], name: string): R {
  const rule = rules.find(({ rule }) => rule === name);
  if (rule === undefined) throw new Error(`there is no rule ${name}`);
  return rule;
}

export function countsOf({ tp, fp, fn, tn }: { tp: number; fp: number; fn: number; tn: number }) {
  return { tp, fp, fn, tn };
}
