// Owns a report as CSV: a row for each cut, segment and rule, for a spreadsheet. Pure.

import type { BacktestReport, Money, RuleReport } from '../lifecycle/backtest/report.js';

const RATES = ['precision', 'recall', 'auc', 'brier', 'medianDelayDays'] as const;
const COUNTS = ['tp', 'fp', 'fn', 'tn'] as const;
const HEADER = [
  'cut',
  'segment',
  'segmentKind',
  'rule',
  ...COUNTS,
  ...RATES,
  'revenueAtStake',
  'spentByFalselyFlagged',
];

/** `all` stands for all cuts together, and for everybody. RFC 4180. */
export function csvOf({ overall, cuts }: BacktestReport): string {
  const parts = [{ cut: 'all', ...overall }, ...cuts];
  const rows = parts.flatMap(({ cut, rules, segments }) =>
    [{ segment: null, kind: 'all', rules }, ...segments].flatMap(({ segment, kind, rules }) =>
      rules.map((rule) => [cut, segment ?? '', kind, ...fieldsOf(rule)]),
    ),
  );
  return [HEADER, ...rows].map((fields) => `${fields.map(quoted).join(',')}\r\n`).join('');
}

function fieldsOf(rule: RuleReport): string[] {
  const numbers = [...COUNTS, ...RATES].map((name) => rule[name]?.toString() ?? '');
  return [rule.rule, ...numbers, moneyOf(rule.revenueAtStake), moneyOf(rule.spentByFalselyFlagged)];
}

/** `EUR 1200; USD 900`, in minor units: currencies are never added together. */
function moneyOf(sums: readonly Money[]): string {
  return sums.map(({ currency, amountMinor }) => `${currency} ${amountMinor}`).join('; ');
}

/**
 * Names of segments are the tenant's customers': one that a spreadsheet would take for a formula is disarmed. Some
 * skip what is blank before it, and read full-width signs like the others.
 */
function quoted(field: string): string {
  const text = /^[\s\uFEFF]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r\n]/.test(field) ? `'${field}` : field;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
