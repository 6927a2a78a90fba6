// Owns the picture of a report: the ROC curve with each rule's flags on it, how well scores told what happened,
// and the rules' figures, in an SVG that needs nothing around it. Pure. Does not own how shapes are written
// (svg.ts).

import type { BacktestReport, RuleReport, SummaryReport } from '../lifecycle/backtest/report.js';
import { shareOf } from '../lifecycle/backtest/scores.js';
import type { CalibrationRow } from '../lifecycle/backtest/telling.js';
import { circle, document, line, MUTED, type Plot, path, plotOf, text } from './svg.js';

export interface ChartSubject {
  policyVersion: number | null;
  cuts: readonly string[];
  horizonDays: number;
}

const WIDTH = 1040;
const HEIGHT = 720;
const ROC: Plot = plotOf({ left: 72, top: 112, size: 380 });
const CALIBRATION: Plot = plotOf({ left: 580, top: 112, size: 380 });
const TABLE_TOP = 566;
const TICKS = [0, 0.25, 0.5, 0.75, 1];

/** Okabe and Ito's colours, which stay apart for colour-blind eyes. */
const POLICY = '#0072b2';
const LIVE = '#e69f00';
const SILENCE = '#8a8f98';

export function chartOf(report: BacktestReport, subject: ChartSubject): string {
  const { overall } = report;
  const of = subject.policyVersion === null ? 'a draft' : `policy version ${subject.policyVersion}`;
  const days = subject.cuts.map((cut) => cut.slice(0, 10));
  const as =
    days.length === 1 ? `as of ${days[0]}` : `as of ${days.length} cuts, ${days[0]} to ${days.at(-1)}`;
  const title = `Backtest of ${of}`;
  const subtitle = `Flagged as churned ${as}, against no order in the ${subject.horizonDays} days after.`;
  return document({ width: WIDTH, height: HEIGHT, title, description: `${subtitle} ${inWords(overall)}` }, [
    text({ x: 72, y: 38, size: 20, weight: 600 }, title),
    text({ x: 72, y: 62, size: 13, fill: MUTED }, subtitle),
    ...rocPanel(overall),
    ...calibrationPanel(overall.calibration),
    ...table(overall.rules),
  ]);
}

function inWords({ rules }: SummaryReport): string {
  return rules
    .map((rule) => `${nameOf(rule)}: precision ${percent(rule.precision)}, recall ${percent(rule.recall)}.`)
    .join(' ');
}

function rocPanel({ roc, rules }: SummaryReport): string[] {
  const curves = [
    { points: roc.silence, colour: SILENCE, dashed: true },
    { points: roc.live, colour: LIVE, dashed: false },
    { points: roc.policy, colour: POLICY, dashed: false },
  ];
  const place = (rule: RuleReport) => {
    const [x, y] = [rule.fp / Math.max(rule.fp + rule.tn, 1), rule.tp / Math.max(rule.tp + rule.fn, 1)];
    return { x: ROC.x(x), y: ROC.y(y) };
  };
  const baselines = rules.filter(({ rule }) => rule.startsWith('silence_'));
  return [
    ...frame(ROC, {
      title: 'Who stopped, found among all',
      x: 'of those who ordered, flagged',
      y: 'of those who stopped, flagged',
    }),
    ...TICKS.map((tick) =>
      text({ x: ROC.x(tick), y: ROC.bottom + 18, size: 11, anchor: 'middle', fill: MUTED }, percent(tick)),
    ),
    line({ x1: ROC.x(0), y1: ROC.y(0), x2: ROC.x(1), y2: ROC.y(1) }, 0.16),
    ...curves.map(({ points, colour, dashed }) =>
      path(
        points.map((point) => [ROC.x(point.falsePositiveRate), ROC.y(point.truePositiveRate)]),
        { colour, dashed },
      ),
    ),
    ...baselines.flatMap((rule) => {
      const { x, y } = place(rule);
      return [
        circle({ x, y, r: 3.5, fill: SILENCE }),
        text(
          { x: x + 7, y: Math.min(y + 13, ROC.bottom - 6), size: 11, fill: MUTED },
          `${rule.rule.slice('silence_'.length)} d`,
        ),
      ];
    }),
    ...rules.flatMap((rule) => {
      const colour = colourOf(rule);
      return colour === SILENCE ? [] : [circle({ ...place(rule), r: 6, fill: colour })];
    }),
  ];
}

