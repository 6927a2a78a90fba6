// The theorem: the ledger is a function of facts and dated versions, and of nothing else.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  advance,
  type CompiledTimeline,
  canAdvance,
  compileTimeline,
  type History,
  replay,
  type Transition,
} from '../../src/lifecycle/replay.js';
import {
  cadence,
  dropout,
  history,
  instant,
  policy,
  SPAN_DAYS,
  START,
  summedPolicy,
  timeline,
} from './arbitraries.js';
import { versionsOf } from './models/versions.js';
import { DAY, referenceLedger, referenceReviewAt } from './reference.js';
import { between, stored } from './samples.js';

const END = START + (SPAN_DAYS + 30) * DAY;
const RUNS = { numRuns: 400 };
const HELD = 'held in every run';

t.test('a replay is what the rules say, worked out anew at every instant', async (t) => {
  fc.assert(
    fc.property(history, timeline(), instant, (facts, versions, until) => {
      const reached = Math.max(until, beginningOf(facts));
      const result = replay(facts, compileTimeline(versions), until);
      assert.deepEqual(result.transitions.map(withoutEvidence), referenceLedger(facts, versions, reached));
      assert.equal(result.reviewAt, referenceReviewAt(facts, versions, reached));
      assert.equal(result.next?.at ?? null, result.reviewAt);
      assert.equal(result.nextFactAt, firstAfter(facts, reached, compileTimeline(versions)));
    }),
    RUNS,
  );
  t.pass(HELD);
});

t.test('one row an instant, the first from nothing, each from where the one before went', async (t) => {
  fc.assert(
    fc.property(history, timeline(), (facts, versions) => {
      const { transitions, state, reviewAt } = replay(facts, compileTimeline(versions), END);
      assert.equal(transitions[0]?.from, null);
      assert.equal(transitions[0]?.effectiveAt, beginningOf(facts));
      for (const [i, transition] of transitions.entries()) {
        assert.notEqual(transition.from, transition.to);
        assert.equal(transition.evidence.stage, transition.to);
        if (i === 0) continue;
        assert.ok(transition.effectiveAt > (transitions[i - 1]?.effectiveAt ?? Infinity));
        assert.equal(transition.from, transitions[i - 1]?.to);
      }
      assert.equal(state.stage, transitions.at(-1)?.to);
      assert.equal(state.since, transitions.at(-1)?.effectiveAt);
      assert.ok(reviewAt === null || reviewAt > END);
    }),
    RUNS,
  );
  t.pass(HELD);
});

t.test('the order in which the facts are given does not count', async (t) => {
  const shuffled = history.chain((facts) =>
    fc.record({
      facts: fc.constant(facts),
      orders: fc.shuffledSubarray([...facts.orders], { minLength: facts.orders.length }),
      moves: fc.shuffledSubarray([...facts.moves], { minLength: facts.moves.length }),
      changes: fc.shuffledSubarray([...facts.changes], { minLength: facts.changes.length }),
    }),
  );
  fc.assert(
    fc.property(shuffled, timeline(), ({ facts, orders, moves, changes }, versions) => {
      const compiled = compileTimeline(versions);
      assert.deepEqual(
        replay({ ...facts, orders, moves, changes }, compiled, END),
        replay(facts, compiled, END),
      );
    }),
    RUNS,
  );
  t.pass(HELD);
});

t.test(
  'ticks at any instants, with the facts that have come by then, end where one replay ends',
  async (t) => {
    const ticks = fc.array(instant, { minLength: 1, maxLength: 12 }).map((all) => all.sort((a, b) => a - b));
    const oneZone = timeline(summedPolicy(['Europe/Paris']));
    fc.assert(
      fc.property(history, oneZone, ticks, (facts, versions, untils) => {
        const compiled = compileTimeline(versions);
        const first = Math.max(untils[0] ?? END, beginningOf(facts));
        let reached = first;
        let latest = replay(between(facts, -Infinity, first), compiled, first);
        const ledger = [...latest.transitions];
        for (const until of [...untils.filter((tick) => tick > first), END]) {
          const arrived = between(facts, reached, until);
          const state = stored(latest.state);
          assert.ok(canAdvance(state, arrived, compiled, until));
          latest = advance(state, arrived, compiled, until);
          ledger.push(...latest.transitions);
          reached = until;
        }
        const whole = replay(facts, compiled, END);
        assert.deepEqual({ ...latest, transitions: ledger }, whole);
      }),
      RUNS,
    );
    t.pass(HELD);
  },
);

