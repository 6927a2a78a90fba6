// A person's move under a lifecycle that has since been replaced: it goes on in the stage that took the place.

import t from 'tap';
import type { Policy } from '../../src/lifecycle/policy.js';
import { replay } from '../../src/lifecycle/replay.js';
import { at, historyOf, linesOf, moveAt, policiesFrom } from './samples.js';

const until = at('2024-12-01');

/** A lifecycle of two stages, the second of which has another key in each version. */
function policyWith(key: string, carryOver?: Record<string, string>): Policy {
  const labels = { en: 'Stage', zh: '阶段' };
  const stages = ['start', key].map((stage) => ({ key: stage, labels, kind: 'active' as const }));
  return {
    template: 'ecommerce',
    lifecycle: { stages, moves: [{ from: 'start', to: [key] }], closedOnceOrdered: [] },
    ...(carryOver === undefined ? {} : { carryOver }),
    timeZone: 'UTC',
    rules: [{ stage: key, when: { type: 'orders', atLeast: 5 } }],
    otherwise: 'start',
  };
}

const history = historyOf('2024-01-01', { moves: [moveAt('m', '2024-02-01', 'a1')] });
const first = policyWith('a1');
const second = policyWith('a2', { a1: 'a2' });
const third = policyWith('a3', { a2: 'a3' });

t.test('from version to version, each at its own instant', async (t) => {
  const timeline = policiesFrom(first, ['2024-03-01', second], ['2024-04-01', third]);
  const { transitions, state } = replay(history, timeline, until);
  t.same(linesOf(transitions), [
    ['2024-01-01', null, 'start', 'created'],
    ['2024-02-01', 'start', 'a1', 'manual'],
    ['2024-03-01', 'a1', 'a2', 'policy'],
    ['2024-04-01', 'a2', 'a3', 'policy'],
  ]);
  t.equal(state.hold?.stage, 'a3');
});

t.test('past a version that a later one has taken the place of', async (t) => {
  for (const from of [null, '2024-01-15', '2024-02-20', '2024-03-01']) {
    const { state } = replay(history, policiesFrom(first, ['2024-03-01', second], [from, third]), until);
    t.same([state.stage, state.hold?.stage], ['a3', 'a3'], String(from));
  }
});

t.test('through a version that says nothing of it, and never out of a stage that is there', async (t) => {
  const silent = policyWith('a3');
  const { state } = replay(
    history,
    policiesFrom(first, ['2024-03-01', second], ['2024-04-01', third], [null, silent]),
    until,
  );
  t.equal(state.stage, 'a3');
  const again = policyWith('a1');
  t.equal(
    replay(history, policiesFrom(first, ['2024-03-01', second], [null, again]), until).state.stage,
    'a1',
  );
});

t.test('a stage may have the name of what every object has', async (t) => {
  const named = historyOf('2024-01-01', { moves: [moveAt('m', '2024-02-01', 'constructor')] });
  const timeline = policiesFrom(policyWith('constructor', { gone: 'start' }));
  t.equal(replay(named, timeline, until).state.stage, 'constructor');
});
