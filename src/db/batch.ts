// Owns how statements travel: those that are ready together go as one message and come back as one, with the
// transaction around them if they open or end it. The driver's own way is a round of messages for each, and a
// description of the columns with every answer. Does not own which statements go together (executor.ts).

import pg, { type FieldDef } from 'pg';
import { prepareValue } from 'pg/lib/utils.js';
import { TYPES } from './types.js';

export interface PgQuery {
  text: string;
  name?: string;
  values?: readonly unknown[];
  /** Set on what answers no rows and has no name: its columns are not asked for. */
  isSilent?: boolean;
  rowMode?: string;
  types?: { getTypeParser(oid: number, format?: string): (value: string) => unknown };
}

export interface Answer {
  rows: unknown[];
  rowCount: number | null;
  command: string;
  fields: FieldDef[];
}

/** One statement on its way. */
export interface Item {
  query: PgQuery;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** The part of the driver's connection that a message is made with. */
export interface Wire {
  stream: { cork(): void; uncork(): void; write(bytes: Buffer): boolean };
  parse(message: { name: string; text: string }): void;
  bind(message: { statement: string; values: readonly unknown[] }): void;
  describe(message: { type: 'P'; name: string }): void;
  execute(message: Record<string, never>): void;
  close(message: { type: 'S'; name: string }): void;
  sync(): void;
}

interface Shape {
  fields: FieldDef[];
  names: string[];
  /** Null where the text is the value. */
  parsers: (((value: string) => unknown) | null)[];
}

/** What a connection has of a name: `doubtful` where the statement failed that first brought it. */
type Known = Map<string, 'prepared' | 'doubtful'>;

const prepared = new WeakMap<Wire, Known>();
/** The columns of statements, by name: they are asked for once. */
const shapes = new Map<string, Shape>();

const NO_FIELDS: Shape = { fields: [], names: [], parsers: [] };

/** Text, varchar and uuid, as Postgres numbers them. */
const PLAIN_OIDS: ReadonlySet<number> = new Set([25, 1043, 2950]);

/** Statements of no parameters that every transaction has, as bytes: binding one and running it. */
const RUNS = new Map<string, Buffer>();

/** Several statements as one query of the driver's, which hands over every message of the answer. */
export class Batch {
  #at = 0;
  #shape: Shape | undefined;
  #rows: unknown[] = [];
  #known: Known = new Map();

  constructor(private readonly items: readonly Item[]) {}

