// AUC and the Brier score by their definitions.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { auc, brier } from '../../../src/lifecycle/models/scores.js';

t.test('perfect, reversed and useless scores', async (t) => {
  const outcomes = [false, false, true, true];
  t.equal(auc([1, 2, 3, 4], outcomes), 1);
  t.equal(auc([4, 3, 2, 1], outcomes), 0);
  t.equal(auc([7, 7, 7, 7], outcomes), 0.5);
  t.equal(auc([1, 2, 2, 3], outcomes), 0.875, 'a tie counts half');
  t.equal(auc([-Infinity, 0, Infinity, Infinity], outcomes), 1);
});

t.test('of one kind alone, or nobody, there is no score', async (t) => {
  t.equal(auc([1, 2], [true, true]), null);
  t.equal(auc([1, 2], [false, false]), null);
  t.equal(auc([], []), null);
  t.equal(brier([], []), null);
});

t.test('a score that is no number is lower than every other', async (t) => {
  t.equal(auc([Number.NaN, 1, 2, 3], [true, false, false, false]), 0);
  t.equal(auc([Number.NaN, Number.NaN], [true, false]), 0.5);
});

t.test('AUC is the share of pairs that are in order, ties half', async () => {
  const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.boolean()), { maxLength: 40 });
  fc.assert(
    fc.property(pairs, (drawn) => {
      const yes = drawn.filter(([, outcome]) => outcome);
      const no = drawn.filter(([, outcome]) => !outcome);
      let wins = 0;
      for (const [a] of yes) for (const [b] of no) wins += a > b ? 1 : a === b ? 0.5 : 0;
      const expected = yes.length === 0 || no.length === 0 ? null : wins / (yes.length * no.length);
      assert.equal(
        auc(
          drawn.map(([score]) => score),
          drawn.map(([, outcome]) => outcome),
        ),
        expected,
      );
    }),
  );
});

t.test('the Brier score is the mean squared error', async (t) => {
  t.equal(brier([1, 0], [true, false]), 0);
  t.equal(brier([0, 1], [true, false]), 1);
  t.equal(brier([0.5, 0.5, 0.5], [true, false, true]), 0.25);
  t.ok(Math.abs((brier([0.9, 0.2], [true, false]) ?? 0) - 0.025) < 1e-15);
});
