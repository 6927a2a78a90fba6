// The ledger of histories that can be read at a glance.

import t from 'tap';
import { advance, canAdvance, replay } from '../../src/lifecycle/replay.js';
import {
  at,
  historyOf,
  linesOf,
  moveAt,
  orderAt,
  ordersAt,
  policiesFrom,
  policyOf,
  silencePolicy,
} from './samples.js';

const timeline = policiesFrom(silencePolicy(45, 91));
const nothing = { orders: [], touchpoints: [], moves: [], changes: [] };

t.test('a life: every transition at its own instant, however late it is asked for', async (t) => {
  const history = historyOf('2024-01-01', {
    orders: ordersAt('2024-01-10', '2024-01-20', '2024-06-01T12:00Z'),
  });
  const { transitions, state, reviewAt, next } = replay(history, timeline, at('2024-06-02'));
  t.same(linesOf(transitions), [
    ['2024-01-01', null, 'prospect', 'created'],
    ['2024-01-10', 'prospect', 'new', 'order'],
    ['2024-01-20', 'new', 'mature', 'order'],
    ['2024-03-05', 'mature', 'declining', 'time'],
    ['2024-04-20', 'declining', 'churned', 'time'],
    ['2024-06-01T12:00:00.000Z', 'churned', 'mature', 'order'],
  ]);
  t.match(state, {
    stage: 'mature',
    since: at('2024-06-01T12:00Z'),
    at: at('2024-06-01T12:00Z'),
    policyVersion: 1,
  });
  t.equal(reviewAt, at('2024-07-16T12:00Z'));
  t.match(next, {
    at: reviewAt,
    stage: 'declining',
    because: { rule: 1, condition: { value: 45, threshold: 45 } },
  });
  const declined = transitions[3]?.evidence;
  t.match(declined, { rule: 1, condition: { value: 45, holds: true, at: '2024-03-05T00:00:00.000Z' } });
});

t.test(
  'what has not come yet is not in the ledger, and what comes at the instant asked for is',
  async (t) => {
    const history = historyOf('2024-01-01', { orders: ordersAt('2024-01-10', '2024-03-01') });
    const before = replay(history, timeline, at('2024-02-24') - 1);
    t.match(before, { reviewAt: at('2024-02-24'), nextFactAt: at('2024-03-01'), state: { stage: 'new' } });
    t.match(replay(history, timeline, at('2024-02-24')), {
      reviewAt: at('2024-04-10'),
      state: { stage: 'declining' },
    });
  },
);

t.test(
  'the first row is at the earlier of creation and first fact, and a creation after it is no instant',
  async (t) => {
    const imported = historyOf('2024-05-01', { orders: ordersAt('2024-01-10') });
    const { transitions, state } = replay(imported, timeline, at('2024-05-02'));
    t.same(linesOf(transitions)[0], ['2024-01-10', null, 'new', 'order']);
    t.equal(state.at, at('2024-04-10'));
    const touched = historyOf('2024-05-01', { touchpoints: [{ id: 't', at: at('2024-02-01') }] });
    t.same(linesOf(replay(touched, timeline, at('2024-05-02')).transitions), [
      ['2024-02-01', null, 'prospect', 'created'],
    ]);
    const both = historyOf('2024-01-10', { orders: ordersAt('2024-01-10') });
    t.same(linesOf(replay(both, timeline, at('2024-01-10')).transitions), [
      ['2024-01-10', null, 'new', 'order'],
    ]);
  },
);

t.test('a customer exists from their first row on, though asked for before it', async (t) => {
  const { transitions, state } = replay(historyOf('2024-05-01'), timeline, at('2024-01-01'));
  t.same(linesOf(transitions), [['2024-05-01', null, 'prospect', 'created']]);
  t.equal(state.at, at('2024-05-01'));
});

t.test('the beginning of time is an instant like any other', async (t) => {
  const untouched = policyOf([['mature', { type: 'not', of: { type: 'orders', atLeast: 1 } }]], 'new');
  const { transitions } = replay(historyOf('1970-01-01'), policiesFrom(untouched), 0);
  t.match(transitions, [{ effectiveAt: 0, to: 'mature', evidence: { rule: 0 } }]);
});

