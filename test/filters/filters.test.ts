import fc from 'fast-check';
import pg from 'pg';
import t from 'tap';
import { filterFaults } from '../../src/filters/check.js';
import { compileFilter } from '../../src/filters/compile.js';
import { matchesFilter } from '../../src/filters/evaluate.js';
import type { Filter, FilterCondition, FilterFacts } from '../../src/filters/fields.js';
import { createTestDatabase } from '../helpers/postgres.js';

/** Few values, so that filters and facts meet, and such as would leave their quotes if anything could. */
const texts = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'A',
    '"',
    '\\',
    '") || exists($ ? (1 == 1)) || exists($ ? (@ == "',
    '$',
    '@',
    'ä中😀',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }).map((text) => text.replaceAll('\0', '')),
);
const numbers = fc.oneof(
  fc.constantFrom(0, -0, 1, -1, 0.1, 1e21, -1e-7, 5e-324, 1.7976931348623157e308, 2 ** 53 - 1),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const scalars = fc.oneof(texts, numbers, fc.boolean());
const keys = fc.constantFrom('a', 'b.c', 'd-e', 'constructor', 'exists');
const choices: Record<string, string[]> = {
  kind: ['person', 'company'],
  country: ['DE', 'AT'],
  currency: ['EUR', 'USD'],
};
const textField = fc.constantFrom(
  'tag',
  'stage',
  'previousStage',
  'channel',
  'owner',
  'kind',
  'country',
  'currency',
);
const valuesOf = (field: string): fc.Arbitrary<string> =>
  choices[field] === undefined ? texts : fc.constantFrom(...choices[field]);

function compared<Value>(values: fc.Arbitrary<Value>) {
  return fc.oneof(
    fc.record({ op: fc.constantFrom('eq', 'ne'), value: values }),
    fc.record({
      op: fc.constantFrom('in', 'notIn'),
      values: fc.uniqueArray(values, { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ op: fc.constant('exists') }),
  );
}
const ordered = fc.record({ op: fc.constantFrom('gt', 'gte', 'lt', 'lte'), value: numbers });
const conditions = fc.oneof(
  textField.chain((field) => compared(valuesOf(field)).map((rest) => ({ field, ...rest }))),
  keys.chain((key) =>
    fc.oneof(compared(scalars), ordered).map((rest) => ({ field: `attributes.${key}`, ...rest })),
  ),
  fc.tuple(fc.oneof(compared(numbers), ordered), fc.constantFrom('EUR', 'USD')).map(([rest, currency]) => ({
    field: 'amountMinor',
    ...rest,
    ...(rest.op === 'exists' ? {} : { currency }),
  })),
) as fc.Arbitrary<FilterCondition>;

const { filter: filters } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    conditions,
    fc.record({ all: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('filter') }),
  ),
}));

