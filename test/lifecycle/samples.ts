// Short ways to write facts, policies and timelines in tests.

import { DEFAULT_CALIBRATION } from '../../src/lifecycle/calibration.js';
import type { Condition } from '../../src/lifecycle/conditions.js';
import {
  applyOrder,
  emptyFacts,
  type FactLists,
  type Facts,
  type ManualMoveFact,
  type OrderFact,
} from '../../src/lifecycle/facts.js';
import type { Policy } from '../../src/lifecycle/policy.js';
import {
  type CompiledTimeline,
  compileTimeline,
  type History,
  type Transition,
} from '../../src/lifecycle/replay.js';

export const at = (text: string): number => Date.parse(text.length === 10 ? `${text}T00:00Z` : text);

export const calibration = DEFAULT_CALIBRATION;

/** One order at each instant, with ids in their order. */
export function ordersAt(...instants: string[]): OrderFact[] {
  return instants.map((instant, i) => orderAt(`o${i + 1}`, instant));
}

export function orderAt(id: string, instant: string, rest: Partial<OrderFact> = {}): OrderFact {
  return { id, at: at(instant), categories: ['books'], currency: 'EUR', amountMinor: 1_000, ...rest };
}

export function moveAt(id: string, instant: string, to: string, until: string | null = null): ManualMoveFact {
  const holdUntil = until === null ? null : at(until);
  return { id, at: at(instant), to, holdUntil, reason: 'said so', actor: 'ada' };
}

export function factsOf(orders: readonly OrderFact[], timeZone = 'UTC'): Facts {
  const facts = emptyFacts();
  for (const order of orders) applyOrder(facts, order, timeZone);
  return facts;
}

/** A history that begins with `createdAt`. */
export function historyOf(createdAt: string, facts: Partial<History> = {}): History {
  return { createdAt: at(createdAt), orders: [], touchpoints: [], moves: [], changes: [], ...facts };
}

/** churned and declining after so many silent days, mature from 2 purchase days, new from 1. */
export function silencePolicy(declining: number, churned: number, timeZone = 'UTC'): Policy {
  return {
    template: 'ecommerce',
    timeZone,
    rules: [
      { stage: 'churned', when: { type: 'silence', days: churned } },
      { stage: 'declining', when: { type: 'silence', days: declining } },
      { stage: 'mature', when: { type: 'orders', atLeast: 2 } },
      { stage: 'new', when: { type: 'orders', atLeast: 1 } },
    ],
    otherwise: 'prospect',
  };
}

export function policyOf(rules: [stage: string, when: Condition][], otherwise = 'prospect'): Policy {
  return {
    template: 'ecommerce',
    timeZone: 'UTC',
    rules: rules.map(([stage, when]) => ({ stage, when })),
    otherwise,
  };
}

/** Versions 1, 2, … with the date from which each holds; the first from the beginning of time. */
export function policiesFrom(
  first: Policy,
  ...later: [effectiveFrom: string | null, policy: Policy][]
): CompiledTimeline {
  const versions: [string | null, Policy][] = [[null, first], ...later];
  return compileTimeline({
    policies: versions.map(([from, policy], i) => {
      return { version: i + 1, effectiveFrom: from === null ? null : at(from), policy };
    }),
    calibrations: [],
  });
}

/** What most tests look at: when, from, to, why. */
export function linesOf(transitions: readonly Transition[]): [string, string | null, string, string][] {
  return transitions.map(({ effectiveAt, from, to, cause }) => {
    return [new Date(effectiveAt).toISOString().replace('T00:00:00.000Z', ''), from, to, cause];
  });
}

/** Through a jsonb column: as JSON, and with the keys in another order. */
export function stored<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_key, part) => {
    const isObject = typeof part === 'object' && part !== null && !Array.isArray(part);
    return isObject ? Object.fromEntries(Object.entries(part).reverse()) : part;
  });
}

/** The facts after one instant and up to another. */
export function between(facts: History | FactLists, after: number, until: number) {
  const within = (fact: { at: number }) => fact.at > after && fact.at <= until;
  return {
    createdAt: 'createdAt' in facts ? facts.createdAt : 0,
    orders: facts.orders.filter(within),
    touchpoints: facts.touchpoints.filter(within),
    moves: facts.moves.filter(within),
    changes: facts.changes.filter(within),
  };
}
