import fc from 'fast-check';
import pg from 'pg';
import t from 'tap';
import { binaryArray, recordset } from '../../src/db/recordset.js';
import { parseInstant } from '../../src/db/types.js';
import { createTestDatabase } from '../helpers/postgres.js';

const ROWS = recordset({
  id: 'uuid',
  'the text': 'text',
  at: 'timestamptz',
  document: 'jsonb',
  verbatim: 'json',
  small: 'int4',
  big: 'int8',
  flag: 'bool',
  bytes: 'bytea',
});

const instantMs = fc.integer({ min: Date.UTC(1600, 0, 1), max: Date.UTC(9000, 0, 1) });
const storable = fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', ''));
const row = fc.record({
  id: fc.option(fc.uuid()),
  'the text': fc.option(storable),
  at: fc.option(instantMs),
  document: fc.option(fc.array(fc.oneof(storable, fc.integer(), fc.boolean(), fc.record({ a: storable })))),
  verbatim: fc.option(fc.array(fc.oneof(storable, fc.integer(), fc.record({ b: storable, a: storable })))),
  small: fc.option(fc.integer()),
  big: fc.option(fc.maxSafeInteger()),
  flag: fc.option(fc.boolean()),
  bytes: fc.option(fc.uint8Array()),
});

t.test('rows arrive as they were sent', async (t) => {
  const { url } = await createTestDatabase(t);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  t.teardown(() => client.end());
  const text = `SELECT id, "the text", extract(epoch FROM at) * 1000 AS at, document, verbatim, small, big::text, flag, bytes
                  FROM ${ROWS.sql(2, 'r')} WHERE $1`;
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 20 }), async (rows) => {
      const { rows: back } = await client.query({ name: 'back', text, values: [true, ...ROWS.values(rows)] });
      const expected = rows.map((each) => ({
        ...each,
        big: each.big === null ? null : String(each.big),
        bytes: each.bytes === null ? null : Buffer.from(each.bytes),
      }));
      const found = back.map((each) => ({ ...each, at: each.at === null ? null : Number(each.at) }));
      // JSON, because -0 and 0 are one number to the database.
      if (JSON.stringify(found) !== JSON.stringify(expected)) t.same(found, expected);
    }),
    { numRuns: 200 },
  );
  const { rows: ids } = await client.query('SELECT $1::uuid[] AS ids, $2::text[] AS none', [
    binaryArray('uuid', ['0192aaaa-bbbb-7ccc-8ddd-eeeeffff0000', null]),
    binaryArray('text', []),
  ]);
  t.same(ids[0], { ids: ['0192aaaa-bbbb-7ccc-8ddd-eeeeffff0000', null], none: [] });
});

t.test('an instant is read as the general parser reads it', async (t) => {
  const { url } = await createTestDatabase(t);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  t.teardown(() => client.end());
  await client.query("SET TimeZone = 'UTC'");
  const instants = fc.sample(instantMs, 300).concat([0, Date.UTC(1, 0, 1), -62_167_219_200_000 + 86_400_000]);
  const { rows } = await client.query<{ text: string }>(
    'SELECT at::text AS text FROM unnest($1::timestamptz[]) AS r(at)',
    [binaryArray('timestamptz', instants)],
  );
  for (const [index, { text }] of rows.entries())
    t.equal(parseInstant(text).getTime(), instants[index], text);
  t.equal(parseInstant('2026-11-22 09:31:54.697123+00').getTime(), Date.UTC(2026, 10, 22, 9, 31, 54, 697));
  t.equal(parseInstant('2026-11-22 17:31:54.6+08').getTime(), Date.UTC(2026, 10, 22, 9, 31, 54, 600));
});
