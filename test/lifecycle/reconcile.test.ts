// The rows in force against what a replay gives.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { reconcile } from '../../src/lifecycle/reconcile.js';
import { compileTimeline, replay, type Transition } from '../../src/lifecycle/replay.js';
import { history, SPAN_DAYS, START, timeline } from './arbitraries.js';
import { DAY } from './reference.js';
import { at, historyOf, ordersAt, policiesFrom, silencePolicy, stored } from './samples.js';

const versions = policiesFrom(silencePolicy(45, 91));
const rowsOf = (transitions: Transition[]) => transitions.map((one, i) => stored({ ...one, id: `r${i}` }));
const idsOf = (rows: { id: string }[]) => rows.map((row) => row.id);

const ledger = (...orders: string[]) =>
  replay(historyOf('2024-01-10', { orders: ordersAt(...orders) }), versions, at('2024-06-01')).transitions;

t.test(
  'what is no longer true is taken back newest first, what is true now is added oldest first',
  async (t) => {
    const inForce = rowsOf(ledger('2024-01-10', '2024-02-01'));
    const { retract, add, refresh } = reconcile(inForce, ledger('2024-01-10'));
    t.same(idsOf(retract), ['r3', 'r2', 'r1']);
    t.same(
      add.map((transition) => [transition.effectiveAt, transition.to]),
      [
        [at('2024-02-24'), 'declining'],
        [at('2024-04-10'), 'churned'],
      ],
    );
    t.same(refresh, []);
  },
);

t.test('the order in which rows are given does not count', async (t) => {
  const inForce = rowsOf(ledger('2024-01-10', '2024-02-01'));
  const replayed = ledger('2024-01-10');
  t.same(reconcile(inForce.toReversed(), replayed.toReversed()), reconcile(inForce, replayed));
});

t.test('a row that stands but says something else is refreshed', async (t) => {
  const replayed = ledger('2024-01-10', '2024-02-01');
  const changes: Partial<Transition>[] = [
    { causeId: 'another' },
    { calibrationVersion: 9 },
    { actor: 'ben' },
    { reason: 'another' },
    {
      evidence: {
        stage: 'new',
        rule: 3,
        condition: null,
        facts: { orders: 9, purchaseDays: 1, lastOrderAt: null },
      },
    },
  ];
  for (const change of changes) {
    const inForce = rowsOf(replayed).map((row, i) => (i === 1 ? { ...row, ...change } : row));
    const { retract, add, refresh } = reconcile(inForce, replayed);
    t.same([retract, add], [[], []]);
    t.same(refresh, [{ row: inForce[1], transition: replayed[1] }], Object.keys(change).join());
  }
});

t.test('another instant, stage, cause or policy version is another transition', async (t) => {
  const replayed = ledger('2024-01-10', '2024-02-01');
  const changes: Partial<Transition>[] = [
    { effectiveAt: at('2024-02-01') + 1 },
    { from: 'prospect' },
    { to: 'declining' },
    { cause: 'manual' },
    { policyVersion: 2 },
  ];
  for (const change of changes) {
    const inForce = rowsOf(replayed).map((row, i) => (i === 1 ? { ...row, ...change } : row));
    const { retract, add, refresh } = reconcile(inForce, replayed);
    t.same([idsOf(retract), add, refresh], [['r1'], [replayed[1]], []], Object.keys(change).join());
  }
});

t.test('taking back and adding what it says turns the rows in force into the replayed ones', async (t) => {
  const end = START + (SPAN_DAYS + 30) * DAY;
  let refreshed = 0;
  fc.assert(
    fc.property(history, history, timeline(), (before, after, dated) => {
      const compiled = compileTimeline(dated);
      const inForce = rowsOf(replay(before, compiled, end).transitions);
      // Half of the facts are the same, so that some rows stand.
      const orders = [...before.orders.slice(0, 4), ...after.orders.slice(4)];
      const replayed = replay({ ...before, orders }, compiled, end).transitions;
      const { retract, add, refresh } = reconcile(inForce, replayed);
      const gone = new Set(idsOf([...retract, ...refresh.map((pair) => pair.row)]));
      const kept: Transition[] = inForce.filter((row) => !gone.has(row.id)).map(({ id: _id, ...row }) => row);
      const result = [...kept, ...add, ...refresh.map((pair) => pair.transition)];
      assert.deepEqual(
        result.sort((a, b) => a.effectiveAt - b.effectiveAt),
        replayed,
      );
      assert.ok(retract.every((row, i) => i === 0 || row.effectiveAt < (retract[i - 1]?.effectiveAt ?? 0)));
      assert.ok(add.every((row, i) => i === 0 || row.effectiveAt > (add[i - 1]?.effectiveAt ?? 0)));
      assert.deepEqual(reconcile(inForce, replay(before, compiled, end).transitions), {
        retract: [],
        add: [],
        refresh: [],
      });
      refreshed += refresh.length;
    }),
    { numRuns: 400 },
  );
  t.ok(refreshed > 20, `${refreshed} rows stood with other evidence`);
});
