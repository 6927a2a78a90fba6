// Owns the API shapes of fits and of what was fitted, and how rows become them. Does not own those of a
// customer's predictions (customers/).

import Type, { type Static, type TSchema } from 'typebox';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import { Currency, count, page, Timestamp, Uuid, Version } from '../api/shapes.js';
import { DROPOUT_REFUSALS } from '../lifecycle/models/dropoutFit.js';
import { type FittedDropout, type FittedModel, inUseOf } from '../lifecycle/models/fitted.js';
import { SPEND_REFUSALS } from '../lifecycle/models/spendFit.js';
import type { CalibrationRow } from '../policies/service.js';
import type { FitRow } from './fits-store.js';
import type { PredictionWalk } from './predictions-store.js';
import { FIT_STAGES, FIT_STATUSES } from './table.js';

export const Fit = shared(
  'ModelFit',
  closed(
    {
      id: ref(Uuid),
      status: choice(FIT_STATUSES, { description: '`failed` after three tries; ask for another.' }),
      stage: nullable(choice(FIT_STAGES), {
        description: 'How far it is, or was when it last failed; null before it begins and once it is done.',
      }),
      attempts: count(),
      calibrationVersion: nullable(ref(Version), { description: 'The version that it has made.' }),
      createdAt: ref(Timestamp),
      startedAt: nullable(ref(Timestamp)),
      finishedAt: nullable(ref(Timestamp)),
    },
    { description: 'A fit of all models to the tenant’s orders.' },
  ),
);
export type Fit = Static<typeof Fit>;

export const FitPage = shared('ModelFitPage', page(ref(Fit)));
export type FitPage = Static<typeof FitPage>;

const REASONS = [...new Set([...DROPOUT_REFUSALS, ...SPEND_REFUSALS, 'too_few_gaps', 'not_fitted'] as const)];

const figure = (description?: string) => Type.Number(description === undefined ? {} : { description });
const cadenceFigures = { r: figure(), alphaDays: figure('In days.') };
const dropoutFigures = { ...cadenceFigures, a: figure(), b: figure() };
const spendFigures = { p: figure(), q: figure(), v: figure('In minor units of the currency.') };

const judged = {
  logLikelihood: nullable(Type.Number()),
  customers: count({ description: 'How many customers it was fitted to.' }),
  identified: Type.Boolean({
    description: 'Whether the data say what the parameters are. Where not, nothing is computed from them.',
  }),
  reason: nullable(choice(REASONS), {
    description:
      'Why not. `too_few_customers`: below 500 with an order, or 50 with a repeat order for spend. ' +
      '`history_too_short`: below 180 days. `too_few_repeaters`: below 50 customers with three purchase days. ' +
      '`too_few_gaps`: below 50 gaps between purchase days. `dropout_not_identified`: a model in which nobody ' +
      'is ever lost explains the orders as well. `no_expectation`: some customers would be expected to spend ' +
      'without limit. `did_not_converge`: the likelihood has no top. `not_fitted`: made before there was this model.',
  }),
};

function model<T extends Record<string, TSchema>>(figures: T) {
  return {
    parameters: nullable(closed(figures)),
    standardErrors: nullable(closed(figures), { description: 'Null where the data do not say.' }),
    ...judged,
  };
}

export const DropoutFitted = shared(
  'DropoutModel',
  closed({
    ...model(dropoutFigures),
    inUse: nullable(closed({ parameters: closed(dropoutFigures), calibrationVersion: ref(Version) }), {
      description:
        'What rules decide by: this fit where dropout is identified, else the last one in which it was, with the ' +
        'version that it made. Null: there is none, and such rules never hold.',
    }),
  }),
);

