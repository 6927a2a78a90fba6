// Owns making very many customers quickly: copies of one whom the product has made, due at some time to come.
// Does not own what is measured with them.

import pg from 'pg';

/** Those of copies: beside no real one's, and in order. */
const ID = "('ffffffff-ffff-7fff-8fff-' || lpad(to_hex(n), 12, '0'))::uuid";
/** Spread over sixty days from tomorrow. */
const DUE = "now() + interval '1 day' + n % 5184000 * interval '1 second'";

/** Copies of the one customer that the product has made, so that there are `to` of them. */
export async function multiply(url: string, { from, to }: { from: number; to: number }): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await copy(client, { table: 'customers', changes: { id: ID, external_ids: "'[]'" }, from, to });
    const changes = { customer_id: ID, review_at: DUE, due_at: DUE };
    await copy(client, { table: 'customer_lifecycles', changes, from, to });
    await client.query('ANALYZE');
  } finally {
    await client.end();
  }
}

interface Copying {
  table: string;
  /** The columns in which a copy differs, as expressions of its number `n`. */
  changes: Record<string, string>;
  from: number;
  to: number;
}

async function copy(client: pg.Client, { table, changes, from, to }: Copying): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT column_name AS name FROM information_schema.columns WHERE table_name = $1 AND table_schema = 'public'",
    [table],
  );
  const names = rows.map(({ name }) => name);
  const values = names.map((name) => changes[name] ?? `original.${name}`);
  await client.query(
    `INSERT INTO ${table} (${names.join()})
     SELECT ${values.join()} FROM (SELECT * FROM ${table} LIMIT 1) original, generate_series(${from}, ${to - 1}) n`,
  );
}
