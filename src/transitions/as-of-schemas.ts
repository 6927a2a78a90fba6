// Owns the API shapes of what was: a customer's stage at an instant, and how many were in each stage.

import Type, { type Static } from 'typebox';
import { asOfQuery, type Instants } from '../api/as-of.js';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import { count, stageKey, Timestamp, TimestampInput, text, Uuid, Version } from '../api/shapes.js';
import { STAGE_KINDS } from '../lifecycle/stages.js';
import { Transition, toApiTransition } from './schemas.js';
import { POINTS_MAX, SERIES_STEPS, type SeriesStep } from './series.js';
import type { Counts, PastStanding } from './service.js';

const STAGE_KEY = '^[A-Za-z][A-Za-z0-9_.-]{0,63}$';
/** More than all lifecycles of a tenant together have. */
const STAGES_MAX = 1_000;

const row = (description: string) => nullable(ref(Transition), { description });

export const CustomerStage = shared(
  'CustomerStage',
  closed(
    {
      customerId: ref(Uuid),
      asOf: ref(Timestamp),
      knownAt: ref(Timestamp),
      known: Type.Boolean({ description: 'Whether anything was recorded of the customer by `knownAt`.' }),
      stage: nullable(stageKey(), {
        description: 'Null where the customer had no stage yet, as far as was known.',
      }),
      since: nullable(ref(Timestamp), { description: 'When that stage came into effect.' }),
      transition: row('The ledger’s row that was in effect, with its evidence.'),
      previous: row('The row before it; null for a first row.'),
      next: row('The row after it, where one was known.'),
      version: ref(Version, { description: 'The customer’s version today; it is the ETag.' }),
    },
    { description: 'Where a customer stood at `asOf`, by what was known at `knownAt`.' },
  ),
);
export type CustomerStage = Static<typeof CustomerStage>;

export const StageCount = shared(
  'StageCount',
  closed({
    key: stageKey('The key of a stage.'),
    labels: nullable(closed({ en: text({ max: 200 }), zh: text({ max: 200 }) }), {
      description: 'Null for a stage that no lifecycle of the tenant has.',
    }),
    kind: nullable(choice(STAGE_KINDS)),
    customers: count({ description: 'How many were in it.' }),
  }),
);

export const StageSeriesPoint = shared(
  'StageSeriesPoint',
  closed({
    at: ref(Timestamp),
    total: count(),
    customers: Type.Record(Type.String({ pattern: STAGE_KEY, maxLength: 64 }), count(), {
      maxProperties: STAGES_MAX,
      additionalProperties: false,
      description: 'How many were in each stage, by its key; every stage of `stages` is there.',
    }),
  }),
);

export const StageCounts = shared(
  'StageCounts',
  closed({
    asOf: ref(Timestamp),
    knownAt: ref(Timestamp),
    policyVersion: count({ description: 'The policy that was in force then; 0 before the first.' }),
    total: count({ description: 'Customers who had a stage.' }),
    stages: Type.Array(ref(StageCount), {
      maxItems: STAGES_MAX,
      description:
        'The stages of that policy’s lifecycle in their order, those without customers too; then others that ' +
        'customers were in.',
    }),
    series: nullable(Type.Array(ref(StageSeriesPoint), { maxItems: POINTS_MAX }), {
      description: 'Null unless `from` is given.',
    }),
  }),
);
export type StageCounts = Static<typeof StageCounts>;

export const stageQuery = closed(asOfQuery);

export const stageCountsQuery = closed({
  ...asOfQuery,
  from: Type.Optional(
    ref(TimestampInput, {
      description: `Asks for a series that begins at this instant: at most ${POINTS_MAX} points.`,
    }),
  ),
  to: Type.Optional(
    ref(TimestampInput, { description: 'The series has no point after this instant; `asOf` without it.' }),
  ),
  step: Type.Optional(
    choice(SERIES_STEPS, {
      description:
        'From one point to the next: 24 hours, 7 times 24 hours, or to the same day of the next month in UTC ' +
        '(or that month’s last day). A day without it. Points are instants; time zones have no part in them.',
    }),
  ),
});
export interface StageCountsQuery {
  asOf?: string;
  knownAt?: string;
  from?: string;
  to?: string;
  step?: SeriesStep;
}

export const AS_OF_SCHEMAS: Shared[] = [CustomerStage, StageCount, StageSeriesPoint, StageCounts];

export function toApiStage(standing: PastStanding, { asOf, knownAt }: Instants): CustomerStage {
  const { id, version, known, current, previous, next } = standing;
  const shown = (view: PastStanding['current']) => (view === undefined ? null : toApiTransition(view));
  return {
    customerId: id,
    asOf: asOf.toISOString(),
    knownAt: knownAt.toISOString(),
    known,
    stage: current?.to ?? null,
    since: current === undefined ? null : new Date(current.effectiveAt).toISOString(),
    transition: shown(current),
    previous: shown(previous),
    next: shown(next),
    version,
  };
}

export function toApiCounts(
  { policyVersion, stages, customers, series }: Counts,
  { asOf, knownAt }: Instants,
  points: readonly Date[] | null,
): StageCounts {
  const keys = stages.map(({ key }) => key);
  return {
    asOf: asOf.toISOString(),
    knownAt: knownAt.toISOString(),
    policyVersion,
    total: totalOf(customers),
    stages: stages.map(({ key, labels = null, kind = null }) => {
      return { key, labels, kind, customers: customers.get(key) ?? 0 };
    }),
    series:
      points?.map((at, index) => {
        const counted = series[index] ?? new Map<string, number>();
        return {
          at: at.toISOString(),
          total: totalOf(counted),
          customers: Object.fromEntries(keys.map((key) => [key, counted.get(key) ?? 0])),
        };
      }) ?? null,
  };
}

function totalOf(customers: ReadonlyMap<string, number>): number {
  return [...customers.values()].reduce((sum, each) => sum + each, 0);
}
