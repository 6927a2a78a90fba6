// Owns how many rows travel as parameters: one array a column, in Postgres' binary format. Beside JSON this
// spares both ends their quoting and parsing, which was more than half the cost of writing a ledger row.
// Does not own the statements or what a row means.

/** Kinds of columns, and the value that each takes. Anything may be null. */
interface Kinds {
  uuid: string;
  text: string;
  /** A Date or epoch milliseconds. */
  timestamptz: Date | number;
  /** Any JSON value; null is SQL's null. What no statement looks into is kept as its text. */
  json: unknown;
  jsonb: unknown;
  int4: number;
  int8: number;
  float8: number;
  bool: boolean;
  bytea: Uint8Array;
}
type Kind = keyof Kinds;

/** Element types as Postgres numbers them. */
const OIDS: Record<Kind, number> = {
  uuid: 2950,
  text: 25,
  timestamptz: 1184,
  json: 114,
  jsonb: 3802,
  int4: 23,
  int8: 20,
  float8: 701,
  bool: 16,
  bytea: 17,
};

type Columns = Record<string, Kind>;
/** What is not there is null. */
type RowOf<Shape extends Columns> = {
  readonly [Name in keyof Shape]?: Kinds[Shape[Name]] | null | undefined;
};

export interface Recordset<Shape extends Columns> {
  /** How many parameters it takes. */
  readonly width: number;
  /** For FROM: its rows as `alias`, with the columns by their names, from the parameter `$first` on. */
  sql(first: number, alias: string): string;
  /** The parameters, one a column. */
  values(rows: readonly RowOf<Shape>[]): Buffer[];
}

export function recordset<const Shape extends Columns>(shape: Shape): Recordset<Shape> {
  const columns = Object.entries(shape) as [keyof Shape & string, Kind][];
  return {
    width: columns.length,
    sql(first, alias) {
      const arrays = columns.map(([, kind], index) => `$${first + index}::${kind}[]`);
      return `unnest(${arrays.join(', ')}) AS ${alias}(${columns.map(([name]) => `"${name}"`).join(', ')})`;
    },
    values: (rows) => columns.map(([name, kind]) => arrayOf(kind, rows, (row) => row[name])),
  };
}

/** One array by itself, for `ANY($n::kind[])`. */
export function binaryArray<K extends Kind>(kind: K, values: readonly (Kinds[K] | null)[]): Buffer {
  return arrayOf(kind, values, (value) => value);
}

/** An array does not fit into an array of rows: as a column of kind `text` it travels so, and is cast. */
export function arrayText(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

const HEADER_BYTES = 20;
const CELL_BYTES_FIRST = 40;

function arrayOf<Row>(kind: Kind, rows: readonly Row[], cellOf: (row: Row) => unknown): Buffer {
  const writer = new Writer(HEADER_BYTES + rows.length * CELL_BYTES_FIRST);
  writer.int32(rows.length === 0 ? 0 : 1);
  // Whether there are nulls: Postgres reads the flag and goes by the lengths.
  writer.int32(1);
  writer.int32(OIDS[kind]);
  if (rows.length === 0) return writer.written();
  writer.int32(rows.length);
  writer.int32(1);
  const write = WRITERS[kind] as (writer: Writer, cell: unknown) => void;
  for (const row of rows) {
    const cell = cellOf(row);
    if (cell === null || cell === undefined) writer.int32(-1);
    else write(writer, cell);
  }
  return writer.written();
}

const WRITERS: { [K in Kind]: (writer: Writer, cell: Kinds[K]) => void } = {
  uuid(writer, id) {
    writer.int32(16);
    writer.hex(id.replaceAll('-', ''));
  },
  text: (writer, text) => writer.text(text),
  timestamptz(writer, at) {
    writer.int32(8);
    // Microseconds: from the year 2255 on they are beyond what a double counts, so they are made in two halves.
    const ms = (at instanceof Date ? at.getTime() : at) - POSTGRES_EPOCH_MS;
    const high = Math.floor(ms / 2 ** 32);
    const low = (ms - high * 2 ** 32) * 1000;
    const carry = Math.floor(low / 2 ** 32);
    writer.int32(high * 1000 + carry);
    writer.uint32(low - carry * 2 ** 32);
  },
  json: (writer, value) => writer.text(JSON.stringify(value)),
  jsonb: (writer, value) => writer.text(JSON.stringify(value), JSONB_VERSION),
  int4(writer, value) {
    writer.int32(4);
    writer.int32(value);
  },
  int8(writer, value) {
    writer.int32(8);
    writer.int64(value);
  },
  float8(writer, value) {
    writer.int32(8);
    writer.float64(value);
  },
  bool(writer, value) {
    writer.int32(1);
    writer.byte(value ? 1 : 0);
  },
  bytea(writer, bytes) {
    writer.int32(bytes.length);
    writer.bytes(bytes);
  },
};

/** 2000-01-01, where Postgres begins to count. */
const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1);
const JSONB_VERSION = 1;

class Writer {
  #buffer: Buffer;
  #length = 0;

  constructor(size: number) {
    this.#buffer = Buffer.allocUnsafe(size);
  }

  written(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  int32(value: number): void {
    this.#reserve(4);
    this.#length = this.#buffer.writeInt32BE(value, this.#length);
  }

  /** A whole number below 2^53 either way: split, because a BigInt would be made for each. */
  int64(value: number): void {
    const high = Math.floor(value / 2 ** 32);
    this.int32(high);
    this.uint32(value - high * 2 ** 32);
  }

  float64(value: number): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeDoubleBE(value, this.#length);
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.#length = this.#buffer.writeUInt32BE(value, this.#length);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#length = this.#buffer.writeUInt8(value, this.#length);
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  hex(digits: string): void {
    this.#reserve(digits.length >> 1);
    this.#length += this.#buffer.write(digits, this.#length, 'hex');
  }

  /** With its length before it, and a byte of its own before the text where one is given. */
  text(value: string, before?: number): void {
    // A UTF-16 unit takes three bytes at most.
    this.#reserve(5 + value.length * 3);
    const at = this.#length;
    this.#length += 4;
    if (before !== undefined) this.byte(before);
    this.#length += this.#buffer.write(value, this.#length);
    this.#buffer.writeInt32BE(this.#length - at - 4, at);
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
