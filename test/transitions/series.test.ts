// The points of a series, and what is counted at them.

import t from 'tap';
import { countsFrom, POINTS_MAX, pointsOf, type Stretch } from '../../src/transitions/series.js';

const days = (from: string, to: string, step: Stretch['step']) =>
  pointsOf({ from: new Date(from), to: new Date(to), step })?.map((point) => point.toISOString());

t.test(
  'a series begins at its first instant and has every step up to its last, that one included',
  async (t) => {
    t.same(days('2026-01-01T06:00:00Z', '2026-01-03T06:00:00Z', 'day'), [
      '2026-01-01T06:00:00.000Z',
      '2026-01-02T06:00:00.000Z',
      '2026-01-03T06:00:00.000Z',
    ]);
    t.same(days('2026-01-01T00:00:00Z', '2026-01-14T23:59:59.999Z', 'week'), [
      '2026-01-01T00:00:00.000Z',
      '2026-01-08T00:00:00.000Z',
    ]);
    t.same(days('2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'month'), ['2026-01-01T00:00:00.000Z']);
  },
);

t.test('months keep their day where there is one, and end where there is none', async (t) => {
  t.same(days('2023-11-30T12:00:00Z', '2024-04-30T12:00:00Z', 'month'), [
    '2023-11-30T12:00:00.000Z',
    '2023-12-30T12:00:00.000Z',
    '2024-01-30T12:00:00.000Z',
    '2024-02-29T12:00:00.000Z',
    '2024-03-30T12:00:00.000Z',
    '2024-04-30T12:00:00.000Z',
  ]);
});

t.test('there are at most so many points', async (t) => {
  const from = new Date('2025-01-01T00:00:00Z');
  const upTo = (count: number) => new Date(from.getTime() + (count - 1) * 86_400_000);
  t.equal(pointsOf({ from, to: upTo(POINTS_MAX), step: 'day' })?.length, POINTS_MAX);
  t.equal(pointsOf({ from, to: upTo(POINTS_MAX + 1), step: 'day' }), undefined);
  t.equal(pointsOf({ from: new Date(0), to: new Date('2099-12-31'), step: 'day' }), undefined);
});

t.test('moves add up from point to point, and a stage that all have left is not there', async (t) => {
  const counts = countsFrom(
    [
      { stage: 'new', left: null, point: 0, customers: 3 },
      { stage: 'mature', left: 'new', point: 2, customers: 2 },
      { stage: 'new', left: 'mature', point: 2, customers: 1 },
      { stage: 'mature', left: 'new', point: 2, customers: 2 },
      // After the last point.
      { stage: 'churned', left: 'mature', point: 3, customers: 9 },
    ],
    3,
  );
  const [all, some] = [new Map([['new', 3]]), new Map(Object.entries({ mature: 3 }))];
  t.same(counts, [all, all, some]);
  t.same(countsFrom([], 1), [new Map()]);
});
