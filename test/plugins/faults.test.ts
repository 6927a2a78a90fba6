import fc from 'fast-check';
import t from 'tap';
import { createValidatorBuilder } from '../../src/plugins/validation/compiler.js';
import { findFaults } from '../../src/plugins/validation/faults.js';
import { createInliner } from '../../src/plugins/validation/inline.js';

const schema = {
  $id: 'Node',
  type: 'object',
  additionalProperties: false,
  required: ['kind'],
  properties: {
    kind: { type: 'string', enum: ['a', 'b'] },
    count: { type: 'integer', minimum: 0, maximum: 3 },
    share: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 },
    at: { type: 'string', format: 'date-time', maxLength: 35 },
    name: { type: 'string', minLength: 1, maxLength: 3, pattern: '^[a-z🙂]*$' },
    owner: { anyOf: [{ type: 'string', format: 'uuid', maxLength: 36 }, { type: 'null' }] },
    tags: {
      type: 'array',
      minItems: 1,
      maxItems: 2,
      uniqueItems: true,
      items: { type: 'string', maxLength: 2 },
    },
    child: { $ref: 'Node#' },
    shape: {
      oneOf: [
        {
          type: 'object',
          additionalProperties: false,
          required: ['is'],
          properties: { is: { const: 'flat' } },
        },
        {
          type: 'object',
          additionalProperties: false,
          required: ['is', 'of'],
          properties: { is: { const: 'deep' }, of: { type: 'array', maxItems: 2, items: { $ref: 'Node#' } } },
        },
      ],
    },
    bag: {
      type: 'object',
      minProperties: 1,
      maxProperties: 2,
      propertyNames: { type: 'string', maxLength: 4 },
      patternProperties: { '^n': { type: 'number' }, '^s': { type: 'string', maxLength: 5 } },
      additionalProperties: false,
    },
  },
};

const check = createValidatorBuilder()({ Node: schema })({ schema: { $ref: 'Node#' }, httpPart: 'body' });

const { recursive } = createInliner({ 'Node#': schema });

/** Mostly what fits; `wrong` is what does not. */
const mostly = <T>(right: fc.Arbitrary<T>, ...wrong: unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 30, arbitrary: right }, { weight: 1, arbitrary: fc.constantFrom(...wrong) });

const { node } = fc.letrec<{ node: object }>((tie) => ({
  node: fc.record(
    {
      kind: mostly(fc.constantFrom('a', 'b'), 'c', 1),
      count: mostly(fc.constantFrom(0, 3), 4, -1, 1.5, '1'),
      share: mostly(fc.constant(0.5), 0, 1),
      at: mostly(fc.constant('2024-02-29T00:00:00Z'), '2023-02-29T00:00:00Z', 7),
      name: mostly(fc.constantFrom('abc', '🙂🙂🙂'), '🙂🙂🙂🙂', '', 'A'),
      owner: mostly(fc.constantFrom(null, '0190aaaa-0000-7000-8000-000000000000'), 'x', 5),
      tags: mostly(
        fc.uniqueArray(fc.constantFrom('x', 'y'), { minLength: 1 }),
        [],
        ['x', 'x'],
        ['xyz'],
        [1],
        'x',
      ),
      child: tie('node'),
      shape: fc.oneof(
        mostly(
          fc.constant({ is: 'flat' }),
          { is: 'flat', of: [] },
          { is: 'deep' },
          { is: 'round' },
          {},
          3,
          null,
        ),
        fc.record({ is: fc.constant('deep'), of: fc.array(tie('node'), { maxLength: 2 }) }),
      ),
      bag: mostly(fc.constantFrom({ n: 1 }, { s: 'a', n1: 2 }), {}, { n: 'a' }, { o: 1 }, { nnnnn: 1 }, [1]),
    },
    { requiredKeys: ['kind'] },
  ),
}));

t.test('faults are found exactly where the compiled check refuses', async (t) => {
  let refused = 0;
  let accepted = 0;
  const property = fc.property(node, (value) => {
    const outcome = check(value);
    if (!('error' in outcome)) {
      const found = findFaults({ schema: { $ref: 'Node#' }, value, pointer: '' }, recursive);
      if (found.length > 0) throw new Error(`accepted with a fault: ${JSON.stringify(found)}`);
      accepted += 1;
      return;
    }
    refused += 1;
    const { faults = [] } = outcome.error;
    // The fallback would mean that the search found nothing to tell.
    if (faults.length === 0 || faults.some(({ detail }) => detail === 'does not fit its schema')) {
      throw new Error(`refused without a fault: ${JSON.stringify(value)}`);
    }
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2000 }));
  t.ok(refused > 200 && accepted > 20, `${refused} were refused and ${accepted} accepted`);
});

t.test('mending what is told leads to a value that fits: no fault is invented', async (t) => {
  const mended = {
    kind: 'a',
    count: 2,
    share: 0.1,
    name: '🙂',
    owner: null,
    tags: ['x', 'y'],
    bag: { n: 1, s: 'a' },
  };
  t.same(check(mended), { value: mended });
  const wrong = { ...mended, count: 9, child: { kind: 'b', tags: ['x', 'x'] } };
  const outcome = check(wrong);
  t.same('error' in outcome ? outcome.error.faults : [], [
    { pointer: '/count', detail: 'must be at most 3' },
    { pointer: '/child/tags', detail: 'must not have an item twice' },
  ]);
});

t.test('however bad a body is, twenty faults are enough', async (t) => {
  const nested = (depth: number): object =>
    depth === 0
      ? { kind: 0 }
      : { kind: 0, extra: 1, shape: { is: 'deep', of: [nested(depth - 1), nested(depth - 1)] } };
  const outcome = check(nested(10));
  t.equal('error' in outcome && outcome.error.faults?.length, 20);
});

t.test('what nobody checks stops the start', async (t) => {
  const build = createValidatorBuilder()({ Node: schema });
  t.throws(() => build({ schema: { type: 'string', format: 'iban' } }), /nothing checks the format 'iban'/);
  t.throws(() => build({ schema: { $ref: 'Nodes#' } }), /no shared schema is registered as 'Nodes#'/);
});
