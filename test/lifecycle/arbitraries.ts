// Random policies, timelines and histories for the property tests. Instants lie on a coarse grid as often as
// not, so that facts, due times, activations and ends of holds fall on one another.

import fc from 'fast-check';
import type { Condition } from '../../src/lifecycle/conditions.js';
import type { ManualMoveFact, OrderFact, TouchpointFact } from '../../src/lifecycle/facts.js';
import type { Policy } from '../../src/lifecycle/policy.js';
import type { History, Timeline } from '../../src/lifecycle/replay.js';
import { DAY } from './reference.js';

const STAGES = ['prospect', 'new', 'mature', 'declining', 'churned'];
/** Around the day on which clocks in Europe and in New York go forward, in different weeks. */
export const START = Date.UTC(2024, 2, 1);
export const SPAN_DAYS = 60;

export const stage = fc.constantFrom(...STAGES);

/** Six-hour grid, or any millisecond. */
export const instant = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: SPAN_DAYS * 4 }).map((n) => START + (n * DAY) / 4) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: SPAN_DAYS * DAY }).map((ms) => START + ms) },
);

const plain: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ type: fc.constant('orders' as const), atLeast: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ type: fc.constant('categories' as const), atLeast: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    type: fc.constant('silence' as const),
    days: fc.oneof(
      fc.constantFrom(0.25, 0.5, 1, 2.5, 5, 10, 20),
      fc.double({ min: 1e-6, max: 30, noNaN: true }),
    ),
  }),
  fc.record({
    type: fc.constant('cadenceQuantile' as const),
    q: fc.constantFrom(0.01, 0.1, 0.3, 0.5, 0.9, 0.999),
  }),
  fc.record({
    type: fc.constant('cadenceMultiple' as const),
    multiple: fc.constantFrom(0.1, 0.25, 0.5, 1, 3),
  }),
);

export const condition: fc.Arbitrary<Condition> = fc.letrec<{ node: Condition }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    plain,
    fc.record({
      type: fc.constant('all' as const),
      of: fc.array(tie('node'), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({
      type: fc.constant('any' as const),
      of: fc.array(tie('node'), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ type: fc.constant('not' as const), of: tie('node') }),
  ),
})).node;

export function policy(
  timeZones = ['UTC', 'Europe/Paris', 'America/New_York', 'Asia/Kathmandu'],
): fc.Arbitrary<Policy> {
  return fc.record({
    template: fc.constant('ecommerce' as const),
    timeZone: fc.constantFrom(...timeZones),
    rules: fc.array(fc.record({ stage, when: condition }), { minLength: 1, maxLength: 4 }),
    otherwise: stage,
  });
}

export const cadence = fc.record({
  r: fc.constantFrom(0.3, 1, 3.7),
  alphaDays: fc.constantFrom(5, 20, 60),
  medianGapDays: fc.constantFrom(2, 8, 30),
});

const OPEN_DATES = fc.oneof(instant, fc.constant(null));

/** Versions 1, 2, …: the first from the beginning of time, later ones dated anywhere, the past included. */
export function timeline(policies = policy()): fc.Arbitrary<Timeline> {
  return fc.record({
    policies: fc
      .tuple(policies, fc.array(fc.record({ effectiveFrom: OPEN_DATES, policy: policies }), { maxLength: 3 }))
      .map(([first, later]) =>
        [{ effectiveFrom: null, policy: first }, ...later].map((dated, i) => ({ version: i + 1, ...dated })),
      ),
    calibrations: fc
      .array(fc.record({ effectiveFrom: instant, cadence }), { maxLength: 3 })
      .map((dated) => dated.map((one, i) => ({ version: i + 1, ...one }))),
  });
}

const CATEGORIES = ['books', 'films', 'games', 'music'];

export const order: fc.Arbitrary<Omit<OrderFact, 'id'>> = fc.record({
  at: instant,
  categories: fc.subarray(CATEGORIES),
  currency: fc.constantFrom('EUR', 'USD'),
  amountMinor: fc.integer({ min: 0, max: 5_000 }),
});

const touchpoint: fc.Arbitrary<Omit<TouchpointFact, 'id'>> = fc.record({ at: instant });

const move: fc.Arbitrary<Omit<ManualMoveFact, 'id'>> = fc
  .record({
    at: instant,
    to: stage,
    holdDays: fc.oneof(fc.constant(null), fc.constantFrom(0, 0.25, 1, 5, 12.5)),
    reason: fc.constantFrom('asked', 'moved away'),
    actor: fc.constantFrom('ada', 'ben'),
  })
  .map(({ holdDays, ...rest }) => ({
    ...rest,
    holdUntil: holdDays === null ? null : rest.at + holdDays * DAY,
  }));

function withIds<T>(facts: T[], letter: string): (T & { id: string })[] {
  return facts.map((fact, i) => ({ ...fact, id: `${letter}${String((i * 7) % 100).padStart(2, '0')}` }));
}

/** In no order at all. */
export const history: fc.Arbitrary<History> = fc
  .record({
    createdAt: instant,
    orders: fc.array(order, { maxLength: 7 }),
    touchpoints: fc.array(touchpoint, { maxLength: 3 }),
    moves: fc.array(move, { maxLength: 3 }),
  })
  .map(({ createdAt, orders, touchpoints, moves }) => ({
    createdAt,
    orders: withIds(orders, 'o'),
    touchpoints: withIds(touchpoints, 't'),
    moves: withIds(moves, 'm'),
  }));
