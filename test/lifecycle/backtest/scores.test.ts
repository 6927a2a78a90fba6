import fc from 'fast-check';
import t from 'tap';
import {
  aucOf,
  countScore,
  decilesOf,
  emptyScores,
  ratioOf,
  rocOf,
  STEPS_SEGMENT,
  STEPS_WHOLE,
  shareOf,
} from '../../../src/lifecycle/backtest/scores.js';
import { auc } from '../../../src/lifecycle/models/scores.js';

function counted(scores: readonly [share: number, hasStopped: boolean][], steps = STEPS_WHOLE) {
  const counts = emptyScores(steps);
  for (const [share, hasStopped] of scores) countScore(counts, share, hasStopped);
  return counts;
}

const scored = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean()), {
  maxLength: 200,
});

t.test('the AUC of counted scores is that of the rounded ones, exactly', async (t) => {
  fc.assert(
    fc.property(scored, fc.constantFrom(STEPS_WHOLE, STEPS_SEGMENT), (scores, steps) => {
      const rounded = scores.map(([share]) => Math.min(Math.floor(share * steps), steps - 1));
      const expected = auc(
        rounded,
        scores.map(([, hasStopped]) => hasStopped),
      );
      const found = aucOf(counted(scores, steps));
      return found === expected || Math.abs((found ?? 2) - (expected ?? -2)) < 1e-12;
    }),
  );
  t.equal(aucOf(counted([])), null);
  t.equal(aucOf(counted([[0.5, true]])), null, 'of one kind only');
});

t.test('a ratio of 1 is one half, and there is a way back', async (t) => {
  t.equal(shareOf(1), 0.5);
  t.equal(shareOf(0), 0);
  for (const ratio of [0.1, 1, 2.5, 40]) t.ok(Math.abs(ratioOf(shareOf(ratio)) - ratio) < 1e-9);
});

t.test('deciles hold everybody once, by rising scores', async (t) => {
  fc.assert(
    fc.property(scored, (scores) => {
      const deciles = decilesOf(counted(scores));
      const customers = deciles.reduce((total, decile) => total + decile.customers, 0);
      const isRising = deciles.every(({ from, to, mean }, i) => {
        return from < to && mean >= from && mean <= to && from >= (deciles[i - 1]?.to ?? 0);
      });
      return customers === scores.length && deciles.length <= 10 && isRising;
    }),
  );
  const hundred = Array.from({ length: 100 }, (_, i): [number, boolean] => [i / 100, i >= 50]);
  const deciles = decilesOf(counted(hundred));
  t.same(
    deciles.map(({ customers }) => customers),
    Array(10).fill(10),
  );
  t.same(
    deciles.map(({ stopped }) => stopped),
    [0, 0, 0, 0, 0, 10, 10, 10, 10, 10],
  );
});

t.test('those who are not in a large group of the same score are parted evenly', async (t) => {
  const tied = Array.from({ length: 400 }, (): [number, boolean] => [0, false]);
  const spread = Array.from({ length: 600 }, (_, i): [number, boolean] => [(i + 1) / 601, true]);
  const sizes = decilesOf(counted([...tied, ...spread])).map(({ customers }) => customers);
  t.equal(sizes.length, 10);
  t.equal(sizes[0], 400);
  for (const size of sizes.slice(1)) t.ok(size === 66 || size === 67, sizes.join());
});

t.test('the ROC curve goes from nobody to everybody, and its area is the AUC', async (t) => {
  const scores = Array.from({ length: 500 }, (_, i): [number, boolean] => [
    ((i * 37) % 500) / 500,
    (i * 37) % 500 > 100 + ((i * 91) % 300),
  ]);
  const roc = rocOf(counted(scores), 60);
  t.same(roc[0], { falsePositiveRate: 0, truePositiveRate: 0 });
  t.same(roc.at(-1), { falsePositiveRate: 1, truePositiveRate: 1 });
  const area = roc.slice(1).reduce((total, point, i) => {
    const before = roc[i] ?? point;
    const width = point.falsePositiveRate - before.falsePositiveRate;
    return total + (width * (point.truePositiveRate + before.truePositiveRate)) / 2;
  }, 0);
  t.ok(Math.abs(area - (aucOf(counted(scores)) ?? 0)) < 0.01, `${area}`);
  t.ok(roc.length < 150, `${roc.length} points`);
  t.same(rocOf(counted([[0.3, true]]), 60), []);
});
