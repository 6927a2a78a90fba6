// What one customer comes to under a shadow, by tables: where its ledger begins, since when two ledgers differ, and what
// is counted.

import t from 'tap';
import type { Policy } from '../../src/lifecycle/policy.js';
import type { Transition } from '../../src/lifecycle/transition.js';
import {
  differingSince,
  reckon,
  SHADOW_VERSION,
  shadowTimeline,
  standingFrom,
  tally,
} from '../../src/shadows/reckon.js';

const DAY_MS = 86_400_000;

/** Only what is looked at here. */
function row(effectiveAt: number, from: string | null, to: string): Transition {
  return {
    ...{ effectiveAt, from, to, cause: 'time', causeId: null, policyVersion: 1, calibrationVersion: 0 },
    ...{ evidence: { stage: to } as Transition['evidence'], actor: null, reason: null },
  };
}

const policyOf = (days: number): Policy => ({
  ...{ template: 'ecommerce', timeZone: 'UTC', otherwise: 'prospect' },
  rules: [
    { stage: 'churned', when: { type: 'silence', days } },
    { stage: 'new', when: { type: 'orders', atLeast: 1 } },
  ],
});

t.test('a shadow’s ledger begins with the row that stood when it began', async (t) => {
  const rows = [row(10, null, 'prospect'), row(20, 'prospect', 'new'), row(30, 'new', 'churned')];
  const from = (since: number) => standingFrom(rows, since).map(({ effectiveAt }) => effectiveAt);
  t.same(from(5), [10, 20, 30], 'a customer who came later has all of it');
  t.same(from(10), [10, 20, 30]);
  t.same(from(25), [20, 30]);
  t.same(from(30), [20, 30], 'a row at the very instant is the shadow’s own');
  t.same(from(31), [30]);
});

t.test('two ledgers have differed since the last instant at which they had not', async (t) => {
  const live = [row(0, null, 'new'), row(50, 'new', 'declining')];
  const cases: { shadow: Transition[]; since: number; why: string }[] = [
    { shadow: [row(0, null, 'new')], since: 50, why: 'the live one has moved' },
    { shadow: [row(0, null, 'new'), row(20, 'new', 'churned')], since: 20, why: 'the shadow had before' },
    {
      shadow: [row(0, null, 'new'), row(20, 'new', 'declining'), row(70, 'declining', 'churned')],
      since: 70,
      why: 'they agreed again in between',
    },
    {
      shadow: [row(0, null, 'new'), row(50, 'new', 'churned')],
      since: 50,
      why: 'both have moved at once, apart',
    },
    { shadow: [row(0, null, 'prospect')], since: 0, why: 'they never agreed' },
  ];
  for (const { shadow, since, why } of cases) t.equal(differingSince(live, shadow), since, why);
});

t.test('before it began, a shadow says what the live policy said; from then on its own', async (t) => {
  const since = 100 * DAY_MS;
  const versions = {
    policies: [
      { version: 1, effectiveFrom: null, policy: policyOf(60) },
      // Made live while the shadow decides: it has no say in the shadow.
      { version: 2, effectiveFrom: 110 * DAY_MS, policy: policyOf(1) },
    ],
    calibrations: [],
  };
  const timeline = shadowTimeline(versions, { policy: policyOf(90), since });
  const order = { id: 'o', at: 50 * DAY_MS, categories: [], currency: 'EUR', amountMinor: 1 };
  const history = { createdAt: 0, orders: [order], touchpoints: [], moves: [], changes: [] };
  const live = [
    row(0, null, 'prospect'),
    row(50 * DAY_MS, 'prospect', 'new'),
    row(110 * DAY_MS, 'new', 'churned'),
  ];
  const reckoned = reckon({ ...{ since, timeline, history, live }, inForce: [], until: 150 * DAY_MS });
  t.match(reckoned.standing, {
    ...{
      stage: 'churned',
      stageSince: 140 * DAY_MS,
      liveStage: 'churned',
      differs: false,
      differsSince: null,
    },
    ...{ basis: null, dueAt: null },
    flows: {
      live: [['new', 'churned', 'customer.churned']],
      shadow: [['new', 'churned', 'customer.churned']],
    },
  });
  t.match(
    reckoned.add.map(({ effectiveAt, policyVersion }) => ({ effectiveAt, policyVersion })),
    [
      { effectiveAt: 50 * DAY_MS, policyVersion: 1 },
      { effectiveAt: 140 * DAY_MS, policyVersion: SHADOW_VERSION },
    ],
  );
  const earlier = reckon({ ...{ since, timeline, history, live }, inForce: [], until: 120 * DAY_MS });
  t.match(earlier.standing, {
    ...{ stage: 'new', differs: true, differsSince: 110 * DAY_MS, dueAt: 140 * DAY_MS },
    basis: { live: { effectiveAt: new Date(110 * DAY_MS).toISOString() } },
  });
  const inForce = reckoned.add.map((transition, index) => ({ ...transition, id: String(index) }));
  const again = reckon({ ...{ since, timeline, history, live, inForce }, until: 150 * DAY_MS });
  t.same([again.add, again.supersede], [[], []], 'what is recorded already is left alone');
  const without = { ...history, orders: [] };
  const undone = reckon({ ...{ since, timeline, live, inForce }, history: without, until: 150 * DAY_MS });
  t.same(undone.supersede.toSorted(), ['0', '1'], 'and what is no longer so is taken back');
});

t.test('counts change by what a customer comes to now, less what they came to before', async (t) => {
  const before = {
    ...{ stage: 'new', liveStage: 'new' },
    flows: { live: [], shadow: [[null, 'new', 'customer.stage_changed'] as const] },
  };
  const after = {
    ...{ stage: 'churned', liveStage: 'new' },
    flows: { live: [], shadow: [...before.flows.shadow, ['new', 'churned', 'customer.churned'] as const] },
  };
  t.same(tally([{ before, after }]), [
    { kind: 'standing', fromStage: 'new', toStage: 'new', eventType: '', count: -1 },
    { kind: 'standing', fromStage: 'new', toStage: 'churned', eventType: '', count: 1 },
    { kind: 'shadow', fromStage: 'new', toStage: 'churned', eventType: 'customer.churned', count: 1 },
  ]);
  t.same(tally([{ before: after, after }]), []);
  t.equal(tally([{ before: undefined, after }]).length, 3);
});
