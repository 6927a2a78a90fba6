// Owns the API shapes of policies, calibrations and recomputations. Does not own the policy's own schema,
// which the core keeps beside its meaning (lifecycle/policy.ts).

import Type, { type Static } from 'typebox';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import { count, page, pageQuery, Timestamp, TimestampInput, text, Uuid, Version } from '../api/shapes.js';
import { ConditionSchema } from '../lifecycle/conditions.js';
import { type Policy, PolicySchema } from '../lifecycle/policy.js';
import type { Activation, Live } from './service.js';
import type { CalibrationRow, PolicyRow, Recomputation as RecomputationRow } from './store.js';

const policy = () => Type.Unsafe<Policy>({ $ref: 'Policy#' });

export const Calibration = shared(
  'Calibration',
  closed(
    {
      version: ref(Version),
      effectiveFrom: ref(Timestamp),
      r: Type.Number({ exclusiveMinimum: 0 }),
      alphaDays: Type.Number({ exclusiveMinimum: 0 }),
      medianGapDays: Type.Number({ minimum: 0 }),
      completedGaps: count(),
      customers: count({ description: 'Customers with a counting order.' }),
      method: choice(['mle', 'fallback'], { description: '`fallback` below 50 completed gaps.' }),
      logLikelihood: nullable(Type.Number()),
      createdAt: ref(Timestamp),
    },
    {
      description: 'The tenant’s cadence: the distribution of gaps between purchases over all its customers.',
    },
  ),
);

export const PolicyVersion = shared(
  'PolicyVersion',
  closed({
    version: ref(Version),
    effectiveFrom: nullable(ref(Timestamp), { description: 'Null: from the beginning of time.' }),
    policy: policy(),
    backfill: Type.Boolean(),
    activatedBy: text({ max: 300 }),
    createdAt: ref(Timestamp),
  }),
);

export const LivePolicy = shared(
  'LivePolicy',
  closed({
    version: ref(Version),
    effectiveFrom: nullable(ref(Timestamp), { description: 'Null: from the beginning of time.' }),
    policy: policy(),
    backfill: Type.Boolean(),
    activatedBy: text({ max: 300 }),
    createdAt: ref(Timestamp),
    calibration: nullable(ref(Calibration), { description: 'Null before the first fit.' }),
  }),
);

export const PolicyActivation = shared(
  'PolicyActivation',
  closed({
    policy: policy(),
    effectiveFrom: Type.Optional(
      Type.Union([choice(['now', 'beginning']), ref(TimestampInput)], {
        description: '`now` unless it is said; a past instant, or `beginning`, decides the past anew.',
      }),
    ),
    backfill: Type.Optional(
      Type.Boolean({ default: false, description: 'No webhook goes out for what it changes.' }),
    ),
  }),
);

export const Recomputation = shared(
  'Recomputation',
  closed(
    {
      id: ref(Uuid),
      cause: choice(['policy', 'calibration']),
      version: ref(Version),
      backfill: Type.Boolean(),
      customersDone: count(),
      createdAt: ref(Timestamp),
      finishedAt: nullable(ref(Timestamp), { description: 'Null while it is under way.' }),
    },
    { description: 'The walk over all customers that a new version asks for.' },
  ),
);

export const PolicyPage = shared('PolicyPage', page(ref(PolicyVersion)));
export const CalibrationPage = shared('CalibrationPage', page(ref(Calibration)));
export const RecomputationPage = shared('RecomputationPage', page(ref(Recomputation)));

export const versionPath = closed({
  version: Type.Integer({ format: 'int32', minimum: 1, maximum: 2_147_483_647 }),
});
export const listQuery = closed(pageQuery);

export const POLICY_SCHEMAS: Shared[] = [
  ConditionSchema as unknown as Shared,
  PolicySchema as unknown as Shared,
  Calibration,
  PolicyVersion,
  LivePolicy,
  PolicyActivation,
  Recomputation,
  PolicyPage,
  CalibrationPage,
  RecomputationPage,
];

export function fromApiActivation(
  body: Static<typeof PolicyActivation>,
  expected: number | null | undefined,
  now: Date,
): Activation {
  const { policy: rules, effectiveFrom = 'now', backfill = false } = body;
  const from = effectiveFrom === 'now' ? now : effectiveFrom === 'beginning' ? null : new Date(effectiveFrom);
  return { policy: rules, effectiveFrom: from, backfill, expected };
}

export function toApiPolicy(row: PolicyRow): Static<typeof PolicyVersion> {
  const { version, effectiveFrom, policy: rules, backfill, activatedBy, createdAt } = row;
  return {
    version,
    effectiveFrom: effectiveFrom?.toISOString() ?? null,
    policy: rules,
    backfill,
    activatedBy,
    createdAt: createdAt.toISOString(),
  };
}

export function toApiLive({ row, calibration }: Live): Static<typeof LivePolicy> {
  return {
    ...toApiPolicy(row),
    calibration: calibration === undefined ? null : toApiCalibration(calibration),
  };
}

export function toApiCalibration(row: CalibrationRow): Static<typeof Calibration> {
  return { ...row, effectiveFrom: row.effectiveFrom.toISOString(), createdAt: row.createdAt.toISOString() };
}

export function toApiRecomputation(row: RecomputationRow): Static<typeof Recomputation> {
  const { id, cause, version, backfill, customersDone, createdAt, finishedAt } = row;
  return {
    id,
    cause,
    version,
    backfill,
    customersDone,
    createdAt: createdAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null,
  };
}
