// Where something of a person is left: in any column of any table of any tenant, as text or in the bytes of what is
// kept as such.

import type { Rows } from '../routes/rows.js';

/** Each as `<table>: <needle>`. */
export async function leaksOf(rows: Rows, needles: readonly string[]): Promise<string[]> {
  const leaks: string[] = [];
  for (const table of [...rows.tenantTables, 'tenants']) {
    const entries = await rows.query<{ entry: string }>(`SELECT entry::text AS entry FROM ${table} entry`);
    for (const needle of needles) {
      const hex = Buffer.from(needle).toString('hex');
      if (entries.some(({ entry }) => entry.includes(needle) || entry.includes(hex)))
        leaks.push(`${table}: ${needle}`);
    }
  }
  return leaks;
}
