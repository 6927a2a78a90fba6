// Owns the year that the demo lives through: day by day the clock, that day's orders, a tick; up to the cut.
// Does not own how it is shown (show.ts), nor what is made of its end (outcome.ts).

import { DAY_MS } from '../../src/lifecycle/calendar.js';
import type { Transition } from '../../src/transitions/schemas.js';
import type { Api } from '../api-client.js';
import { groupBy } from './grouping.js';
import { afterMoves, type Move, noStages, type StageCounts } from './ledger.js';
import type { Purchase } from './purchases.js';
import type { DemoService } from './service.js';

/** The day before the first purchase: the tenant, its policy and its webhook endpoint are there by then. */
export const OPENING_MS = Date.UTC(1996, 11, 31);
export const CUT_MS = Date.UTC(1997, 8, 30);
export const HOLDOUT_DAYS = 39 * 7;
export const NAMESPACE = 'cdnow';
const DAYS = (CUT_MS - OPENING_MS) / DAY_MS;

export const POLICY = {
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

/** A day's end, as the ledger has it. */
export interface Day {
  /** `1997-01-01`. */
  date: string;
  stages: StageCounts;
}

export interface Week {
  lastDay: Day;
  ordersSent: number;
  moves: Move[];
  webhooksReceived: number;
}

export interface SimulationDeps {
  service: DemoService;
  api: Api;
  signal: AbortSignal;
  webhooksReceived: () => number;
  onDay: (date: string, progress: { done: number; of: number }) => void;
  onWeek: (week: Week) => void;
}

const BATCH_ITEMS_MAX = 1_000;

/** Lives through the days up to the cut; answers how many customers stood where at the end of each. */
export async function simulate(purchases: readonly Purchase[], deps: SimulationDeps): Promise<Day[]> {
  const { service, api, signal, onDay, onWeek } = deps;
  const ordersOf = groupBy(purchases, ({ placedAtMs }) => placedAtMs);
  const days: Day[] = [{ date: dateOf(OPENING_MS), stages: noStages() }];
  let week = { ordersSent: 0, days: 0, webhooksBefore: 0 };
  for (let done = 1; done <= DAYS; done += 1) {
    signal.throwIfAborted();
    const nowMs = OPENING_MS + done * DAY_MS;
    const orders = ordersOf.get(nowMs) ?? [];
    service.setClock(nowMs);
    await sendOrders(api, orders);
    await service.tick();
    week = { ...week, ordersSent: week.ordersSent + orders.length, days: week.days + 1 };
    onDay(dateOf(nowMs), { done, of: DAYS });
    if (week.days < 7 && done < DAYS) continue;
    const moves = await readMoves(api, nowMs - (week.days - 1) * DAY_MS, nowMs + DAY_MS);
    days.push(...daysOf(moves, days.at(-1), { endMs: nowMs, count: week.days }));
    const received = deps.webhooksReceived();
    const webhooksReceived = received - week.webhooksBefore;
    onWeek({ lastDay: last(days), ordersSent: week.ordersSent, moves, webhooksReceived });
    week = { ordersSent: 0, days: 0, webhooksBefore: received };
  }
  return days;
}

export function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

interface BatchResult {
  results: { status: number; problem?: { detail?: string } }[];
}

async function sendOrders(api: Api, purchases: readonly Purchase[]): Promise<void> {
  for (let start = 0; start < purchases.length; start += BATCH_ITEMS_MAX) {
    const sent = purchases.slice(start, start + BATCH_ITEMS_MAX);
    const { results } = await api.post<BatchResult>('/v1/orders/batch', { items: sent.map(orderOf) });
    const failed = results.findIndex(({ status }) => status !== 201);
    if (failed === -1 && results.length === sent.length) continue;
    const why = results[failed]?.problem?.detail ?? 'it was not answered';
    throw new Error(`the order of row ${sent[failed]?.row} was not recorded: ${why}`);
  }
}

function orderOf({ row, customer, placedAtMs, amountMinor }: Purchase) {
  return {
    externalId: { namespace: NAMESPACE, id: String(row) },
    customer: { externalIds: [{ namespace: NAMESPACE, id: customer }] },
    placedAt: new Date(placedAtMs).toISOString(),
    amountMinor,
    currency: 'USD',
  };
}

function readMoves(api: Api, fromMs: number, toMs: number): Promise<Transition[]> {
  const range = `effectiveFrom=${new Date(fromMs).toISOString()}&effectiveTo=${new Date(toMs).toISOString()}`;
  return api.list<Transition>(`/v1/transitions?${range}`);
}

/** The ends of `count` days up to that of `endMs`, from the end of the day before them. */
function daysOf(
  moves: readonly Move[],
  before: Day | undefined,
  { endMs, count }: { endMs: number; count: number },
) {
  const movesOf = groupBy(moves, ({ effectiveAt }) => effectiveAt.slice(0, 10));
  let stages = before?.stages ?? noStages();
  return Array.from({ length: count }, (_, index): Day => {
    const date = dateOf(endMs - (count - 1 - index) * DAY_MS);
    stages = afterMoves(stages, movesOf.get(date) ?? []);
    return { date, stages };
  });
}

function last(days: readonly Day[]): Day {
  const day = days.at(-1);
  if (day === undefined) throw new Error('there is no day yet');
  return day;
}
