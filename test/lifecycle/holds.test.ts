// Manual moves are facts: each sentence of what the design says of them.

import t from 'tap';
import { replay } from '../../src/lifecycle/replay.js';
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
const until = at('2025-01-01');

t.test('a move has a reason and an actor, takes effect at its instant, and the rules wait', async (t) => {
  const history = historyOf('2024-01-01', {
    orders: ordersAt('2024-01-01'),
    moves: [moveAt('m1', '2024-01-10T09:30Z', 'mature')],
  });
  const { transitions, state, reviewAt } = replay(history, timeline, until);
  t.same(linesOf(transitions), [
    ['2024-01-01', null, 'new', 'order'],
    ['2024-01-10T09:30:00.000Z', 'new', 'mature', 'manual'],
  ]);
  t.match(transitions[1], { causeId: 'm1', actor: 'ada', reason: 'said so' });
  t.match(transitions[1]?.evidence, {
    stage: 'mature',
    rule: null,
    condition: null,
    hold: { moveId: 'm1', until: null },
  });
  t.match(state.hold, { stage: 'mature', moveId: 'm1' });
  t.equal(reviewAt, null, 'a year of silence changes nothing');
});

t.test('the first counting order placed after the move ends the hold', async (t) => {
  const history = historyOf('2024-01-01', {
    orders: ordersAt('2024-01-01', '2024-01-10', '2024-02-10'),
    moves: [moveAt('m1', '2024-01-10', 'churned')],
  });
  const { transitions } = replay(history, timeline, at('2024-02-20'));
  t.same(linesOf(transitions), [
    ['2024-01-01', null, 'new', 'order'],
    // The order of the same instant comes before the move, so it does not end the hold.
    ['2024-01-10', 'new', 'churned', 'manual'],
    ['2024-02-10', 'churned', 'mature', 'order'],
  ]);
});

t.test('cancelling the order that ended a hold restores it', async (t) => {
  const [first, second] = ordersAt('2024-01-01', '2024-02-10');
  const moves = [moveAt('m1', '2024-01-10', 'churned')];
  const both = historyOf('2024-01-01', { orders: [first, second].filter((o) => o !== undefined), moves });
  const one = { ...both, orders: both.orders.slice(0, 1) };
  t.equal(replay(both, timeline, until).state.hold, null);
  t.match(replay(one, timeline, until).state, { stage: 'churned', hold: { moveId: 'm1' } });
});

t.test('a date ends the hold, at its instant, and the rules say what is so then', async (t) => {
  const history = historyOf('2024-01-01', {
    orders: ordersAt('2024-01-01'),
    moves: [moveAt('m1', '2024-01-10', 'mature', '2024-03-01')],
  });
  t.match(replay(history, timeline, at('2024-02-28')), {
    reviewAt: at('2024-03-01'),
    next: { stage: 'declining' },
    state: { stage: 'mature' },
  });
  const { transitions, reviewAt, state } = replay(history, timeline, at('2024-03-05'));
  t.same(linesOf(transitions).at(-1), ['2024-03-01', 'mature', 'declining', 'hold_ended']);
  t.equal(reviewAt, at('2024-04-01'));
  t.equal(state.hold, null);
});

t.test('a date that changes nothing leaves no row', async (t) => {
  const history = historyOf('2024-01-01', {
    orders: ordersAt('2024-01-01'),
    moves: [moveAt('m1', '2024-01-10', 'new', '2024-01-20')],
  });
  const { transitions, state, reviewAt } = replay(history, timeline, at('2024-01-25'));
  t.same(linesOf(transitions), [['2024-01-01', null, 'new', 'order']]);
  t.match(state, { hold: null, at: at('2024-01-20') });
  t.equal(reviewAt, at('2024-02-15'));
});

t.test('an order ends a dated hold as well, whichever comes first', async (t) => {
  const history = historyOf('2024-01-01', {
    orders: ordersAt('2024-01-01', '2024-01-15'),
    moves: [moveAt('m1', '2024-01-10', 'churned', '2024-01-20')],
  });
  const { transitions } = replay(history, timeline, at('2024-01-31'));
  t.same(linesOf(transitions).at(-1), ['2024-01-15', 'churned', 'mature', 'order']);
});

t.test('a later move takes the place of the hold, and its date with it', async (t) => {
  const history = historyOf('2024-01-01', {
    orders: ordersAt('2024-01-01'),
    moves: [moveAt('m1', '2024-01-10', 'mature', '2024-01-20'), moveAt('m2', '2024-01-12', 'churned')],
  });
  const { transitions, state, reviewAt } = replay(history, timeline, until);
  t.same(linesOf(transitions), [
    ['2024-01-01', null, 'new', 'order'],
    ['2024-01-10', 'new', 'mature', 'manual'],
    ['2024-01-12', 'mature', 'churned', 'manual'],
  ]);
  t.match(state.hold, { moveId: 'm2', until: null });
  t.equal(reviewAt, null);
});

t.test('a policy change does not end a hold', async (t) => {
  const everybodyNew = policyOf([['new', { type: 'orders', atLeast: 1 }]]);
  const changed = policiesFrom(silencePolicy(45, 91), ['2024-02-01', everybodyNew]);
  const history = historyOf('2024-01-01', {
    orders: ordersAt('2024-01-01'),
    moves: [moveAt('m1', '2024-01-10', 'mature', '2024-03-01')],
  });
  const { transitions } = replay(history, changed, until);
  t.same(linesOf(transitions), [
    ['2024-01-01', null, 'new', 'order'],
    ['2024-01-10', 'new', 'mature', 'manual'],
    ['2024-03-01', 'mature', 'new', 'hold_ended'],
  ]);
  t.equal(transitions.at(-1)?.policyVersion, 2);
});

t.test('if the stage is already that one, only the hold counts', async (t) => {
  const history = historyOf('2024-01-01', {
    orders: ordersAt('2024-01-01'),
    moves: [moveAt('m1', '2024-01-10', 'new')],
  });
  const { transitions, state } = replay(history, timeline, until);
  t.same(linesOf(transitions), [['2024-01-01', null, 'new', 'order']]);
  t.match(state, { stage: 'new', since: at('2024-01-01'), hold: { stage: 'new', moveId: 'm1' } });
});

t.test('moves are replayed unchecked, into a stage that nobody knows any more as well', async (t) => {
  const history = historyOf('2024-01-01', { moves: [moveAt('m1', '2024-01-10', 'vip')] });
  t.equal(replay(history, timeline, until).state.stage, 'vip');
});

t.test('a move before the first order makes the first row, if it is the first fact', async (t) => {
  const history = historyOf('2024-02-01', { moves: [moveAt('m1', '2024-01-10', 'churned')] });
  t.same(linesOf(replay(history, timeline, until).transitions), [['2024-01-10', null, 'churned', 'manual']]);
});

t.test('a hold whose date is not after its move never holds, and ends the one before', async (t) => {
  const orders = ordersAt('2024-01-01');
  const empty = moveAt('m2', '2024-01-12', 'mature', '2024-01-12');
  const alone = replay(historyOf('2024-01-01', { orders, moves: [empty] }), timeline, at('2024-01-20'));
  t.same(linesOf(alone.transitions), [['2024-01-01', null, 'new', 'order']]);
  const moves = [moveAt('m1', '2024-01-10', 'churned'), empty];
  const { transitions, state } = replay(
    historyOf('2024-01-01', { orders, moves }),
    timeline,
    at('2024-01-20'),
  );
  t.same(linesOf(transitions).at(-1), ['2024-01-12', 'churned', 'new', 'hold_ended']);
  t.equal(state.hold, null);
});
