// How Postgres would run a statement of the service, and what of that does not grow with the tenant: plans as
// the service's own role gets them, row-level security included.

import pg from 'pg';
import type { Database } from '../../src/db/database.js';
import type { Rows } from './rows.js';
import type { Seen } from './watched.js';

export interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  Filter?: string;
  'Plan Rows': number;
  'Actual Rows'?: number;
  'Actual Loops'?: number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: PlanNode[];
}

export interface Planning {
  rows: Rows;
  /** What the service's connections tell the planner, by name. */
  settings: ReadonlyMap<string, string>;
}

/** Asked of a connection of the service itself, so that whatever it is told is looked at too. */
export async function planningOf(rows: Rows, database: Database): Promise<Planning> {
  const told = await database.find((executor) =>
    executor.rows<{ name: string; setting: string }>({
      text: `SELECT name, setting FROM pg_settings WHERE source = 'session' AND category LIKE 'Query Tuning%'`,
    }),
  );
  return { rows, settings: new Map(told.map(({ name, setting }) => [name, setting])) };
}

/** `generic` is the plan that a prepared statement has after a few runs, whatever its values. */
export type PlanMode = 'custom' | 'generic';

export function explain(planning: Planning, seen: Seen, mode: PlanMode): Promise<PlanNode> {
  return from(planning, seen, (client) => planFor(client, seen, { mode, explain: 'EXPLAIN (FORMAT JSON)' }));
}

/** Runs it, and takes it back; undefined where it cannot be run a second time, as an insert of the same row. */
export async function analyze(planning: Planning, seen: Seen, mode: PlanMode): Promise<PlanNode | undefined> {
  const how = { mode, explain: 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON)' };
  try {
    return await from(planning, seen, (client) => planFor(client, seen, how));
  } catch (error) {
    if ((error as pg.DatabaseError).code?.startsWith(CONSTRAINT_VIOLATIONS)) return undefined;
    throw error;
  }
}

const CONSTRAINT_VIOLATIONS = '23';

interface How {
  mode: PlanMode;
  explain: string;
}

async function planFor(client: pg.PoolClient, { statement }: Seen, how: How): Promise<PlanNode> {
  const { text, values = [] } = statement;
  if (how.mode === 'custom') return planOf(await client.query(`${how.explain} ${text}`, [...values]));
  await client.query('SET LOCAL plan_cache_mode = force_generic_plan');
  await client.query(`PREPARE looked_at AS ${text}`);
  try {
    const given = values.length === 0 ? '' : `(${values.map(literalOf).join(', ')})`;
    return planOf(await client.query(`${how.explain} EXECUTE looked_at${given}`));
  } finally {
    // It belongs to the session and not to the transaction, in which after a failure nothing more can be said.
    await client.query('ROLLBACK; DEALLOCATE looked_at');
  }
}

/** As the driver sends it, but in the text of a statement: EXECUTE takes no parameters. */
function literalOf(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  return pg.escapeLiteral(plainOf(value));
}

function plainOf(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (Buffer.isBuffer(value)) return arrayIn(value) ?? `\\x${value.toString('hex')}`;
  if (Array.isArray(value)) return `{${value.map((item) => JSON.stringify(plainOf(item))).join(',')}}`;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The text of an array that travels in the binary format (db/recordset.ts); undefined for other bytes. */
function arrayIn(bytes: Buffer): string | undefined {
  if (bytes.length < 12 || bytes.readInt32BE(0) > 1 || bytes.readInt32BE(4) !== 1) return undefined;
  const read = ELEMENTS[bytes.readInt32BE(8)];
  if (read === undefined) return undefined;
  const cells: string[] = [];
  for (let at = 20; at < bytes.length; ) {
    const length = bytes.readInt32BE(at);
    at += 4;
    cells.push(length < 0 ? 'NULL' : JSON.stringify(read(bytes.subarray(at, at + length))));
    at += Math.max(length, 0);
  }
  return `{${cells.join(',')}}`;
}

/** By the numbers that Postgres has for the types. */
const ELEMENTS: Record<number, (cell: Buffer) => string> = {
  16: (cell) => String(cell.readUInt8(0) === 1),
  17: (cell) => `\\x${cell.toString('hex')}`,
  20: (cell) => cell.readBigInt64BE(0).toString(),
  23: (cell) => String(cell.readInt32BE(0)),
  25: (cell) => cell.toString(),
  114: (cell) => cell.toString(),
  701: (cell) => String(cell.readDoubleBE(0)),
  1184: (cell) => new Date(Number(cell.readBigInt64BE(0) / 1000n) + Date.UTC(2000, 0, 1)).toISOString(),
  2950: (cell) => cell.toString('hex'),
  3802: (cell) => cell.subarray(1).toString(),
};

export function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

/** How many rows a scan has looked at, those that it passed over included. */
export function rowsLookedAt(node: PlanNode): number {
  if (!node['Node Type'].endsWith('Scan') || node['Relation Name'] === undefined) return 0;
  const passedOver = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  return ((node['Actual Rows'] ?? 0) + passedOver) * (node['Actual Loops'] ?? 0);
}

export function describeScan(node: PlanNode): string {
  const { 'Relation Name': table, 'Index Name': index, 'Index Cond': condition, Filter: filter } = node;
  const by = index === undefined ? '' : ` by ${index}`;
  return `${node['Node Type']} on ${table}${by}${condition ? ` where ${condition}` : ''}${filter ? ` filter ${filter}` : ''}`;
}

function from<T>(planning: Planning, seen: Seen, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const { role, tenantId } = seen;
  return planning.rows.alone(async (client) => {
    for (const [name, setting] of planning.settings) await client.query(`SET LOCAL ${name} = '${setting}'`);
    for (const statement of seen.settings) await client.query(statement);
    await client.query(`SET LOCAL ROLE ${role}`);
    if (tenantId !== null) await client.query(`SET LOCAL app.tenant_id = '${tenantId}'`);
    return work(client);
  });
}

function planOf(result: pg.QueryResult): PlanNode {
  const [row] = result.rows as { 'QUERY PLAN': [{ Plan: PlanNode }] }[];
  if (row === undefined) throw new Error('EXPLAIN answers one row');
  return row['QUERY PLAN'][0].Plan;
}
