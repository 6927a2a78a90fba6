// Owns what the demo finds at the cut: where everybody stands, whether the partner heard of everything, and
// what the weeks after it brought. All of it is read through the API, as any client could. Does not own how it
// is shown (show.ts).

import type { Customer } from '../../src/customers/schemas.js';
import { DAY_MS } from '../../src/lifecycle/calendar.js';
import type { Delivery } from '../../src/outbox/schemas.js';
import type { Transition } from '../../src/transitions/schemas.js';
import type { Api } from '../api-client.js';
import { groupBy } from './grouping.js';
import { countMoves, noStages, type StageCounts } from './ledger.js';
import type { Purchase, PurchaseLog } from './purchases.js';
import type { Received } from './receiver.js';
import { CUT_MS, HOLDOUT_DAYS, NAMESPACE } from './simulation.js';

/** What `--json` prints. */
export interface Report {
  /** Of the whole log, though sending stops at the cut. */
  customers: number;
  orders: number;
  purchaseDays: number;
  /** Customers at the cut, by stage. */
  stages: StageCounts;
  /** Rows of the ledger in force, by `from→to`. */
  transitions: Record<string, number>;
  webhooks: { sent: number; received: number; verified: number; duplicates: number };
  churn: Churn;
  seconds: number;
}

/** "Churned at the cut" against "no purchase in the weeks after it". */
export interface Churn {
  /** Churned, and bought nothing. */
  tp: number;
  /** Churned, but bought. */
  fp: number;
  /** Not churned, but bought nothing. */
  fn: number;
  /** Not churned, and bought. */
  tn: number;
}

/** One customer at the cut, with all that the ledger and the log have of them. */
export interface Person {
  /** The shop's own id. */
  name: string;
  stage: string;
  /** Oldest first. */
  history: Transition[];
  ordersBefore: number;
  ordersAfter: number;
}

export interface Outcome {
  report: Omit<Report, 'seconds'>;
  people: Person[];
}

export interface OutcomeDeps {
  api: Api;
  log: PurchaseLog;
  endpointId: string;
  received: Received;
}

export async function findOutcome({ api, log, endpointId, received }: OutcomeDeps): Promise<Outcome> {
  const customers = await api.list<Customer>('/v1/customers');
  const ledger = await api.list<Transition>('/v1/transitions');
  const succeeded = `/v1/webhook-endpoints/${endpointId}/deliveries?status=succeeded`;
  const sent = (await api.list<Delivery>(succeeded)).length;
  const people = meet(customers, ledger, log.purchases);
  const { verified, duplicates } = received;
  const report = {
    customers: log.customers,
    orders: log.purchases.length,
    purchaseDays: log.purchaseDays,
    stages: countStages(people),
    transitions: countMoves(ledger),
    webhooks: { sent, received: received.received, verified, duplicates },
    churn: judge(people),
  };
  return { report, people };
}

/** Why the partner has not heard exactly once of every transition; empty where they have. */
export function findGaps({ transitions, webhooks }: Pick<Report, 'transitions' | 'webhooks'>): string[] {
  const told = Object.values(transitions).reduce((sum, count) => sum + count, 0);
  const gaps: string[] = [];
  if (webhooks.sent !== told) gaps.push(`${told} transitions, but ${webhooks.sent} webhooks were delivered`);
  if (webhooks.received !== webhooks.sent) gaps.push(`${webhooks.received} webhooks arrived`);
  if (webhooks.verified !== webhooks.received) gaps.push(`${webhooks.verified} signatures were right`);
  if (webhooks.duplicates > 0) gaps.push(`${webhooks.duplicates} webhooks arrived twice`);
  return gaps;
}

function meet(
  customers: readonly Customer[],
  ledger: readonly Transition[],
  purchases: readonly Purchase[],
): Person[] {
  const histories = groupBy(ledger, ({ customerId }) => customerId);
  const orders = groupBy(purchases, ({ customer }) => customer);
  return customers.map(({ id, stage, externalIds }): Person => {
    const name = externalIds.find(({ namespace }) => namespace === NAMESPACE)?.id ?? id;
    const placed = (orders.get(name) ?? []).map(({ placedAtMs }) => placedAtMs);
    return {
      name,
      stage,
      history: (histories.get(id) ?? []).toReversed(),
      ordersBefore: placed.filter((ms) => ms <= CUT_MS).length,
      ordersAfter: placed.filter((ms) => ms > CUT_MS && ms <= CUT_MS + HOLDOUT_DAYS * DAY_MS).length,
    };
  });
}

function countStages(people: readonly Person[]): StageCounts {
  const counts = noStages();
  for (const { stage } of people) counts[stage] = (counts[stage] ?? 0) + 1;
  return counts;
}

function judge(people: readonly Person[]): Churn {
  const churn: Churn = { tp: 0, fp: 0, fn: 0, tn: 0 };
  for (const { stage, ordersAfter } of people) {
    if (stage === 'churned') churn[ordersAfter === 0 ? 'tp' : 'fp'] += 1;
    else churn[ordersAfter === 0 ? 'fn' : 'tn'] += 1;
  }
  return churn;
}
