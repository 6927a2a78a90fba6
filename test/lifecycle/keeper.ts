// A ledger kept in small, as the service keeps one: it advances where it may, and where it must it replays
// and corrects its rows by the comparison. Everything it goes on from has been through JSON.

import type { FactLists } from '../../src/lifecycle/facts.js';
import { reconcile } from '../../src/lifecycle/reconcile.js';
import {
  type Advance,
  advance,
  canAdvance,
  compileTimeline,
  type History,
  replay,
  type Timeline,
  type Transition,
} from '../../src/lifecycle/replay.js';
import { between, stored } from './samples.js';

export class LedgerKeeper {
  now: number;
  ledger: (Transition & { id: string })[] = [];
  latest: Advance | null = null;
  timeline;
  known: { createdAt: number; orders: History['orders'][number][] } & Omit<History, 'orders'>;
  advances = 0;
  replays = 0;
  #policies = 1;
  #calibrations = 0;
  #pending: FactLists = { orders: [], touchpoints: [], moves: [], changes: [] };
  #ids = 0;

  constructor(createdAt: number, versions: Timeline) {
    this.now = createdAt;
    this.known = { createdAt, orders: [], touchpoints: [], moves: [], changes: [] };
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
    if (
      state !== null &&
      !isRewritten &&
      canAdvance(state, { createdAt: this.known.createdAt, ...pending }, this.timeline, now)
    ) {
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
    changes: [...a.changes, ...b.changes],
  };
}
