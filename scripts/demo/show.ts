// Owns how the demo reads: its tables and sentences. Does not own the figures (simulation.ts, outcome.ts) or the
// customers' stories (story.ts).

import type { Move } from './ledger.js';
import { STAGES } from './ledger.js';
import type { Churn, Report } from './outcome.js';
import type { PurchaseLog } from './purchases.js';
import type { Received } from './receiver.js';
import { CUT_MS, dateOf, type Week } from './simulation.js';

/** Stages that the log's customers come into: each of them is first seen with a purchase. */
const SHOWN = STAGES.map(({ key }) => key).filter((key) => key !== 'prospect');

export function introduction({ customers, purchases, purchaseDays }: PurchaseLog): string[] {
  return [
    '',
    'Perennial, on real purchases: the CDNOW log',
    `  ${format(customers)} customers, ${format(purchases.length)} orders on ${format(purchaseDays)} purchase days.`,
    `  The orders up to ${dateOf(CUT_MS)} are sent day by day over the REST API, in simulated time.`,
    '  Policy: mature at 2 purchase days, declining after 45 silent days, churned after 91.',
    '',
  ];
}

const COLUMNS = ['week to', ...SHOWN, 'orders', 'webhooks', 'moves of the week'];
const WIDTHS = [10, ...SHOWN.map((key) => Math.max(key.length, 5)), 6, 8, 0];

export function weekHeading(): string[] {
  return [row(COLUMNS), `  ${'─'.repeat(108)}`];
}

export function weekRow({ lastDay, ordersSent, moves, webhooksReceived }: Week): string {
  const counts = SHOWN.map((key) => format(lastDay.stages[key]));
  return row([lastDay.date, ...counts, format(ordersSent), format(webhooksReceived), summarise(moves)]);
}

export function webhooksShown(
  { webhooks }: Pick<Report, 'webhooks'>,
  { byType }: Received,
  gaps: string[],
): string[] {
  const types = [...byType].sort(([, a], [, b]) => b - a);
  return [
    '',
    'What the partner received, by type',
    ...types.map(([type, count]) => `  ${type.padEnd(24)} ${format(count).padStart(6)}`),
    `  ${format(webhooks.sent)} sent, ${format(webhooks.received)} received, ` +
      `${format(webhooks.verified)} with a right signature, ${format(webhooks.duplicates)} twice: ` +
      (gaps.length === 0
        ? 'one for each transition in the ledger.'
        : `NOT as it should be: ${gaps.join('; ')}.`),
  ];
}

export function churnShown({ tp, fp, fn, tn }: Churn): string[] {
  const cells = (label: string, silent: number, bought: number) =>
    `  ${label.padEnd(28)} ${format(silent).padStart(16)} ${format(bought).padStart(14)}`;
  return [
    '',
    'What the 39 weeks after the cut brought',
    `  ${''.padEnd(28)} ${'bought nothing'.padStart(16)} ${'bought again'.padStart(14)}`,
    cells('churned at the cut', tp, fp),
    cells('in any other stage', fn, tn),
    `  ${percent(tp, tp + fp)} of those called churned never came back; of those who never came back,`,
    `  ${percent(tp, tp + fn)} had been called churned.`,
  ];
}

export function format(count = 0): string {
  return count.toLocaleString('en');
}

function row(cells: readonly string[]): string {
  const padded = cells.map((cell, index) => {
    const width = WIDTHS[index] ?? 0;
    return index === 0 || width === 0 ? cell.padEnd(width) : cell.padStart(width);
  });
  return `  ${padded.join('  ')}`;
}

const KINDS: readonly { name: string; is: (move: Move) => boolean }[] = [
  { name: 'began', is: ({ from }) => from === null },
  { name: 'matured', is: ({ from, to }) => from === 'new' && to === 'mature' },
  { name: 'declined', is: ({ to }) => to === 'declining' },
  { name: 'churned', is: ({ to }) => to === 'churned' },
  { name: 'recovered', is: ({ from, to }) => from === 'declining' && to !== 'churned' },
  { name: 'reactivated', is: ({ from }) => from === 'churned' },
];

function summarise(moves: readonly Move[]): string {
  const counted = KINDS.map(({ name, is }) => ({ name, count: moves.filter(is).length }));
  return (
    counted.flatMap(({ name, count }) => (count === 0 ? [] : [`${format(count)} ${name}`])).join(', ') || '–'
  );
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)} %`;
}