export const CurrentModels = shared(
  'CurrentModels',
  closed(
    {
      calibrationVersion: ref(Version),
      effectiveFrom: ref(Timestamp),
      window: nullable(
        closed({
          from: nullable(Type.String({ format: 'date', maxLength: 10 })),
          to: Type.String({ format: 'date', maxLength: 10 }),
          days: count(),
        }),
        { description: 'From the first purchase day to the day of the fit.' },
      ),
      customers: count({ description: 'Customers with a counting order.' }),
      cadence: closed({
        parameters: closed({ ...cadenceFigures, medianGapDays: figure() }),
        standardErrors: nullable(closed(cadenceFigures)),
        completedGaps: count(),
        ...judged,
        customers: nullable(count(), {
          description:
            'How many customers it was fitted to: those with a gap. Null in a version that did not keep it.',
        }),
      }),
      bg: ref(DropoutFitted, { description: 'BG/NBD.' }),
      mbg: ref(DropoutFitted, { description: 'MBG/NBD.' }),
      spend: Type.Array(closed({ currency: ref(Currency), ...model(spendFigures) }), {
        maxItems: 20,
        description: 'Gamma-gamma, for the currencies with the most customers.',
      }),
      predictions: closed(
        {
          computedAt: nullable(ref(Timestamp), {
            description: 'As of when the figures are that lists are filtered by.',
          }),
          running: Type.Boolean(),
          customersDone: count({ description: 'Of the walk under way, or the last one.' }),
          nextAt: nullable(ref(Timestamp), { description: 'Null while no model is identified.' }),
        },
        { description: 'The walk that predicts every customer: after each new calibration and once a day.' },
      ),
    },
    { description: 'The newest calibration, whole: what was fitted, how surely, and whether it is used.' },
  ),
);
export type CurrentModels = Static<typeof CurrentModels>;

/** For registration. */
export const MODEL_SCHEMAS: Shared[] = [Fit, FitPage, DropoutFitted, CurrentModels];

export function toApiFit(row: FitRow): Fit {
  const { id, status, stage, attempts, calibrationVersion, createdAt, startedAt, finishedAt } = row;
  return {
    ...{ id, status, stage, attempts, calibrationVersion },
    createdAt: createdAt.toISOString(),
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: finishedAt?.toISOString() ?? null,
  };
}

export function toApiCurrent(row: CalibrationRow, walk: PredictionWalk | undefined): CurrentModels {
  const { version, effectiveFrom, models, customers, r, alphaDays, medianGapDays, completedGaps } = row;
  const isFitted = row.method === 'mle';
  return {
    calibrationVersion: version,
    effectiveFrom: effectiveFrom.toISOString(),
    window: models?.window ?? null,
    customers,
    cadence: {
      parameters: { r, alphaDays, medianGapDays },
      standardErrors: models?.cadence.standardErrors ?? null,
      completedGaps,
      logLikelihood: row.logLikelihood,
      customers: models?.cadence.customers ?? null,
      identified: isFitted,
      reason: isFitted ? null : 'too_few_gaps',
    },
    bg: toApiDropout(models?.bg ?? NOT_FITTED, version),
    mbg: toApiDropout(models?.mbg ?? NOT_FITTED, version),
    spend: Object.entries(models?.spend ?? {}).map(([currency, fit]) => {
      return { currency: currency as Static<typeof Currency>, ...toApiModel(fit) };
    }),
    predictions: {
      computedAt: walk?.finishedAt?.toISOString() ?? null,
      running: walk !== undefined && (walk.startedAt !== null || walk.cursor !== null),
      customersDone: walk?.customersDone ?? 0,
      nextAt: walk?.startedAt === null ? (walk.dueAt?.toISOString() ?? null) : null,
    },
  };
}

const NOT_FITTED: FittedModel<never> = {
  ...{ parameters: null, standardErrors: null, logLikelihood: null },
  ...{ customers: 0, identified: false, reason: 'not_fitted' },
};

function toApiDropout({ kept, ...fit }: FittedDropout, version: number) {
  const used = inUseOf({ ...fit, kept }, version);
  const inUse = used === null ? null : { parameters: used.parameters, calibrationVersion: used.version };
  return { ...toApiModel(fit), inUse };
}

/** The core's word for a reason is free text in its stored form; those that it has are in REASONS. */
function toApiModel<Parameters>({ reason, ...fit }: FittedModel<Parameters>) {
  return { ...fit, reason: REASONS.find((each) => each === reason) ?? null };
}
