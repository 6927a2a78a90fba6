// Owns what a measurement is once it is made: a row with its budget, and the table of them. Does not own how
// anything is measured (groups/).

/** A row as `--json` prints it; null where a field does not apply. */
export interface Row {
  name: string;
  value: number;
  unit: string;
  /** What the bare server does in the same run. */
  ceiling: number | null;
  /** `value` as a share of `ceiling`. */
  ratio: number | null;
  /** The floor of the design: of the ratio where there is one, of the value otherwise. */
  budget: number | null;
  met: boolean | null;
}

interface Measure {
  name: string;
  value: number;
  unit: string;
  budget: number | null;
}

/** The more the better. */
export function atLeast({ name, value, unit, budget }: Measure): Row {
  const met = budget === null ? null : value >= budget;
  return { name, value: rounded(value), unit, ceiling: null, ratio: null, budget, met };
}

/** The less the better. */
export function atMost({ name, value, unit, budget }: Measure): Row {
  const met = budget === null ? null : value <= budget;
  return { name, value: rounded(value), unit, ceiling: null, ratio: null, budget, met };
}

export interface Compared {
  value: number;
  ceiling: number;
  ratio: number;
}

/** Requests a second beside those of the bare server. */
export function besideCeiling(name: string, { value, ceiling, ratio }: Compared, budget: number): Row {
  const figures = { value: rounded(value), ceiling: rounded(ceiling), ratio: rounded(ratio) };
  return { name, ...figures, unit: 'requests/s', budget, met: ratio >= budget };
}

const COLUMNS = ['what', 'value', 'unit', 'ceiling', 'ratio', 'floor', 'met'] as const;
const TO_THE_LEFT = new Set([0, 2]);

export function writeTable(rows: readonly Row[]): string {
  const cells = rows.map(({ name, value, unit, ceiling, ratio, budget, met }) => [
    name,
    format(value),
    unit,
    format(ceiling),
    format(ratio),
    format(budget),
    met === null ? '' : met ? 'yes' : 'NO',
  ]);
  const widths = COLUMNS.map((title, column) => {
    return Math.max(title.length, ...cells.map((row) => (row[column] ?? '').length));
  });
  const line = (row: readonly string[]) => {
    const padded = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return TO_THE_LEFT.has(column) ? cell.padEnd(width) : cell.padStart(width);
    });
    return padded.join('  ').trimEnd();
  };
  return [line(COLUMNS), widths.map((width) => '─'.repeat(width)).join('  '), ...cells.map(line), ''].join(
    '\n',
  );
}

function format(value: number | null): string {
  return value === null ? '' : value.toLocaleString('en', { maximumFractionDigits: 3 });
}

/** Four figures are more than any of this can tell apart. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
