// Owns reading what was: where customers stood at an instant, as it was known at an instant, and how many stood
// where. Writes nothing. Does not own where they stand now (service.ts).

import type { Instants } from '../api/as-of.js';
import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Executor } from '../db/executor.js';
import { NotFoundError } from '../errors.js';
import type { StageDefinition } from '../lifecycle/stages.js';
import type { CompiledTimeline } from '../lifecycle/timeline.js';
import {
  countStageMoves,
  countStages,
  countStagesAsOf,
  findKnown,
  type KnownCustomer,
  listAsOf,
  type PastFilter,
  policyVersionAsOf,
  rowsAround,
  type StageCount,
} from './as-of-store.js';
import type { CustomerPage } from './customer-list-store.js';
import type { LedgerView } from './feed-store.js';
import { fromDbListed } from './rows.js';
import { countsFrom } from './series.js';
import type { Ref } from './store.js';
import type { Timelines } from './timeline.js';
import type { ListedCustomer } from './work.js';

export { PAST_FIELDS, type PastFilter } from './as-of-store.js';

/** Where a customer stood; `current` is undefined where they had no stage yet. */
export interface PastStanding extends KnownCustomer {
  previous: LedgerView | undefined;
  current: LedgerView | undefined;
  next: LedgerView | undefined;
}

/** Of a stage that is in no lifecycle of the tenant, labels and kind are not known. */
export type CountedStage = { key: string } & Partial<StageDefinition>;

export interface Counts {
  policyVersion: number;
  /** In the lifecycle's order, those that nobody is in included; then what the lifecycle has no more. */
  stages: CountedStage[];
  /** By the keys of stages. */
  customers: ReadonlyMap<string, number>;
  /** The same at each of the points that were asked for. */
  series: ReadonlyMap<string, number>[];
}

export interface CountsAsked {
  instants: Instants;
  /** Whether neither instant was said: then everybody is counted where they stand. */
  live: boolean;
  points: readonly Date[];
}

export interface AsOfReading {
  /** Customers who had a stage, newest customers first. */
  list(
    executor: Executor,
    tenantId: string,
    filter: PastFilter & Instants,
    page: CustomerPage,
  ): Promise<ListedCustomer[]>;
  standing(context: Context, ref: Ref, instants: Instants): Promise<PastStanding>;
  counts(context: Context, asked: CountsAsked): Promise<Counts>;
}

export interface AsOfDeps {
  database: Database;
  timelines: Timelines;
}

export function createAsOfReading({ database, timelines }: AsOfDeps): AsOfReading {
  return {
    async list(executor, tenantId, filter, page) {
      const rows = await listAsOf(executor, tenantId, filter, page);
      return rows.map(fromDbListed);
    },

    standing: ({ tenantId }, ref, instants) =>
      database.read(tenantId, async (executor) => {
        const customer = await findKnown(executor, tenantId, ref, instants.knownAt);
        if (customer === undefined) {
          throw new NotFoundError('customer_not_found', 'There is no such customer.');
        }
        const rows = await rowsAround(executor, tenantId, customer.id, instants);
        return { ...customer, ...placed(rows, instants.asOf.getTime()) };
      }),

    counts: ({ tenantId }, { instants, live, points }) =>
      database.read(tenantId, async (executor) => {
        const [policyVersion, timeline, counted, moves] = await Promise.all([
          policyVersionAsOf(executor, tenantId, instants),
          timelines.of(executor, tenantId),
          live ? countStages(executor, tenantId) : countStagesAsOf(executor, tenantId, instants),
          points.length === 0 ? [] : countStageMoves(executor, tenantId, points, instants.knownAt),
        ]);
        const series = countsFrom(moves, points.length);
        const met = [...counted.map(({ stage }) => stage), ...series.flatMap((each) => [...each.keys()])];
        return {
          policyVersion,
          stages: stagesOf(timeline, policyVersion, met),
          customers: customersOf(counted),
          series,
        };
      }),
  };
}

/** At most one row is in effect from any instant on, so the rows have one order. */
function placed(rows: readonly LedgerView[], asOf: number): Omit<PastStanding, keyof KnownCustomer> {
  const [current, previous] = rows
    .filter(({ effectiveAt }) => effectiveAt <= asOf)
    .toSorted((a, b) => b.effectiveAt - a.effectiveAt);
  return { current, previous, next: rows.find(({ effectiveAt }) => effectiveAt > asOf) };
}

function customersOf(counted: readonly StageCount[]): Map<string, number> {
  return new Map(counted.map(({ stage, customers }) => [stage, customers]));
}

/** A stage that has been edited away is known from the newest version that had it. */
function stagesOf(timeline: CompiledTimeline, policyVersion: number, met: string[]): CountedStage[] {
  const { stages } = timeline.lifecycleOf(policyVersion);
  const keys = new Set(stages.map(({ key }) => key));
  const others = [...new Set(met)].filter((key) => !keys.has(key)).sort();
  const lifecycles = timeline.segments.map((segment) => timeline.lifecycleOf(segment.policyVersion));
  const definitionOf = (key: string) =>
    lifecycles
      .toReversed()
      .flatMap((lifecycle) => lifecycle.stages)
      .find((stage) => stage.key === key);
  return [...stages, ...others.map((key): CountedStage => definitionOf(key) ?? { key })];
}
