import t from 'tap';
import { mergePatch } from '../../src/policies/merge-patch.js';

/** Of the examples in RFC 7396, appendix A. */
const EXAMPLES: [target: unknown, patch: unknown, result: unknown][] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'foo' }, null, null],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

t.test('a merge patch does what RFC 7396 shows', async (t) => {
  for (const [target, patch, result] of EXAMPLES) {
    const [before, asked] = [JSON.stringify(target), JSON.stringify(patch)];
    t.strictSame(mergePatch(target, patch), result, `${before} by ${asked}`);
    t.equal(JSON.stringify(target), before, 'what is patched is left as it was');
  }
});

t.test('no name reaches the prototype', async (t) => {
  const merged = mergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}')) as object;
  t.notOk('polluted' in {});
  t.notOk('polluted' in merged && !Object.hasOwn(merged, '__proto__'));
});
