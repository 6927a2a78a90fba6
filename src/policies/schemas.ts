// Owns the API shapes of calibrations and recomputations. Does not own those of policies (policy-schemas.ts).

import Type, { type Static } from 'typebox';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import { count, page, pageQuery, Timestamp, Uuid, Version } from '../api/shapes.js';
import type { Recomputation as RecomputationRow } from './recomputations-store.js';
import type { CalibrationRow } from './store.js';

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

export const CalibrationPage = shared('CalibrationPage', page(ref(Calibration)));
export const RecomputationPage = shared('RecomputationPage', page(ref(Recomputation)));

export const listQuery = closed(pageQuery);

export const CALIBRATION_SCHEMAS: Shared[] = [Calibration, Recomputation, CalibrationPage, RecomputationPage];

export function toApiCalibration(row: CalibrationRow): Static<typeof Calibration> {
  // The models beside the cadence are told by /v1/models/current.
  const { models: _, effectiveFrom, createdAt, ...figures } = row;
  return { ...figures, effectiveFrom: effectiveFrom.toISOString(), createdAt: createdAt.toISOString() };
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