t.test('several orders at one instant are one row, and name the last of them', async (t) => {
  const orders = [orderAt('b', '2024-01-10'), orderAt('a', '2024-01-10'), orderAt('c', '2024-01-10T20:00Z')];
  const { transitions, state } = replay(historyOf('2024-01-10', { orders }), timeline, at('2024-01-11'));
  t.equal(transitions.length, 1);
  t.match(transitions[0], { to: 'new', causeId: 'b', evidence: { facts: { orders: 2, purchaseDays: 1 } } });
  t.match(state.facts, { orders: 3, purchaseDays: 1 });
});

t.test('an order at the very instant of a due time comes first', async (t) => {
  const history = historyOf('2024-01-10', { orders: ordersAt('2024-01-10', '2024-02-24') });
  t.same(linesOf(replay(history, timeline, at('2024-02-25')).transitions), [
    ['2024-01-10', null, 'new', 'order'],
    ['2024-02-24', 'new', 'mature', 'order'],
  ]);
});

t.test('an order taken out never counted at any instant', async (t) => {
  const orders = ordersAt('2024-01-10', '2024-02-01', '2024-03-20');
  const whole = replay(historyOf('2024-01-10', { orders }), timeline, at('2024-03-21'));
  const without = replay(
    historyOf('2024-01-10', { orders: orders.toSpliced(1, 1) }),
    timeline,
    at('2024-03-21'),
  );
  t.same(linesOf(whole.transitions), [
    ['2024-01-10', null, 'new', 'order'],
    ['2024-02-01', 'new', 'mature', 'order'],
    ['2024-03-17', 'mature', 'declining', 'time'],
    ['2024-03-20', 'declining', 'mature', 'order'],
  ]);
  t.same(linesOf(without.transitions), [
    ['2024-01-10', null, 'new', 'order'],
    ['2024-02-24', 'new', 'declining', 'time'],
    ['2024-03-20', 'declining', 'mature', 'order'],
  ]);
});

t.test('of the things that happen at one instant, the strongest is the cause', async (t) => {
  const instant = '2024-02-24';
  const due = ordersAt('2024-01-10');
  const touchpoints = [{ id: 't1', at: at(instant) }];
  const stricter = policiesFrom(silencePolicy(45, 91), [instant, silencePolicy(20, 91)]);
  const held = [moveAt('m0', '2024-02-01', 'new', instant)];
  const ask = (facts: object, versions = timeline) =>
    replay(historyOf('2024-01-10', { orders: due, ...facts }), versions, at(instant)).transitions.at(-1);
  t.match(ask({}), { to: 'declining', cause: 'time', causeId: null });
  t.match(ask({ moves: held }), { to: 'declining', cause: 'hold_ended', causeId: null });
  t.match(ask({ moves: held }, stricter), {
    to: 'declining',
    cause: 'policy',
    causeId: null,
    policyVersion: 2,
  });
  t.match(ask({ touchpoints }, stricter), { to: 'declining', cause: 'touchpoint', causeId: 't1' });
  const order = orderAt('o9', instant);
  t.match(ask({ touchpoints, orders: [...due, order] }, stricter), {
    to: 'mature',
    cause: 'order',
    causeId: 'o9',
  });
  const moves = [moveAt('m1', instant, 'churned')];
  t.match(ask({ touchpoints, orders: [...due, order], moves }), {
    to: 'churned',
    cause: 'manual',
    causeId: 'm1',
  });
});

t.test('a clock that is behind takes nothing back', async (t) => {
  const history = historyOf('2024-01-10', { orders: ordersAt('2024-01-10') });
  const { state, reviewAt } = replay(history, timeline, at('2024-02-24'));
  t.equal(state.stage, 'declining');
  t.ok(canAdvance(state, { createdAt: history.createdAt, ...nothing }, timeline, at('2024-02-23')));
  t.match(advance(state, nothing, timeline, at('2024-02-23')), { state, reviewAt, transitions: [] });
});

t.test('an advance leaves the state that it goes on from as it was', async (t) => {
  const { state } = replay(
    historyOf('2024-01-10', { orders: ordersAt('2024-01-10') }),
    timeline,
    at('2024-01-10'),
  );
  const before = JSON.stringify(state);
  const orders = [orderAt('z', '2024-01-20', { categories: ['art'], currency: 'USD' })];
  const later = advance(state, { ...nothing, orders }, timeline, at('2024-01-21'));
  t.equal(JSON.stringify(state), before);
  t.match(later.state.facts, { orders: 2, categories: ['art', 'books'], spend: { EUR: 1_000, USD: 1_000 } });
});