t.test(
  'a zone that changes or a rule that looks back needs a replay, and nothing else that comes in order does',
  async (t) => {
    fc.assert(
      fc.property(history, timeline(), instant, (facts, versions, until) => {
        const compiled = compileTimeline(versions);
        // Nothing is known of a customer before they were created.
        const now = Math.max(until, facts.createdAt);
        const { state } = replay(between(facts, -Infinity, now), compiled, now);
        const ahead = compiled.segments.filter(
          (segment, i) => (compiled.segments[i + 1]?.from ?? Infinity) > state.at && segment.from <= END,
        );
        const zones = new Set(ahead.map((segment) => segment.policy.timeZone));
        const looksBack = ahead.some((segment) => segment.policy.needs.history);
        const arrived = between(facts, Math.max(now, state.at), Infinity);
        assert.equal(canAdvance(state, arrived, compiled, END), zones.size === 1 && !looksBack);
      }),
      RUNS,
    );
    t.pass(HELD);
  },
);

t.test(
  'what is known by an instant gives the ledger up to it, and no more than that changes it',
  async (t) => {
    fc.assert(
      fc.property(history, timeline(), instant, (facts, versions, until) => {
        const compiled = compileTimeline(versions);
        const reached = Math.max(until, beginningOf(facts));
        const changes = facts.changes.filter(({ at }) => at <= Math.max(reached, facts.createdAt));
        const known = { ...between(facts, -Infinity, reached), changes };
        const whole = replay(facts, compiled, END).transitions;
        assert.deepEqual(
          replay(known, compiled, reached).transitions,
          whole.filter((transition) => transition.effectiveAt <= reached),
        );
      }),
      RUNS,
    );
    t.pass(HELD);
  },
);

t.test('a fit that is refused moves nobody: the rows are those that there are without it', async (t) => {
  let kept = 0;
  fc.assert(
    fc.property(
      history,
      fc.oneof(summedPolicy(), policy()),
      fc.record({ cadence, bg: dropout, mbg: dropout }),
      fc.tuple(instant, instant),
      (facts, rules, found, dates) => {
        const [first, second] = dates[0] < dates[1] ? dates : [dates[1], dates[0]];
        const fits = versionsOf([
          { ...found, effectiveFrom: first },
          { cadence: found.cadence, bg: null, mbg: null, effectiveFrom: second },
        ]);
        const policies = [{ version: 1, effectiveFrom: null, policy: rules }];
        const ledgerBy = (calibrations: typeof fits) => {
          const { transitions, reviewAt } = replay(facts, compileTimeline({ policies, calibrations }), END);
          for (const { evidence } of transitions) kept += evidence.calibration?.keptFrom ? 1 : 0;
          return { rows: transitions.map(moveOf), reviewAt };
        };
        assert.deepEqual(ledgerBy(fits), ledgerBy(fits.slice(0, 1)));
      },
    ),
    RUNS,
  );
  t.ok(kept > 10, `${kept} rows were decided by a fit that was kept`);
});

/** Of whose fit it is, and that there was a version at the instant, a row may say another thing. */
function moveOf({ effectiveAt, from, to }: Transition) {
  return { effectiveAt, from, to };
}

function beginningOf({ createdAt, orders, touchpoints, moves }: History): number {
  return Math.min(createdAt, ...[...orders, ...touchpoints, ...moves].map((fact) => fact.at));
}

function firstAfter(facts: History, until: number, timeline: CompiledTimeline): number | null {
  const { orders, touchpoints, moves, changes, createdAt } = facts;
  const { needs } = timeline.segments.findLast((segment) => segment.from <= until)?.policy ?? {};
  // Of the profile only what is later than its making is news, and only to rules that look at it.
  const looked = needs?.profile ? changes.filter((change) => change.at > createdAt) : [];
  const later = [...orders, ...touchpoints, ...moves, ...looked]
    .map((fact) => fact.at)
    .filter((at) => at > until);
  return later.length === 0 ? null : Math.min(...later);
}

function withoutEvidence({ evidence: _evidence, ...line }: Transition) {
  return line;
}
