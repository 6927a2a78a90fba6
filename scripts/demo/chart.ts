// Owns the picture of the demo: how many customers stood in which stage, day by day, as stacked areas in an SVG
// that needs nothing around it. Does not own the counting (ledger.ts).

import { document, line, MUTED, round, text } from '../../src/backtests/svg.js';
import { STAGES } from './ledger.js';
import type { Day } from './simulation.js';

export interface ChartText {
  title: string;
  subtitle: string;
}

const WIDTH = 1040;
const HEIGHT = 572;
/** The right margin holds each stage's name beside its own area, so that nobody has to match colours. */
const PLOT = { left: 72, right: 868, top: 108, bottom: 508 };
const GRID_STEP = 500;

/** Okabe and Ito's colours, which stay apart for colour-blind eyes; a white line parts the areas as well. */
const COLOURS: Record<string, string> = {
  prospect: '#f0e442',
  new: '#56b4e9',
  mature: '#009e73',
  declining: '#e69f00',
  churned: '#8a8f98',
};

export function drawStages(days: readonly Day[], { title, subtitle }: ChartText): string {
  const shown = STAGES.filter(({ key }) => days.some(({ stages }) => (stages[key] ?? 0) > 0));
  const keys = shown.map(({ key }) => key);
  const totals = days.map(({ stages }) => sum(keys.map((key) => stages[key] ?? 0)));
  const scale = scaleOf(days.length, Math.max(...totals));
  const layers = layersOf(days, keys);
  const first = days[0]?.date;
  const last = days.at(-1);
  const description = `Stacked areas from ${first} to ${last?.date}. At the end: ${shown
    .map(({ key, labels }) => `${labels.en} ${format(last?.stages[key])}`)
    .join(', ')}.`;
  return document({ width: WIDTH, height: HEIGHT, title, description }, [
    text({ x: PLOT.left, y: 36, size: 20, weight: 600 }, title),
    text({ x: PLOT.left, y: 60, size: 13, fill: MUTED }, subtitle),
    ...layers.map((layer, index) => area(layer, scale, COLOURS[keys[index] ?? ''] ?? MUTED)),
    ...axisOfCustomers(scale),
    ...axisOfTime(days, scale),
    ...legend(shown, layers, { scale, last }),
  ]);
}

interface Scale {
  x: (index: number) => number;
  y: (count: number) => number;
  max: number;
}

/** For each day the lower and the upper edge of one stage's area. */
type Layer = { low: number; high: number }[];

function scaleOf(points: number, most: number): Scale {
  const max = Math.max(Math.ceil(most / GRID_STEP), 1) * GRID_STEP;
  const width = PLOT.right - PLOT.left;
  const height = PLOT.bottom - PLOT.top;
  return {
    x: (index) => PLOT.left + (index / Math.max(points - 1, 1)) * width,
    y: (count) => PLOT.bottom - (count / max) * height,
    max,
  };
}

/** Those who are lost lie at the bottom, where their growth is read off the axis. */
function layersOf(days: readonly Day[], keys: readonly string[]): Layer[] {
  const layers: Layer[] = keys.map(() => []);
  for (const { stages } of days) {
    let low = 0;
    for (let index = keys.length - 1; index >= 0; index -= 1) {
      const high = low + (stages[keys[index] ?? ''] ?? 0);
      layers[index]?.push({ low, high });
      low = high;
    }
  }
  return layers;
}

function area(layer: Layer, { x, y }: Scale, colour: string): string {
  const upper = layer.map(({ high }, index) => point(x(index), y(high)));
  const lower = layer.map(({ low }, index) => point(x(index), y(low))).reverse();
  const path = `M${upper.join('L')}L${lower.join('L')}Z`;
  return `<path d="${path}" fill="${colour}" stroke="#ffffff" stroke-width="1.2" stroke-linejoin="round"/>`;
}

function axisOfCustomers({ y, max }: Scale): string[] {
  const steps = Array.from({ length: max / GRID_STEP + 1 }, (_, index) => index * GRID_STEP);
  return [
    ...steps.flatMap((count) => [
      line({ x1: PLOT.left, x2: PLOT.right, y1: y(count), y2: y(count) }, count === 0 ? 0.9 : 0.16),
      text({ x: PLOT.left - 10, y: y(count) + 4, size: 12, anchor: 'end', fill: MUTED }, format(count)),
    ]),
    text({ x: PLOT.left, y: PLOT.top - 12, size: 12, fill: MUTED }, 'customers'),
  ];
}

function axisOfTime(days: readonly Day[], { x }: Scale): string[] {
  const months = days.flatMap(({ date }, index) => (date.endsWith('-01') ? [{ date, index }] : []));
  return months.flatMap(({ date, index }) => [
    line({ x1: x(index), x2: x(index), y1: PLOT.bottom, y2: PLOT.bottom + 6 }, 0.9),
    text({ x: x(index), y: PLOT.bottom + 22, size: 12, anchor: 'middle', fill: MUTED }, monthOf(date)),
  ]);
}

const LABEL_HEIGHT = 40;

function legend(
  stages: readonly (typeof STAGES)[number][],
  layers: readonly Layer[],
  { scale, last }: { scale: Scale; last: Day | undefined },
): string[] {
  const middles = layers.map((layer) => {
    const { low = 0, high = 0 } = layer.at(-1) ?? {};
    return (scale.y(low) + scale.y(high)) / 2;
  });
  const places = apart(middles);
  return stages.flatMap(({ key, labels }, index) => {
    const y = places[index] ?? PLOT.top;
    const x = PLOT.right + 14;
    return [
      `<rect x="${x}" y="${y - 9}" width="14" height="14" rx="2" fill="${COLOURS[key] ?? MUTED}"/>`,
      text({ x: x + 22, y: y + 3, size: 14, weight: 600 }, labels.en),
      text({ x: x + 22, y: y + 20, size: 12, fill: MUTED }, `${format(last?.stages[key])} at the cut`),
    ];
  });
}

/** From the top down: names of thin areas are pushed down until they no longer lie over each other. */
function apart(middles: readonly number[]): number[] {
  let floor = PLOT.top + 10;
  return middles.map((middle) => {
    const place = Math.max(middle, floor);
    floor = place + LABEL_HEIGHT;
    return place;
  });
}

function monthOf(date: string): string {
  const year = date.slice(5, 7) === '01' ? ({ year: 'numeric' } as const) : {};
  return new Intl.DateTimeFormat('en', { month: 'short', timeZone: 'UTC', ...year }).format(new Date(date));
}

function format(count = 0): string {
  return count.toLocaleString('en');
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function point(x: number, y: number): string {
  return `${round(x)} ${round(y)}`;
}
