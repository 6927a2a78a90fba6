// Random policies, timelines and histories for the property tests. Instants lie on a coarse grid as often as
// not, so that facts, due times, activations and ends of holds fall on one another.

import fc from 'fast-check';
import type { Condition } from '../../src/lifecycle/conditions.js';
import {
  type ManualMoveFact,
  type OrderFact,
  type ProfileChangeFact,
  SATISFACTION_SCALES,
  type TouchpointFact,
} from '../../src/lifecycle/facts.js';
import type { Policy } from '../../src/lifecycle/policy.js';
import type { History, Timeline } from '../../src/lifecycle/replay.js';
import { versionsOf } from './models/versions.js';
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

const windowDays = fc.oneof(
  fc.constantFrom(0.25, 1, 2.5, 5, 10, 20),
  fc.double({ min: 1e-6, max: 30, noNaN: true }),
);
const share = fc.constantFrom(0.05, 0.25, 0.5, 0.75, 0.95);
const currency = fc.constantFrom('EUR', 'USD');
const dropoutModel = fc.constantFrom('bg' as const, 'mbg' as const);
const is = <T extends string>(type: T) => fc.constant(type);

/** What can be told from the sum of the facts: a customer's state alone suffices to go on. */
const summed: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ type: is('orders'), atLeast: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ type: is('categories'), atLeast: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ type: is('spend'), currency, atLeastMinor: fc.integer({ min: 1, max: 9_000 }) }),
  fc.record({ type: is('silence'), days: windowDays }),
  fc.record({ type: is('interactionSilence'), days: windowDays }),
  fc.record({ type: is('cadenceQuantile'), q: fc.constantFrom(0.01, 0.1, 0.3, 0.5, 0.9, 0.999) }),
  fc.record({ type: is('cadenceMultiple'), multiple: fc.constantFrom(0.1, 0.25, 0.5, 1, 3) }),
  fc.record({ type: is('aliveProbability'), model: dropoutModel, below: share }),
  fc.record({
    type: is('orderProbability'),
    model: dropoutModel,
    withinDays: fc.constantFrom(1, 10, 60),
    below: share,
  }),
  fc.record(
    {
      type: is('satisfaction'),
      scale: fc.constantFrom(...SATISFACTION_SCALES),
      atMost: fc.integer({ min: 1, max: 5 }),
      withinDays: windowDays,
    },
    { requiredKeys: ['type', 'scale', 'atMost'] },
  ),
);

const counted = <T extends string>(type: T) =>
  fc.oneof(
    fc.record({ type: is(type), days: windowDays, atLeast: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ type: is(type), days: windowDays, lessThan: fc.integer({ min: 1, max: 4 }) }),
  );

/** What asks for the facts one by one, or for the profile: such a policy is decided by replay. */
const single: fc.Arbitrary<Condition> = fc.oneof(
  counted('recentOrders'),
  counted('recentInteractions'),
  fc.record({
    type: is('recentSpend'),
    days: windowDays,
    currency,
    atLeastMinor: fc.integer({ min: 1, max: 9_000 }),
  }),
  fc.record({
    type: is('recentSpend'),
    days: windowDays,
    currency,
    lessThanMinor: fc.integer({ min: 1, max: 9_000 }),
  }),
  fc.record({
    type: is('drop'),
    measure: fc.constantFrom('orders' as const, 'interactions' as const),
    days: fc.constantFrom(1, 2.5, 5, 10),
    by: share,
  }),
  fc.record({
    type: is('drop'),
    measure: fc.constant('spend' as const),
    currency,
    days: fc.constantFrom(1, 2.5, 5, 10),
    by: share,
  }),
  fc.record({ type: is('daysInStage'), stage, atLeast: fc.constantFrom(1, 2, 7, 15) }),
  fc.record({ type: is('tag'), tag: fc.constantFrom('vip', '老客户') }),
  fc.record({ type: is('channel'), in: fc.constantFrom<string[][]>(['web'], ['shop', 'web']) }),
  fc.record({ type: is('country'), in: fc.constantFrom<string[][]>(['DE'], ['CN', 'DE']) }),
  fc.record({
    type: is('attribute'),
    key: fc.constant('tier'),
    in: fc.constantFrom<string[][]>(['gold'], ['gold', 'blue']),
  }),
  fc.record({ type: is('attribute'), key: fc.constant('tier'), exists: fc.boolean() }),
  fc.record({ type: is('attribute'), key: fc.constant('points'), atLeast: fc.integer({ min: 0, max: 9 }) }),
);

const any = fc.oneof(summed, single);

