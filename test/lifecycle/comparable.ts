// Random conditions that have something to say of each other: plain ones about one subject with figures that are
// equal, close or in order, and small formulas of them. Unrelated ones hardly ever imply or exclude each other.

import fc from 'fast-check';
import type { Condition } from '../../src/lifecycle/conditions.js';
import type { ProfileChangeFact, TouchpointFact } from '../../src/lifecycle/facts.js';
import type { History, Timeline } from '../../src/lifecycle/replay.js';
import {
  history as anyHistory,
  cadence,
  dropoutFit,
  instant,
  START,
  stage,
  timeline,
} from './arbitraries.js';

const is = <T extends string>(type: T) => fc.constant(type);
const days = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(0.25, 1, 1 + 1e-9, 2.5, 5, 10, 20) },
  { weight: 1, arbitrary: fc.double({ min: 1e-6, max: 30, noNaN: true }) },
);
const few = fc.integer({ min: 1, max: 3 });
const currency = fc.constantFrom('EUR', 'EUR', 'USD');
const money = fc.constantFrom(1, 1_000, 2_500, 5_000);
const some = <T>(...values: T[]) => fc.subarray(values, { minLength: 1 });

const counted = <T extends string>(type: T) =>
  fc.oneof(
    fc.record({ type: is(type), days, atLeast: few }),
    fc.record({ type: is(type), days, lessThan: few }),
  );

const purchases: fc.Arbitrary<Condition> = fc.oneof(
  { weight: 4, arbitrary: counted('recentOrders') },
  { weight: 2, arbitrary: fc.record({ type: is('silence'), days }) },
  { weight: 2, arbitrary: fc.record({ type: is('orders'), atLeast: few }) },
  { weight: 1, arbitrary: fc.record({ type: is('spend'), currency, atLeastMinor: money }) },
  { weight: 2, arbitrary: fc.record({ type: is('recentSpend'), days, currency, atLeastMinor: money }) },
  { weight: 1, arbitrary: fc.record({ type: is('recentSpend'), days, currency, lessThanMinor: money }) },
  { weight: 1, arbitrary: fc.record({ type: is('categories'), atLeast: few }) },
);

const score = fc.integer({ min: 1, max: 5 });
const scale = fc.constantFrom('csat' as const, 'csat' as const, 'nps' as const);
const answers: fc.Arbitrary<Condition> = fc.oneof(
  fc.record(
    { type: is('satisfaction'), scale, atLeast: score, withinDays: days },
    { requiredKeys: ['type', 'scale', 'atLeast'] },
  ),
  fc.record(
    { type: is('satisfaction'), scale, atMost: score, withinDays: days },
    { requiredKeys: ['type', 'scale', 'atMost'] },
  ),
);
const contacts: fc.Arbitrary<Condition> = fc.oneof(
  { weight: 3, arbitrary: counted('recentInteractions') },
  { weight: 2, arbitrary: fc.record({ type: is('interactionSilence'), days }) },
  { weight: 2, arbitrary: answers },
);

const origins: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ type: is('channel'), in: some('web', 'shop', 'fair') }),
  fc.record({ type: is('country'), in: some('DE', 'CN', 'FR') }),
);

/** The values are words, numbers, lists of both, and none: see `change`. */
const bound = fc.integer({ min: 0, max: 9 });
const key = is('tier');
const attributes: fc.Arbitrary<Condition> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      type: is('attribute'),
      key,
      in: some<string | number>('gold', 'blue', 'red', 3, 7),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: is('attribute'), key, exists: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: is('attribute'), key, atLeast: bound }) },
  { weight: 1, arbitrary: fc.record({ type: is('attribute'), key, atMost: bound }) },
  {
    weight: 1,
    arbitrary: fc.tuple(bound, bound).map(([a, b]): Condition => {
      return { type: 'attribute', key: 'tier', atLeast: Math.min(a, b), atMost: Math.max(a, b) };
    }),
  },
);

const model = fc.constantFrom('bg' as const, 'mbg' as const, 'mbg' as const);
const below = fc.constantFrom(0.05, 0.25, 0.2501, 0.25 + 1e-12, 0.26, 0.5, 0.75, 0.95);
const withinDays = fc.constantFrom(1, 10, 10 + 1e-10, 60);
const probabilities: fc.Arbitrary<Condition> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ type: is('aliveProbability'), model, below }) },
  { weight: 3, arbitrary: fc.record({ type: is('orderProbability'), model, withinDays, below }) },
);

const cadences: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ type: is('cadenceQuantile'), q: fc.constantFrom(0.1, 0.5, 0.500_001, 0.9) }),
  fc.record({ type: is('cadenceMultiple'), multiple: fc.constantFrom(0.1, 0.5, 1, 3) }),
);

