// Owns the API shapes of backtests and how a row becomes one. Does not own those of their reports
// (report-schemas.ts).

import Type, { type Static } from 'typebox';
import { PATTERNS } from '../api/patterns.js';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import { count, page, Timestamp, TimestampInput, Uuid, Version } from '../api/shapes.js';
import type { BacktestReport } from '../lifecycle/backtest/report.js';
import { PolicyRefSchema } from '../policies/policy-ref.js';
import { BacktestReportShape, CUTS_MAX, REPORT_SCHEMAS } from './report-schemas.js';
import { ATTRIBUTE_PREFIX, SEGMENT_FIELDS } from './segment.js';
import type { BacktestRow } from './store.js';
import { BACKTEST_STATUSES } from './table.js';

const HORIZON_DAYS_MAX = 730;
const SEGMENT_BY_LENGTH_MAX = 120;

const segmentBy = (description: string) =>
  Type.String({
    pattern: `^(?:${SEGMENT_FIELDS.join('|')}|${ATTRIBUTE_PREFIX}[^\\u0000-\\u001f\\u007f-\\u009f]+)$`,
    maxLength: SEGMENT_BY_LENGTH_MAX,
    description,
  });

export const BacktestInput = shared(
  'BacktestInput',
  closed({
    horizonDays: Type.Integer({
      format: 'int32',
      minimum: 1,
      maximum: HORIZON_DAYS_MAX,
      description: 'How long after a cut an order shows that a customer had not churned.',
    }),
    cuts: Type.Array(ref(TimestampInput), {
      minItems: 1,
      maxItems: CUTS_MAX,
      description: 'Instants as of which everybody is judged; the horizon after each must be past.',
    }),
    segmentBy: Type.Optional(
      segmentBy(
        'Gives each figure by `channel`, `country`, `owner`, `kind` or `attribute:<key>` as well, by the profiles ' +
          'as they stand now.',
      ),
    ),
  }),
);
export type BacktestInput = Static<typeof BacktestInput>;

const summary = {
  id: ref(Uuid),
  version: ref(Version),
  policyVersion: nullable(ref(Version), { description: 'Null for a policy that has none yet.' }),
  horizonDays: count(),
  cuts: Type.Array(ref(Timestamp), { maxItems: CUTS_MAX, description: 'Rising.' }),
  segmentBy: nullable(segmentBy('What the segments are made by.')),
  status: choice(BACKTEST_STATUSES),
  customersDone: count(),
  customersTotal: nullable(count(), { description: 'Null until it has begun.' }),
  createdAt: ref(Timestamp),
  startedAt: nullable(ref(Timestamp)),
  finishedAt: nullable(ref(Timestamp)),
};

export const BacktestSummary = shared(
  'BacktestSummary',
  closed(summary, { description: 'A backtest without its report.' }),
);
export type BacktestSummary = Static<typeof BacktestSummary>;

export const Backtest = shared(
  'Backtest',
  closed(
    { ...summary, report: nullable(ref(BacktestReportShape), { description: 'Null until it is done.' }) },
    { description: 'A policy tried on the tenant’s own history.' },
  ),
);
export type Backtest = Static<typeof Backtest>;

export const BacktestPage = shared('BacktestPage', page(ref(BacktestSummary)));
export type BacktestPage = Static<typeof BacktestPage>;

export const policyPath = closed({ id: ref(PolicyRefSchema) });

const download = (maxLength: number) => Type.String({ pattern: PATTERNS.anyText, maxLength });

export const BacktestCsv = download(100_000_000);
export const BacktestSvg = download(10_000_000);

/** For registration. */
export const BACKTEST_SCHEMAS: Shared[] = [
  ...REPORT_SCHEMAS,
  BacktestInput,
  BacktestSummary,
  Backtest,
  BacktestPage,
];

export function toBacktestSummary(row: BacktestRow): BacktestSummary {
  return {
    id: row.id,
    version: versionOf(row),
    policyVersion: row.policyVersion,
    horizonDays: row.horizonDays,
    cuts: row.cuts,
    segmentBy: row.segmentBy,
    status: row.status,
    customersDone: row.customersDone,
    customersTotal: row.customersTotal,
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}

/** Grows with every change that can be seen: it begins, it gets on, it ends. */
export function versionOf({ status, customersDone, finishedAt }: BacktestRow): number {
  return 1 + (status === 'queued' ? 0 : 1) + customersDone + (finishedAt === null ? 0 : 1);
}

export function toBacktest(row: BacktestRow, report: BacktestReport | null): Backtest {
  return { ...toBacktestSummary(row), report: report as Backtest['report'] };
}
