// Policies and calibrations are dated versions: what comes into force when, and what that decides anew.

import t from 'tap';
import { canAdvance, compileTimeline, replay } from '../../src/lifecycle/replay.js';
import { LIFECYCLE_TEMPLATES } from '../../src/lifecycle/templates.js';
import {
  at,
  historyOf,
  linesOf,
  moveAt,
  ordersAt,
  policiesFrom,
  policyOf,
  silencePolicy,
} from './samples.js';

const timeline = policiesFrom(silencePolicy(45, 91));
const nothing = { orders: [], touchpoints: [], moves: [], changes: [] };

t.test('at an activation everybody is decided anew, effective then', async (t) => {
  const versions = policiesFrom(silencePolicy(45, 91), ['2024-02-01', silencePolicy(10, 20)]);
  const history = historyOf('2024-01-10', { orders: ordersAt('2024-01-10') });
  const { transitions } = replay(history, versions, at('2024-03-01'));
  t.same(linesOf(transitions), [
    ['2024-01-10', null, 'new', 'order'],
    ['2024-02-01', 'new', 'churned', 'policy'],
  ]);
  t.equal(transitions[1]?.policyVersion, 2);
  t.match(replay(history, versions, at('2024-01-31')), {
    state: { policyVersion: 1 },
    reviewAt: at('2024-02-24'),
  });
});

t.test('a later version with an earlier date replaces everything from that date on', async (t) => {
  const versions = policiesFrom(
    silencePolicy(45, 91),
    ['2024-03-01', silencePolicy(30, 60)],
    ['2024-02-01', silencePolicy(200, 300)],
  );
  const history = historyOf('2024-01-10', { orders: ordersAt('2024-01-10') });
  const { transitions, state } = replay(history, versions, at('2024-06-01'));
  t.same(linesOf(transitions), [['2024-01-10', null, 'new', 'order']]);
  t.match(state, { policyVersion: 3, at: at('2024-02-01') });
  const all = policiesFrom(
    silencePolicy(45, 91),
    ['2024-03-01', silencePolicy(30, 60)],
    [null, silencePolicy(5, 6)],
  );
  t.match(replay(history, all, at('2024-06-01')), {
    transitions: [{ policyVersion: 3 }, { effectiveAt: at('2024-01-15') }, { effectiveAt: at('2024-01-16') }],
  });
});

t.test('another time zone counts the days anew from its activation on', async (t) => {
  const versions = policiesFrom(silencePolicy(45, 91), [
    '2024-02-01',
    silencePolicy(45, 91, 'Asia/Shanghai'),
  ]);
  // One day in UTC, two in Shanghai.
  const history = historyOf('2024-01-10', { orders: ordersAt('2024-01-10T10:00Z', '2024-01-10T20:00Z') });
  t.same(linesOf(replay(history, versions, at('2024-02-02')).transitions), [
    ['2024-01-10', null, 'prospect', 'created'],
    ['2024-01-10T10:00:00.000Z', 'prospect', 'new', 'order'],
    ['2024-02-01', 'new', 'mature', 'policy'],
  ]);
});

t.test(
  'a calibration decides anew where the policy reads it, and is no instant where it does not',
  async (t) => {
    const quiet = policyOf([['churned', { type: 'cadenceMultiple', multiple: 2 }]], 'new');
    const calibrations = [
      { version: 1, effectiveFrom: at('2024-01-20'), cadence: { r: 3, alphaDays: 90, medianGapDays: 4 } },
    ];
    const history = historyOf('2024-01-10', { orders: ordersAt('2024-01-10') });
    const reading = compileTimeline({
      policies: [{ version: 1, effectiveFrom: null, policy: quiet }],
      calibrations,
    });
    const { transitions, state } = replay(history, reading, at('2024-02-01'));
    t.same(linesOf(transitions).at(-1), ['2024-01-20', 'new', 'churned', 'calibration']);
    t.match(transitions[0], { calibrationVersion: 0 });
    t.match(transitions[1], {
      calibrationVersion: 1,
      evidence: { calibration: { version: 1, medianGapDays: 4 } },
    });
    t.match(state, { calibrationVersion: 1 });

    const policies = [{ version: 1, effectiveFrom: null, policy: silencePolicy(45, 91) }];
    const deaf = replay(history, compileTimeline({ policies, calibrations }), at('2024-03-01'));
    t.match(deaf.transitions.at(-1), { cause: 'time', calibrationVersion: 1 });
    t.equal(
      replay(history, compileTimeline({ policies, calibrations }), at('2024-02-01')).state.at,
      at('2024-01-10'),
    );
  },
);

t.test('without any version the default policy and calibration hold', async (t) => {
  const empty = compileTimeline({ policies: [], calibrations: [] });
  const { transitions } = replay(
    historyOf('2024-01-10', { orders: ordersAt('2024-01-10') }),
    empty,
    at('2024-12-01'),
  );
  t.match(transitions, [
    { to: 'new', policyVersion: 0 },
    { to: 'declining' },
    { to: 'churned', calibrationVersion: 0 },
  ]);
  t.same(empty.lifecycleOf(0), LIFECYCLE_TEMPLATES.ecommerce);
  t.equal(empty.calibrationOf(0).cadence.alphaDays, 90);
});

t.test(
  'a state can be gone on from unless something is not later than it, or has come into force by then',
  async (t) => {
    const { state } = replay(
      historyOf('2024-01-10', { orders: ordersAt('2024-01-10') }),
      timeline,
      at('2024-02-01'),
    );
    const until = at('2024-03-01');
    const may = (facts: object, versions = timeline) =>
      canAdvance(state, { createdAt: at('2024-01-10'), ...nothing, ...facts }, versions, until);
    t.ok(may({ orders: ordersAt('2024-01-11') }), 'late, but nothing has happened since');
    t.notOk(may({ orders: ordersAt('2024-01-10') }), 'at the last instant');
    t.notOk(may({ orders: ordersAt('2024-01-09') }));
    t.notOk(may({ touchpoints: [{ id: 't', at: at('2024-01-09') }] }));
    t.notOk(may({ moves: [moveAt('m', '2024-01-09', 'new')] }));
    t.ok(may({}, policiesFrom(silencePolicy(45, 91), ['2024-01-11', silencePolicy(4, 9)])));
    t.notOk(may({}, policiesFrom(silencePolicy(45, 91), ['2024-01-10', silencePolicy(4, 9)])));
    t.notOk(may({}, policiesFrom(silencePolicy(45, 91), [null, silencePolicy(4, 9)])));
    t.notOk(
      may({}, policiesFrom(silencePolicy(45, 91), ['2024-02-11', silencePolicy(45, 91, 'Asia/Tokyo')])),
    );
    t.notOk(
      may({}, policiesFrom(silencePolicy(45, 91), ['2024-03-01', silencePolicy(45, 91, 'Asia/Tokyo')])),
    );
    t.ok(may({}, policiesFrom(silencePolicy(45, 91), ['2024-03-02', silencePolicy(45, 91, 'Asia/Tokyo')])));
  },
);