/** Of probabilities, what was said against what came; of other scores, how what came rises with them. */
function calibrationPanel(rows: readonly CalibrationRow[]): string[] {
  const isProbability = rows.some(({ predicted }) => predicted !== null);
  const across = (row: CalibrationRow) => CALIBRATION.x(row.predicted ?? shareOf(row.score ?? 0));
  const ratios = [0, 0.25, 0.5, 1, 2, 4];
  const ticks = isProbability
    ? TICKS.map((tick) => ({ at: tick, label: percent(tick) }))
    : ratios.map((ratio) => ({ at: shareOf(ratio), label: `${ratio}` }));
  return [
    ...frame(CALIBRATION, {
      title: isProbability ? 'What was predicted, and what came' : 'How telling the score is',
      x: isProbability ? 'predicted to stop' : 'silence over the silence at which the flag is raised',
      y: 'did not order',
    }),
    rows.length > 0
      ? ''
      : text(
          { x: CALIBRATION.x(0.5), y: CALIBRATION.y(0.5), size: 13, anchor: 'middle', fill: MUTED },
          'No groups: nobody is judged, or by scores of two kinds.',
        ),
    ...ticks.map(({ at, label }) =>
      text(
        { x: CALIBRATION.x(at), y: CALIBRATION.bottom + 18, size: 11, anchor: 'middle', fill: MUTED },
        label,
      ),
    ),
    isProbability
      ? line({ x1: CALIBRATION.x(0), y1: CALIBRATION.y(0), x2: CALIBRATION.x(1), y2: CALIBRATION.y(1) }, 0.3)
      : line(
          { x1: CALIBRATION.x(0.5), y1: CALIBRATION.bottom, x2: CALIBRATION.x(0.5), y2: CALIBRATION.top },
          0.3,
        ),
    path(
      rows.map((row) => [across(row), CALIBRATION.y(row.observed)]),
      { colour: POLICY, dashed: false },
    ),
    ...rows.map((row) => circle({ x: across(row), y: CALIBRATION.y(row.observed), r: 4.5, fill: POLICY })),
  ];
}

function frame(plot: Plot, labels: { title: string; x: string; y: string }): string[] {
  const middle = (plot.left + plot.right) / 2;
  return [
    text({ x: plot.left, y: plot.top - 18, size: 14, weight: 600 }, labels.title),
    ...TICKS.flatMap((tick) => [
      line({ x1: plot.left, x2: plot.right, y1: plot.y(tick), y2: plot.y(tick) }, tick === 0 ? 0.9 : 0.12),
      text({ x: plot.left - 8, y: plot.y(tick) + 4, size: 11, anchor: 'end', fill: MUTED }, percent(tick)),
    ]),
    text({ x: middle, y: plot.bottom + 38, size: 12, anchor: 'middle', fill: MUTED }, labels.x),
    text({ x: plot.left + 6, y: plot.top + 14, size: 12, fill: MUTED }, labels.y),
  ];
}

const COLUMNS = [
  { x: 96, title: 'rule', of: nameOf },
  { x: 330, title: 'precision', of: (rule: RuleReport) => percent(rule.precision) },
  { x: 430, title: 'recall', of: (rule: RuleReport) => percent(rule.recall) },
  { x: 530, title: 'AUC', of: (rule: RuleReport) => rule.auc?.toFixed(3) ?? '–' },
  { x: 630, title: 'Brier', of: (rule: RuleReport) => rule.brier?.toFixed(3) ?? '–' },
  { x: 730, title: 'flagged', of: (rule: RuleReport) => (rule.tp + rule.fp).toLocaleString('en') },
  {
    x: 830,
    title: 'median delay',
    of: ({ medianDelayDays }: RuleReport) => (medianDelayDays === null ? '–' : `${medianDelayDays} days`),
  },
] as const;

function table(rules: readonly RuleReport[]): string[] {
  return [
    ...COLUMNS.map(({ x, title }) => text({ x, y: TABLE_TOP, size: 12, fill: MUTED }, title)),
    ...rules.flatMap((rule, index) => {
      const y = TABLE_TOP + 20 + index * 18;
      return [
        circle({ x: 80, y: y - 4, r: 5, fill: colourOf(rule) }),
        ...COLUMNS.map(({ x, of }) => text({ x, y, size: 12 }, of(rule))),
      ];
    }),
  ];
}

function nameOf({ rule }: RuleReport): string {
  if (rule === 'policy') return 'this policy';
  return rule === 'live' ? 'the live policy' : `silent for ${rule.slice('silence_'.length)} days`;
}

function colourOf({ rule }: RuleReport): string {
  return rule === 'policy' ? POLICY : rule === 'live' ? LIVE : SILENCE;
}

function percent(share: number | null): string {
  return share === null ? '–' : `${Math.round(share * 100)} %`;
}