const stays: fc.Arbitrary<Condition> = fc.record({
  type: is('daysInStage'),
  stage: fc.constantFrom('new', 'mature'),
  atLeast: fc.constantFrom(1, 2, 7),
});

const by = fc.constantFrom(0.05, 0.25, 0.5, 0.75, 0.95);
const drops: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({
    type: is('drop'),
    measure: fc.constantFrom('orders' as const, 'interactions' as const),
    days: fc.constantFrom(1, 5),
    by,
  }),
  fc.record({ type: is('drop'), measure: is('spend'), currency, days: fc.constantFrom(1, 5), by }),
  fc.record({ type: is('orders'), atLeast: few }),
);

const SUBJECTS = [
  purchases,
  contacts,
  answers,
  origins,
  attributes,
  probabilities,
  fc.oneof(cadences, stays, drops),
];

function formula(plain: fc.Arbitrary<Condition>): fc.Arbitrary<Condition> {
  const list = (of: fc.Arbitrary<Condition>) => fc.array(of, { minLength: 1, maxLength: 3 });
  const denied = fc.record({ type: is('not'), of: plain });
  const flat = fc.oneof({ weight: 3, arbitrary: plain }, { weight: 1, arbitrary: denied });
  const grouped = fc.record({ type: fc.constantFrom('all' as const, 'any' as const), of: list(flat) });
  const part = fc.oneof({ weight: 3, arbitrary: flat }, { weight: 2, arbitrary: grouped });
  const compound = fc.record({ type: fc.constantFrom('all' as const, 'any' as const), of: list(part) });
  return fc.oneof(
    { weight: 4, arbitrary: flat },
    { weight: 4, arbitrary: compound },
    { weight: 1, arbitrary: fc.record({ type: is('not'), of: compound }) },
  );
}

/** So many conditions about one subject, or now and then about two. */
export function comparable(count: number): fc.Arbitrary<Condition[]> {
  const subject = fc.constantFrom(...SUBJECTS);
  return fc.tuple(subject, fc.option(subject, { freq: 4 })).chain(([one, other]) => {
    const plain = other === null ? one : fc.oneof(one, other);
    return fc.array(formula(plain), { minLength: count, maxLength: count });
  });
}

const change: fc.Arbitrary<Omit<ProfileChangeFact, 'id'>> = fc.oneof(
  fc.record({ at: instant, field: is('channel'), value: fc.constantFrom('web', 'shop', 'fair', null) }),
  fc.record({ at: instant, field: is('country'), value: fc.constantFrom('DE', 'CN', 'FR', null) }),
  {
    weight: 3,
    arbitrary: fc.record({
      at: instant,
      field: is('attributes.tier'),
      value: fc.constantFrom<unknown[]>(
        'gold',
        'red',
        0,
        3,
        5,
        7,
        9,
        ['red', 'gold'],
        [3, 'blue'],
        [7],
        [],
        null,
      ),
    }),
  },
);

const answer: fc.Arbitrary<Omit<TouchpointFact, 'id'>> = fc.record({
  at: instant,
  satisfaction: fc.record({ scale, score }),
});

/** A history with more answers and more in its profile than most, so that conditions about them hold often. */
export const history: fc.Arbitrary<History> = fc
  .tuple(anyHistory, fc.array(change, { maxLength: 6 }), fc.array(answer, { maxLength: 4 }))
  .map(([facts, changes, answers]) => ({
    ...facts,
    changes: changes.map((one, i) => ({ ...one, id: `c${i}` })),
    touchpoints: [...facts.touchpoints, ...answers.map((one, i) => ({ ...one, id: `a${i}` }))],
  }));

/**
 * Versions whose rules are these conditions, so that whoever walks by them looks at all that they look at; and
 * models from the first day on.
 */
export function timelineOf(conditions: Condition[]): fc.Arbitrary<Timeline> {
  const rules = fc.tuple(...conditions.map((when) => stage.map((key) => ({ stage: key, when }))));
  const policies = fc.record({
    template: fc.constant('ecommerce' as const),
    timeZone: fc.constantFrom('UTC', 'Europe/Paris', 'Asia/Kathmandu'),
    rules,
    otherwise: stage,
  });
  const first = fc.record({ cadence, bg: dropoutFit, mbg: dropoutFit });
  return fc.tuple(timeline(policies), first).map(([versions, fits]) => ({
    policies: versions.policies,
    calibrations: [
      { version: 1, effectiveFrom: START, ...fits },
      ...versions.calibrations.map((later) => ({ ...later, version: later.version + 1 })),
    ],
  }));
}
