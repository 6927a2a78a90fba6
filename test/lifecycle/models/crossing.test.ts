// Finding where a falling function passes a threshold, whatever its shape, in few steps.

import t from 'tap';
import { fallsTo } from '../../../src/lifecycle/models/crossing.js';

/** The root of each is known; the last three lure false position to one side or show it nothing. */
const SHAPES: [string, (x: number) => number, number][] = [
  ['a line', (x) => 1 - x / 1_000, 500],
  ['an exponential', (x) => Math.exp(-x), Math.LN2],
  ['a power', (x) => (1 + x) ** -3, 2 ** (1 / 3) - 1],
  ['a cliff', (x) => (x < 700 ? 1 : 0), 700],
  ['a plateau', (x) => (x < 123 ? 0.500001 : 0.1 / x), 123],
  ['a logistic', (x) => 1 / (1 + Math.exp((x - 314) * 50)), 314],
];

for (const [name, of, root] of SHAPES) {
  t.test(
    `${name}: from above, within a hundredth of a millisecond, in few more steps than bisection`,
    async (t) => {
      let evaluations = 0;
      const found = fallsTo(0.5, 0, 1_000, (x) => {
        evaluations += 1;
        return of(x);
      });
      t.ok(found >= root - 1e-12 && found - root <= 1.1e-10, `${found} for ${root}`);
      t.ok(of(found) <= 0.5);
      t.ok(evaluations <= 56, `${evaluations} evaluations`);
    },
  );
}

t.test('a smooth function takes less than half of what bisection does', async (t) => {
  let evaluations = 0;
  fallsTo(0.25, 10, 400, (x) => {
    evaluations += 1;
    return (50 / (40 + x)) ** 1.5;
  });
  t.ok(evaluations <= 20, `${evaluations}`);
});

t.test('a bracket too narrow for numbers, an empty one and a wrong one end at their end', async (t) => {
  t.equal(
    fallsTo(0.5, 3, 3, () => 1),
    3,
  );
  t.ok(fallsTo(0.5, 1e15, 1e15 + 1, (x) => (x > 1e15 ? 0 : 1)) <= 1e15 + 1);
  t.ok(Math.abs(fallsTo(0.5, 0, 10, () => 1) - 10) < 1e-6);
});
