// Owns the API shapes of a backtest's report. Does not own the figures (lifecycle/backtest/report.ts), which the
// compiler holds to be of these shapes.

import Type from 'typebox';
import { PATTERNS } from '../api/patterns.js';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import { Currency, count, Timestamp, text } from '../api/shapes.js';
import { BASELINE_DAYS } from '../lifecycle/backtest/plan.js';
import { SEGMENTS_MAX, segmentsMax } from '../lifecycle/backtest/tally.js';
import { StageKey } from '../lifecycle/stages.js';

export const CUTS_MAX = 24;
const CURRENCIES_MAX = 200;
const RULES_MAX = 2 + BASELINE_DAYS.length;
const ROC_POINTS_MAX = 500;
const STAGES_MAX = 2_000;
const SUM_MAX = Number.MAX_SAFE_INTEGER;

const share = (description: string) =>
  nullable(Type.Number({ minimum: 0, maximum: 1 }), {
    description: `${description} Null where there is none.`,
  });
const days = (description: string) => nullable(count(), { description });
const segmentName = () =>
  nullable(Type.String({ pattern: PATTERNS.anyText, maxLength: 200 }), {
    description: 'The value; null where `kind` is not `value`.',
  });

const money = () =>
  Type.Array(
    closed({
      currency: ref(Currency),
      amountMinor: Type.Integer({ format: 'int64', minimum: 0, maximum: SUM_MAX }),
    }),
    { maxItems: CURRENCIES_MAX },
  );

export const BacktestRule = shared(
  'BacktestRule',
  closed(
    {
      rule: text({ max: 40, description: '`policy`, `live`, or a fixed silence such as `silence_90`.' }),
      tp: count({ description: 'Flagged as churned, and no order came in the horizon.' }),
      fp: count({ description: 'Flagged, but an order came.' }),
      fn: count({ description: 'Not flagged, and no order came.' }),
      tn: count({ description: 'Not flagged, and an order came.' }),
      precision: share('tp / (tp + fp).'),
      recall: share('tp / (tp + fn).'),
      auc: share(
        'How often, of a customer who stopped and one who did not, the first has the higher score: the model’s ' +
          'probability where the churned rule asks one, else the silence over the silence at the flag; of fixed ' +
          'silences the silence itself. Null as well where some have the one and others the other, as when a ' +
          'model could be fitted at some of the cuts only: they cannot be ranked together.',
      ),
      brier: share(
        'The mean squared distance of the probability from what happened, where everybody judged has one.',
      ),
      medianDelayDays: days('Whole days from the last order to the flag, of true positives.'),
      revenueAtStake: money(),
      spentByFalselyFlagged: money(),
    },
    {
      description:
        'How flags at the cut fared, among customers with a counting order by then. `revenueAtStake` is what the ' +
        'flagged spent in the horizon before the cut, `spentByFalselyFlagged` what those who came back spent in ' +
        'the one after it.',
    },
  ),
);

const rules = () => Type.Array(ref(BacktestRule), { maxItems: RULES_MAX });

const segments = () =>
  Type.Array(closed({ segment: segmentName(), kind: choice(['value', 'none', 'other']), rules: rules() }), {
    maxItems: SEGMENTS_MAX + 2,
    description:
      'By the names of the values, which are the same at all cuts: those that most of the first customers have, ' +
      `and then those that come first, ${SEGMENTS_MAX} at the most (${segmentsMax(CUTS_MAX)} with ${CUTS_MAX} ` +
      'cuts). `other` are customers with any further value, `none` those without one.',
  });

const CALIBRATION =
  'Ten groups of about as many customers, by rising scores; larger or fewer where many have the same one. Of the ' +
  'model’s probabilities (`predicted`) or of other scores (`score`), never of both: empty where a model could be ' +
  'fitted at some of the cuts only.';

const calibration = () =>
  Type.Array(
    closed({
      from: Type.Number({ minimum: 0 }),
      to: Type.Number({ minimum: 0 }),
      customers: count(),
      predicted: share('The mean probability.'),
      score: nullable(Type.Number({ minimum: 0 }), {
        description: 'The mean score where it is no probability.',
      }),
      observed: Type.Number({
        minimum: 0,
        maximum: 1,
        description: 'The share without an order in the horizon.',
      }),
    }),
    { maxItems: 10, description: CALIBRATION },
  );

const followed = () =>
  closed(
    {
      flags: count(),
      trueFlags: count({ description: 'No order came in the horizon after the flag.' }),
      precision: share('trueFlags / flags.'),
      stopped: count({
        description: 'Customers with an order before the cut and none in the horizon after it.',
      }),
      caught: count({ description: 'Those of them who stood flagged at the cut.' }),
      recall: share('caught / stopped.'),
      medianDelayDays: days('Whole days from the last order to the flag, of true flags.'),
    },
    {
      description:
        'Every flag that the policy would have raised up to the cut, followed from its own instant on.',
    },
  );

const curve = () =>
  Type.Array(
    closed({
      falsePositiveRate: Type.Number({ minimum: 0, maximum: 1 }),
      truePositiveRate: Type.Number({ minimum: 0, maximum: 1 }),
    }),
    {
      maxItems: ROC_POINTS_MAX,
      description: 'Empty where there is no `auc`.',
    },
  );

const summary = () => ({
  rules: rules(),
  segments: segments(),
  calibration: calibration(),
  followed: followed(),
  roc: closed({ policy: curve(), live: curve(), silence: curve() }),
});

export const BacktestSummaryReport = shared(
  'BacktestOverall',
  closed(summary(), { description: 'All cuts together: a customer counts once at each.' }),
);

const stageCounts = () =>
  Type.Array(closed({ stage: StageKey, customers: count() }), { maxItems: STAGES_MAX });
const counted = {
  count: count(),
  lastYear: count({ description: 'Of them in the 365 days before the cut.' }),
};

export const BacktestCut = shared(
  'BacktestCut',
  closed({
    cut: ref(Timestamp),
    customers: count({ description: 'Who were there at the cut.' }),
    customersWithOrder: count(),
    cadence: closed(
      {
        r: Type.Number({ exclusiveMinimum: 0 }),
        alphaDays: Type.Number({ exclusiveMinimum: 0 }),
        medianGapDays: Type.Number({ minimum: 0 }),
      },
      { description: 'As fitted to what was known at the cut.' },
    ),
    stages: stageCounts(),
    liveStages: stageCounts(),
    transitions: Type.Array(closed({ from: nullable(StageKey), to: StageKey, ...counted }), {
      maxItems: STAGES_MAX,
      description: 'What the policy would have recorded up to the cut.',
    }),
    events: Type.Array(closed({ type: text({ max: 64 }), ...counted }), {
      maxItems: 20,
      description: 'The events, and so the webhooks, that these transitions would have been.',
    }),
    differences: closed({
      differ: count({ description: 'Customers whose stage under the live policy is another.' }),
      matrix: Type.Array(closed({ live: StageKey, policy: StageKey, customers: count() }), {
        maxItems: STAGES_MAX,
      }),
    }),
    ...summary(),
  }),
);

export const BacktestReportShape = shared(
  'BacktestReport',
  closed({
    horizonDays: count(),
    overall: ref(BacktestSummaryReport),
    cuts: Type.Array(ref(BacktestCut), { maxItems: CUTS_MAX }),
  }),
);

/** For registration. */
export const REPORT_SCHEMAS: Shared[] = [
  BacktestRule,
  BacktestSummaryReport,
  BacktestCut,
  BacktestReportShape,
];
