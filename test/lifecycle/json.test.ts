// When two JSON values say the same.

import t from 'tap';
import { sameJson } from '../../src/lifecycle/json.js';

t.test('values are the same whatever the order of their keys', async (t) => {
  const same: [unknown, unknown][] = [
    [1, 1],
    ['a', 'a'],
    [null, null],
    [[], []],
    [{}, {}],
    [
      { a: 1, b: { c: [1, { d: null, e: 'x' }] } },
      { b: { c: [1, { e: 'x', d: null }] }, a: 1 },
    ],
  ];
  for (const [a, b] of same) {
    t.ok(sameJson(a, b), JSON.stringify(a));
    t.ok(sameJson(b, a));
  }
});

t.test('any other difference is one', async (t) => {
  const different: [unknown, unknown][] = [
    [1, 2],
    [1, '1'],
    [0, false],
    [0, null],
    [null, {}],
    [[], {}],
    [[1], [1, 2]],
    [
      [1, 2],
      [2, 1],
    ],
    [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, { b: 1 }],
    [{ a: 1 }, { a: 1, b: 1 }],
    [{ a: null }, {}],
    [{ a: { b: [1] } }, { a: { b: [2] } }],
  ];
  for (const [a, b] of different) {
    t.notOk(sameJson(a, b), `${JSON.stringify(a)} and ${JSON.stringify(b)}`);
    t.notOk(sameJson(b, a));
  }
});