function nested(plain: fc.Arbitrary<Condition>): fc.Arbitrary<Condition> {
  return fc.letrec<{ node: Condition }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      plain,
      fc.record({ type: is('all'), of: fc.array(tie('node'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ type: is('any'), of: fc.array(tie('node'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ type: is('not'), of: tie('node') }),
    ),
  })).node;
}

export const condition = nested(any);

const TIME_ZONES = ['UTC', 'Europe/Paris', 'America/New_York', 'Asia/Kathmandu'];

export function policy(timeZones = TIME_ZONES, conditions = condition): fc.Arbitrary<Policy> {
  return fc.record({
    template: fc.constant('ecommerce' as const),
    timeZone: fc.constantFrom(...timeZones),
    rules: fc.array(fc.record({ stage, when: conditions }), { minLength: 1, maxLength: 4 }),
    otherwise: stage,
  });
}

/** Of conditions over the sum of the facts alone. */
export const summedPolicy = (timeZones = TIME_ZONES) => policy(timeZones, nested(summed));

export const dropoutFit = fc
  .record({
    r: fc.constantFrom(0.3, 1.2),
    alphaDays: fc.constantFrom(4, 30),
    a: fc.constantFrom(0.8, 1.5),
    b: fc.constantFrom(1, 2.4),
  })
  // Evidence that has been through JSON is compared with it.
  .map((parameters) => ({ ...parameters }));

/** Null where the fit is refused. */
export const dropout = fc.option(dropoutFit);

export const cadence = fc.record({
  r: fc.constantFrom(0.3, 1, 3.7),
  alphaDays: fc.constantFrom(5, 20, 60),
  medianGapDays: fc.constantFrom(2, 8, 30),
});

const OPEN_DATES = fc.oneof(instant, fc.constant(null));

/** Versions 1, 2, …: the first from the beginning of time, later ones dated anywhere, the past included. */
const profileChange: fc.Arbitrary<Omit<ProfileChangeFact, 'id'>> = fc.oneof(
  fc.record({ at: instant, field: fc.constantFrom('tag:vip', 'tag:老客户'), value: fc.boolean() }),
  fc.record({ at: instant, field: fc.constant('channel'), value: fc.constantFrom('web', 'shop', null) }),
  fc.record({ at: instant, field: fc.constant('country'), value: fc.constantFrom('DE', 'CN', null) }),
  fc.record({
    at: instant,
    field: fc.constant('attributes.tier'),
    value: fc.constantFrom<unknown[]>('gold', 'blue', ['red', 'gold'], null),
  }),
  fc.record({ at: instant, field: fc.constant('attributes.points'), value: fc.integer({ min: 0, max: 9 }) }),
);

export function timeline(policies = policy()): fc.Arbitrary<Timeline> {
  return fc.record({
    policies: fc
      .tuple(policies, fc.array(fc.record({ effectiveFrom: OPEN_DATES, policy: policies }), { maxLength: 3 }))
      .map(([first, later]) =>
        [{ effectiveFrom: null, policy: first }, ...later].map((dated, i) => ({ version: i + 1, ...dated })),
      ),
    calibrations: fc
      .tuple(
        fc.array(fc.record({ effectiveFrom: instant, cadence, bg: dropout, mbg: dropout }), { maxLength: 3 }),
        fc.boolean(),
      )
      // The service has not always kept what a refused fit does not identify.
      .map(([dated, keeps]) =>
        keeps ? versionsOf(dated) : dated.map((one, i) => ({ version: i + 1, ...one })),
      ),
  });
}

const CATEGORIES = ['books', 'films', 'games', 'music'];

export const order: fc.Arbitrary<Omit<OrderFact, 'id'>> = fc.record({
  at: instant,
  categories: fc.subarray(CATEGORIES),
  currency: fc.constantFrom('EUR', 'USD'),
  amountMinor: fc.integer({ min: 0, max: 5_000 }),
});

const touchpoint: fc.Arbitrary<Omit<TouchpointFact, 'id'>> = fc.record(
  {
    at: instant,
    satisfaction: fc.option(
      fc.record({ scale: fc.constantFrom(...SATISFACTION_SCALES), score: fc.integer({ min: 1, max: 5 }) }),
    ),
  },
  { requiredKeys: ['at'] },
);

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
    changes: fc.array(profileChange, { maxLength: 4 }),
  })
  .map(({ createdAt, orders, touchpoints, moves, changes }) => ({
    createdAt,
    orders: withIds(orders, 'o'),
    touchpoints: withIds(touchpoints, 't'),
    moves: withIds(moves, 'm'),
    changes: withIds(changes, 'c'),
  }));
