// What conditions come to at every instant at which any of them could change, and a millisecond before and after
// it: by the reference as each decision found things, and by the compiled predicates as it left them.

import type { Condition } from '../../src/lifecycle/conditions.js';
import { compile, type Look } from '../../src/lifecycle/predicates.js';
import {
  compileTimeline,
  type History,
  replay,
  replayWalk,
  type Timeline,
} from '../../src/lifecycle/replay.js';
import { walkTo } from '../../src/lifecycle/walk.js';
import { calibrationAt, plainParts, policyAt } from './reference.js';
import { changesOf, holds, type Known } from './reference-conditions.js';

/** Whether a condition holds at one moment. */
export type Truth = (condition: Condition) => boolean;

export class Customer {
  readonly #lines;
  readonly #end: number;

  constructor(
    private readonly history: History,
    private readonly versions: Timeline,
    end: number,
  ) {
    this.#end = end;
    this.#lines = replay(history, compileTimeline(versions), end).transitions;
  }

  /** Two for each instant. */
  *moments(conditions: readonly Condition[]): Generator<{ at: number; says: string; truth: Truth }> {
    const instants = this.#instants(conditions.flatMap(plainParts));
    const looks = new Map<Condition, Look>();
    const walk = replayWalk(this.history, compileTimeline(this.versions), instants[0] ?? this.#end);
    for (const at of instants) {
      const known = this.#known(at);
      yield { at, says: 'the reference', truth: (condition) => holds(condition, known, at) };
      walkTo(walk, at);
      const view = { ...walk.standing, at };
      const truth = (condition: Condition) => {
        const look = looks.get(condition) ?? compile(condition);
        looks.set(condition, look);
        look(view);
        return view.holds;
      };
      yield { at, says: 'the compiled predicate', truth };
    }
  }

  #instants(parts: readonly Condition[]): number[] {
    const { createdAt, orders, touchpoints, moves, changes } = this.history;
    const happened = [createdAt, ...this.#lines.map((line) => line.effectiveAt)];
    for (const fact of [...orders, ...touchpoints, ...moves, ...changes]) happened.push(fact.at);
    for (const { effectiveFrom } of [...this.versions.policies, ...this.versions.calibrations]) {
      if (effectiveFrom !== null) happened.push(effectiveFrom);
    }
    const first = this.#lines[0]?.effectiveAt ?? createdAt;
    const found = new Set<number>();
    for (const event of new Set(happened)) {
      const known = this.#known(event + 1);
      const ahead = parts.flatMap((part) => changesOf(part, known, event));
      for (const at of [event, ...ahead]) for (const ms of [-1, 0, 1]) found.add(at + ms);
    }
    return [...found].filter((at) => at >= first && at <= this.#end).sort((a, b) => a - b);
  }

  /** As a decision at the instant finds it: with the facts of that instant, and the stages decided before. */
  #known(at: number): Known {
    const by = <T extends { at: number }>(facts: readonly T[]) => facts.filter((fact) => fact.at <= at);
    const before = this.#lines.filter((line) => line.effectiveAt < at);
    const { orders, touchpoints, moves } = this.history;
    return {
      history: { ...this.history, orders: by(orders), touchpoints: by(touchpoints), moves: by(moves) },
      policy: policyAt(this.versions, at).policy,
      calibration: calibrationAt(this.versions, at),
      stage: before.at(-1)?.to ?? null,
      since: before.at(-1)?.effectiveAt ?? at,
      stays: before.slice(1).map((line, i) => {
        return { stage: line.from ?? '', from: before[i]?.effectiveAt ?? 0, to: line.effectiveAt };
      }),
    };
  }
}