const facts = fc.record(
  {
    ...Object.fromEntries(
      ['stage', 'previousStage', 'channel', 'owner', 'kind', 'country', 'currency'].map((field) => [
        field,
        valuesOf(field),
      ]),
    ),
    tag: fc.array(texts, { maxLength: 3 }),
    amountMinor: numbers,
    attributes: fc.dictionary(keys, fc.oneof(scalars, fc.array(texts, { maxLength: 3 }), fc.constant(null)), {
      noNullPrototype: true,
    }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<FilterFacts>;

t.test('a filter means the same in the database as it does here, and neither ever fails', async (t) => {
  const { url } = await createTestDatabase(t);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  let matched = 0;
  let asked = 0;
  const cases = fc.array(fc.tuple(filters, facts), { minLength: 40, maxLength: 40 });
  const property = fc.asyncProperty(cases, async (pairs) => {
    const { rows } = await client.query<{ holds: boolean | null }>(
      `SELECT jsonb_path_match(c.facts, c.path::jsonpath) AS holds
         FROM ROWS FROM (json_to_recordset($1::json) AS (facts jsonb, path text)) WITH ORDINALITY
           AS c(facts, path, place)
        ORDER BY c.place`,
      [JSON.stringify(pairs.map(([filter, known]) => ({ facts: known, path: compileFilter(filter) })))],
    );
    for (const [index, [filter, known]] of pairs.entries()) {
      const here = matchesFilter(filter, known);
      asked += 1;
      if (here) matched += 1;
      if (rows[index]?.holds !== here) {
        throw new Error(`${JSON.stringify(filter)} of ${JSON.stringify(known)}: ${rows[index]?.holds}`);
      }
    }
  });
  await fc.assert(property, { numRuns: 60 });
  await client.end();
  t.ok(matched > asked / 10 && matched < (asked * 9) / 10, `${matched} of ${asked} held`);
});

t.test('what the arbitrary filters are made of is sound', async () => {
  fc.assert(fc.property(conditions, (condition) => filterFaults(condition).length === 0));
});

t.test('what a condition on something that is not there means', async (t) => {
  const on = (rest: object) => matchesFilter({ field: 'attributes.tier', ...rest } as Filter, {});
  t.notOk(on({ op: 'eq', value: 'gold' }));
  t.notOk(on({ op: 'in', values: ['gold'] }));
  t.notOk(on({ op: 'gt', value: 1 }));
  t.notOk(on({ op: 'exists' }));
  t.ok(on({ op: 'ne', value: 'gold' }));
  t.ok(on({ op: 'notIn', values: ['gold'] }));
  const tier = { field: 'attributes.tier', op: 'eq', value: 'gold' } as const;
  t.ok(matchesFilter(tier, { attributes: { tier: ['silver', 'gold'] } }), 'of a list, one item suffices');
  const vip = { field: 'tag', op: 'in', values: ['vip', 'friend'] } as const;
  t.ok(matchesFilter(vip, { tag: ['early', 'vip'] }), 'of the tags, one suffices');
  t.notOk(matchesFilter(vip, { tag: [] }));
  t.ok(matchesFilter({ field: 'tag', op: 'ne', value: 'vip' }, { tag: [] }));
  const large = { field: 'amountMinor', op: 'gte', value: 100, currency: 'EUR' } as const;
  t.ok(matchesFilter(large, { amountMinor: 100, currency: 'EUR' }));
  t.notOk(
    matchesFilter(large, { amountMinor: 100, currency: 'JPY' }),
    'amounts of two currencies are not compared',
  );
});

t.test('each fault of a filter is named where it is', async (t) => {
  const leaf = { field: 'stage', op: 'eq', value: 'new' };
  const nest = (depth: number): object => (depth === 1 ? leaf : { not: nest(depth - 1) });
  const cases: [object, string[]][] = [
    [{ field: 'mood', op: 'eq', value: 'x' }, ['/field']],
    [{ field: 'tag', op: 'in', values: ['x', 5] }, ['/values/1']],
    [{ field: 'attributes.', op: 'exists' }, ['/field']],
    [{ field: 'stage' }, ['/op']],
    [{ op: 'eq', value: 1 }, ['']],
    [{ all: [leaf], any: [leaf] }, ['']],
    [{ all: [leaf], value: 1 }, ['']],
    [{ field: 'stage', op: 'eq', value: 5 }, ['/value']],
    [{ field: 'stage', op: 'eq' }, ['/value']],
    [{ field: 'stage', op: 'in', value: 'x' }, ['/value', '/values']],
    [{ field: 'stage', op: 'exists', value: 'x' }, ['/value']],
    [{ field: 'stage', op: 'gt', value: 'x' }, ['/op']],
    [{ field: 'kind', op: 'eq', value: 'robot' }, ['/value']],
    [{ field: 'country', op: 'in', values: ['DE', 'de'] }, ['/values/1']],
    [{ field: 'amountMinor', op: 'gt', value: 5 }, ['/currency']],
    [{ field: 'amountMinor', op: 'gt', value: '5', currency: 'EUR' }, ['/value']],
    [{ field: 'stage', op: 'eq', value: 'x', currency: 'EUR' }, ['/currency']],
    [{ field: 'attributes.a', op: 'lt', value: 'x' }, ['/value']],
    [{ any: [leaf, { not: { field: 'mood', op: 'exists' } }] }, ['/any/1/not/field']],
    [nest(5), []],
    [nest(6), ['/not/not/not/not/not']],
    [{ any: [{ all: Array(25).fill(leaf) }, { all: Array(25).fill(leaf) }] }, []],
    [{ any: [{ all: Array(25).fill(leaf) }, { all: Array(26).fill(leaf) }] }, ['']],
  ];
  for (const [filter, pointers] of cases) {
    const found = filterFaults(filter as Filter).map(({ pointer }) => pointer);
    t.same(found.sort(), pointers, JSON.stringify(filter).slice(0, 120));
  }
});