  /** Called by the driver, as all that follow. */
  submit(wire: Wire): Error | null {
    let values: unknown[][];
    try {
      // Before anything is written: half a message would leave the connection waiting for the rest.
      values = this.items.map(({ query }) => (query.values ?? []).map((value) => prepareValue(value)));
    } catch (error) {
      return error as Error;
    }
    this.#known = prepared.get(wire) ?? new Map();
    prepared.set(wire, this.#known);
    wire.stream.cork();
    try {
      for (const [place, { query }] of this.items.entries()) this.#write(wire, query, values[place] ?? []);
      wire.sync();
    } finally {
      wire.stream.uncork();
    }
    return null;
  }

  handleRowDescription({ fields }: { fields: FieldDef[] }): void {
    const query = this.items[this.#at]?.query;
    this.#shape = shapeOf(fields, query?.types);
    if (query !== undefined && isKept(query)) shapes.set(keyOf(query), this.#shape);
  }

  handleDataRow({ fields: cells }: { fields: (string | null)[] }): void {
    const query = this.items[this.#at]?.query;
    this.#shape ??= (query && shapes.get(keyOf(query))) ?? NO_FIELDS;
    this.#rows.push(query?.rowMode === 'array' ? listOf(this.#shape, cells) : rowOf(this.#shape, cells));
  }

  handleCommandComplete({ text }: { text: string }): void {
    const item = this.items[this.#at];
    if (item === undefined) return;
    const [command = ''] = text.split(' ', 1);
    const count = Number(text.slice(text.lastIndexOf(' ') + 1));
    const fields = this.#shape?.fields ?? [];
    // A statement that has answered without columns has none.
    if (isKept(item.query) && !shapes.has(keyOf(item.query))) shapes.set(keyOf(item.query), NO_FIELDS);
    item.resolve({ rows: this.#rows, rowCount: Number.isNaN(count) ? null : count, command, fields });
    this.#at += 1;
    this.#shape = undefined;
    this.#rows = [];
  }

  handleReadyForQuery(): void {
    if (this.#at === this.items.length) return;
    // Whatever has not been answered by now never will be.
    this.handleError(new Error('the server answered fewer statements than were sent'));
  }

  /** Of the statement whose turn it was, or of the connection; the server has passed over those behind it. */
  handleError(error: unknown): void {
    for (const { query, reject } of this.items.slice(this.#at)) {
      // Its first use on this connection may not have got so far as to be prepared.
      if (query.name !== undefined) this.#known.set(query.name, 'doubtful');
      reject(error);
    }
    this.#at = this.items.length;
  }

  #write(wire: Wire, query: PgQuery, values: readonly unknown[]): void {
    const { name = '', text } = query;
    const known = this.#known.get(name);
    if (name === '' || known !== 'prepared') {
      if (known === 'doubtful') wire.close({ type: 'S', name });
      wire.parse({ name, text });
      if (name !== '') this.#known.set(name, 'prepared');
    }
    if (name !== '' && values.length === 0 && shapes.get(name) === NO_FIELDS) {
      wire.stream.write(runOf(name));
      return;
    }
    wire.bind({ statement: name, values });
    const isKnown = query.isSilent === true || (isKept(query) && shapes.has(keyOf(query)));
    if (!isKnown) wire.describe({ type: 'P', name: '' });
    wire.execute({});
  }
}

// While it pipelines, the driver takes only its own queries for ones that hold no place across messages, and goes
// by their class. What else that class does (emitting events, copying its configuration) nobody here asks for.
Object.setPrototypeOf(Batch.prototype, pg.Query.prototype);

/** What has a name has the same columns each time, and the service's own way of reading them. */
function isKept(query: PgQuery): boolean {
  return query.name !== undefined && query.types === undefined;
}

function keyOf({ name = '' }: PgQuery): string {
  return name;
}

function shapeOf(fields: FieldDef[], types = TYPES as NonNullable<PgQuery['types']>): Shape {
  const parsers = fields.map(({ dataTypeID }) =>
    PLAIN_OIDS.has(dataTypeID) ? null : types.getTypeParser(dataTypeID, 'text'),
  );
  return { fields, names: fields.map(({ name }) => name), parsers };
}

function rowOf({ names, parsers }: Shape, cells: readonly (string | null)[]): unknown {
  // Field by field in one order: copying a row of nulls and then changing what kind of value each field holds
  // took two and a half times as long.
  const row: Record<string, unknown> = {};
  for (let i = 0; i < names.length; i += 1) {
    const cell = cells[i];
    const parse = parsers[i];
    row[names[i] as string] = cell == null ? null : parse == null ? cell : parse(cell);
  }
  return row;
}

function listOf({ parsers }: Shape, cells: readonly (string | null)[]): unknown[] {
  return cells.map((cell, i) => (cell === null ? null : (parsers[i]?.(cell) ?? cell)));
}

/** Bind (no portal's name, no parameters, no formats) and Execute (no limit). */
function runOf(name: string): Buffer {
  const known = RUNS.get(name);
  if (known !== undefined) return known;
  const statement = Buffer.from(`${name}\0`);
  const bind = Buffer.alloc(5 + 1 + statement.length + 6);
  bind.write('B');
  bind.writeInt32BE(bind.length - 1, 1);
  statement.copy(bind, 6);
  const execute = Buffer.alloc(10);
  execute.write('E');
  execute.writeInt32BE(execute.length - 1, 1);
  const run = Buffer.concat([bind, execute]);
  RUNS.set(name, run);
  return run;
}
