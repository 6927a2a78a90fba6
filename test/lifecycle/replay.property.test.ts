// The theorem: the ledger is a function of facts and dated versions, and of nothing else.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { FactLists } from '../../src/lifecycle/facts.js';
import { reconcile } from '../../src/lifecycle/reconcile.js';
import {
  type Advance,
  advance,
  type CustomerState,
  canAdvance,
  compileTimeline,
  type History,
  replay,
  type Timeline,
  type Transition,
} from '../../src/lifecycle/replay.js';
import { history, instant, policy, SPAN_DAYS, START, timeline } from './arbitraries.js';
import { DAY, referenceLedger, referenceReviewAt } from './reference.js';

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
      assert.equal(result.nextFactAt, firstAfter(facts, reached));
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
    }),
  );
  fc.assert(
    fc.property(shuffled, timeline(), ({ facts, orders, moves }, versions) => {
      const compiled = compileTimeline(versions);
      assert.deepEqual(replay({ ...facts, orders, moves }, compiled, END), replay(facts, compiled, END));
    }),
    RUNS,
  );
  t.pass(HELD);
});

t.test(
  'ticks at any instants, with the facts that have come by then, end where one replay ends',
  async (t) => {
    const ticks = fc.array(instant, { minLength: 1, maxLength: 12 }).map((all) => all.sort((a, b) => a - b));
    const oneZone = timeline(policy(['Europe/Paris']));
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
  'a time zone that changes on the way needs a replay, and nothing else that comes in order does',
  async (t) => {
    fc.assert(
      fc.property(history, timeline(), instant, (facts, versions, until) => {
        const compiled = compileTimeline(versions);
        const { state } = replay(between(facts, -Infinity, until), compiled, until);
        const zones = compiled.segments
          .filter(
            (segment, i) => (compiled.segments[i + 1]?.from ?? Infinity) > state.at && segment.from <= END,
          )
          .map((segment) => segment.policy.timeZone);
        const arrived = between(facts, Math.max(until, state.at), Infinity);
        assert.equal(canAdvance(state, arrived, compiled, END), new Set(zones).size === 1);
      }),
      RUNS,
    );
    t.pass(HELD);
  },
);

/** What comes to be known, one at a time, at instants that only move on: facts, versions, facts taken back. */
const arrivals = fc.array(
  fc.record({
    kind: fc.constantFrom('order', 'touchpoint', 'move', 'policy', 'calibration', 'cancel'),
    after: instant,
  }),
  { minLength: 5, maxLength: 30 },
);

t.test(
  'whatever the order of arrival, ticks between or not, the rows in force are those of one replay',
  async (t) => {
    let advances = 0;
    let replays = 0;
    fc.assert(
      fc.property(history, timeline(), arrivals, (facts, versions, events) => {
        const service = new Service(facts.createdAt, versions);
        const waiting = {
          orders: [...facts.orders],
          touchpoints: [...facts.touchpoints],
          moves: [...facts.moves],
        };
        for (const { kind, after } of events) {
          const news: FactLists = {
            orders: kind === 'order' ? waiting.orders.splice(0, 1) : [],
            touchpoints: kind === 'touchpoint' ? waiting.touchpoints.splice(0, 1) : [],
            moves: kind === 'move' ? waiting.moves.splice(0, 1) : [],
          };
          if (kind === 'policy') service.addPolicy(versions);
          if (kind === 'calibration') service.addCalibration(versions);
          service.learn(news, Math.max(service.now, after), kind === 'cancel');
          const whole = replay(service.known, service.timeline, service.now);
          assert.deepEqual(service.ledger.map(withoutId), whole.transitions);
          assert.deepEqual(service.latest, { ...whole, transitions: service.latest?.transitions });
        }
        advances += service.advances;
        replays += service.replays;
      }),
      { numRuns: 300 },
    );
    t.ok(
      advances > 300 && replays > 300,
      `both ways were taken often: ${advances} advances, ${replays} replays`,
    );
  },
);

/** A service in small: keeps a ledger, advances where it may, replays and compares where it must. */
class Service {
  now: number;
  ledger: (Transition & { id: string })[] = [];
  latest: Advance | null = null;
  timeline;
  known: { createdAt: number; orders: History['orders'][number][] } & Omit<History, 'orders'>;
  advances = 0;
  replays = 0;
  #policies = 1;
  #calibrations = 0;
  #pending: FactLists = { orders: [], touchpoints: [], moves: [] };
  #ids = 0;

  constructor(createdAt: number, versions: Timeline) {
    this.now = createdAt;
    this.known = { createdAt, orders: [], touchpoints: [], moves: [] };
    this.timeline = compileTimeline({ policies: versions.policies.slice(0, 1), calibrations: [] });
  }

  addPolicy(versions: Timeline): void {
    this.#policies = Math.min(this.#policies + 1, versions.policies.length);
    this.#compile(versions);
  }

  addCalibration(versions: Timeline): void {
    this.#calibrations = Math.min(this.#calibrations + 1, versions.calibrations.length);
    this.#compile(versions);
  }

  #compile({ policies, calibrations }: Timeline): void {
    this.timeline = compileTimeline({
      policies: policies.slice(0, this.#policies),
      calibrations: calibrations.slice(0, this.#calibrations),
    });
  }

  learn(news: FactLists, now: number, cancels: boolean): void {
    this.now = now;
    this.known = { createdAt: this.known.createdAt, ...joined(this.known, news) };
    const isRewritten = cancels && this.known.orders.length > 0;
    if (isRewritten) this.known.orders = this.known.orders.slice(1);
    const pending = joined(this.#pending, news);
    const state = this.latest === null ? null : stored(this.latest.state);
    if (state !== null && !isRewritten && canAdvance(state, pending, this.timeline, now)) {
      this.latest = advance(state, pending, this.timeline, now);
      for (const transition of this.latest.transitions) this.#add(transition);
      this.advances += 1;
    } else {
      this.latest = replay(this.known, this.timeline, now);
      this.#correct(this.latest.transitions);
      this.replays += 1;
    }
    this.#pending = between(this.known, now, Infinity);
  }

  #correct(transitions: Transition[]): void {
    const { retract, add, refresh } = reconcile(this.ledger, transitions);
    const gone = new Set([...retract, ...refresh.map(({ row }) => row)].map((row) => row.id));
    this.ledger = this.ledger.filter((row) => !gone.has(row.id));
    for (const transition of [...add, ...refresh.map((pair) => pair.transition)]) this.#add(transition);
    this.ledger.sort((a, b) => a.effectiveAt - b.effectiveAt);
  }

  #add(transition: Transition): void {
    this.#ids += 1;
    this.ledger.push(stored({ ...transition, id: `r${this.#ids}` }));
  }
}

function joined(a: FactLists, b: FactLists) {
  return {
    orders: [...a.orders, ...b.orders],
    touchpoints: [...a.touchpoints, ...b.touchpoints],
    moves: [...a.moves, ...b.moves],
  };
}

/** Through a jsonb column: as JSON, and with the keys in another order. */
function stored<T extends CustomerState | Transition>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_key, part) => {
    const isObject = typeof part === 'object' && part !== null && !Array.isArray(part);
    return isObject ? Object.fromEntries(Object.entries(part).reverse()) : part;
  });
}

function between(facts: History | FactLists, after: number, until: number) {
  const within = (fact: { at: number }) => fact.at > after && fact.at <= until;
  return {
    createdAt: 'createdAt' in facts ? facts.createdAt : 0,
    orders: facts.orders.filter(within),
    touchpoints: facts.touchpoints.filter(within),
    moves: facts.moves.filter(within),
  };
}

function beginningOf({ createdAt, orders, touchpoints, moves }: History): number {
  return Math.min(createdAt, ...[...orders, ...touchpoints, ...moves].map((fact) => fact.at));
}

function firstAfter({ orders, touchpoints, moves }: History, until: number): number | null {
  const later = [...orders, ...touchpoints, ...moves].map((fact) => fact.at).filter((at) => at > until);
  return later.length === 0 ? null : Math.min(...later);
}

function withoutEvidence({ evidence: _evidence, ...line }: Transition) {
  return line;
}

function withoutId({ id: _id, ...transition }: Transition & { id: string }) {
  return transition;
}
