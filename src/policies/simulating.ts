// Owns what a policy of the tenant makes of a made-up history, with the tenant's newest fits. Writes nothing.

import type { Context } from '../context.js';
import type { Executor } from '../db/executor.js';
import { type Fault, InvalidError } from '../errors.js';
import { DAY_MS } from '../lifecycle/calendar.js';
import { calibrationOf, DEFAULT_CALIBRATION } from '../lifecycle/calibration.js';
import { type ProfileChangeFact, SATISFACTION_BOUNDS } from '../lifecycle/facts.js';
import { lifecycleOf } from '../lifecycle/policy.js';
import type { History } from '../lifecycle/replay.js';
import { type Simulation, simulate } from '../lifecycle/simulate.js';
import type { TransitionsService } from '../transitions/service.js';
import { refuseUnsound } from './guards.js';
import type { PolicyRow } from './policies-store.js';
import type { SimulationInput } from './simulation-schemas.js';

/** A stage can change daily, and somebody reads what comes out. */
const SPAN_DAYS_MAX = 7_300;

export interface Simulated {
  policy: PolicyRow;
  calibrationVersion: number;
  simulation: Simulation;
}

export async function simulateOn(
  histories: TransitionsService['histories'],
  executor: Executor,
  context: Context,
  { policy, input }: { policy: PolicyRow; input: SimulationInput },
): Promise<Simulated> {
  // Models that the tenant has no fit of are no fault here: their conditions never hold.
  refuseUnsound(policy.policy, { bg: true, mbg: true });
  const until = input.until === undefined ? context.now.getTime() : Date.parse(input.until);
  const history = historyOf(input, until);
  refuse(faultsOf(input, policy, { history, until }));
  const { calibrations } = await histories.timeline(executor, context.tenantId);
  const newest = [...calibrations].sort((a, b) => b.version - a.version)[0];
  const calibration = newest === undefined ? DEFAULT_CALIBRATION : calibrationOf(newest);
  const simulation = simulate({ policy: policy.policy, calibration, history, until });
  return { policy, calibrationVersion: calibration.version, simulation };
}

/** Facts are known by their places among those given; where two are of one instant, the later one is later. */
function historyOf(input: SimulationInput, until: number): History {
  const { orders = [], touchpoints = [], moves = [], profile = [] } = input;
  const facts = {
    orders: orders.map(({ placedAt, amountMinor = 0, currency = 'XXX', categories = [] }, index) => ({
      ...{ id: place('orders', index), at: Date.parse(placedAt), amountMinor, currency, categories },
    })),
    touchpoints: touchpoints.map(({ occurredAt, satisfaction = null }, index) => ({
      ...{ id: place('touchpoints', index), at: Date.parse(occurredAt), satisfaction },
    })),
    moves: moves.map(({ at, to, holdUntil = null }, index) => ({
      ...{ id: place('moves', index), at: Date.parse(at), to, reason: 'simulated', actor: 'simulation' },
      holdUntil: holdUntil === null ? null : Date.parse(holdUntil),
    })),
    changes: changesOf(profile),
  };
  const first = Math.min(until, ...Object.values(facts).flatMap((list) => list.map(({ at }) => at)));
  return { createdAt: input.createdAt === undefined ? first : Date.parse(input.createdAt), ...facts };
}

/** Places of equal length are in the order of the text too, which decides between facts of one instant. */
function place(list: string, index: number): string {
  return `${list}/${String(index).padStart(3, '0')}`;
}

function changesOf(profile: NonNullable<SimulationInput['profile']>): ProfileChangeFact[] {
  const inTime = profile
    .map((entry, index) => ({ ...entry, index, at: Date.parse(entry.from) }))
    .sort((a, b) => a.at - b.at || a.index - b.index);
  let tags = new Set<string>();
  return inTime.flatMap(({ at, index, ...entry }) => {
    const values: [field: string, value: unknown][] = [];
    for (const field of ['channel', 'country'] as const) {
      if (entry[field] !== undefined) values.push([field, entry[field]]);
    }
    for (const [key, value] of Object.entries(entry.attributes ?? {}))
      values.push([`attributes.${key}`, value]);
    if (entry.tags !== undefined) {
      const given = new Set(entry.tags);
      for (const tag of new Set([...tags, ...given])) values.push([`tag:${tag}`, given.has(tag)]);
      tags = given;
    }
    return values.map(([field, value]) => ({ id: place('profile', index), at, field, value }));
  });
}

function faultsOf(
  { moves = [], touchpoints = [] }: SimulationInput,
  { policy }: PolicyRow,
  { history, until }: { history: History; until: number },
): Fault[] {
  const stages = lifecycleOf(policy).stages.map((stage) => stage.key);
  const faults: Fault[] = moves.flatMap(({ to }, index) =>
    stages.includes(to) ? [] : [{ pointer: `/moves/${index}/to`, detail: `is none of ${stages.join(', ')}` }],
  );
  for (const [index, { at, holdUntil }] of history.moves.entries()) {
    if (holdUntil === null || holdUntil > at) continue;
    faults.push({ pointer: `/moves/${index}/holdUntil`, detail: 'must be later than the move' });
  }
  for (const [index, { satisfaction }] of touchpoints.entries()) {
    if (satisfaction === undefined) continue;
    const [lowest, highest] = SATISFACTION_BOUNDS[satisfaction.scale];
    if (satisfaction.score >= lowest && satisfaction.score <= highest) continue;
    const detail = `must be from ${lowest} to ${highest} on ${satisfaction.scale}`;
    faults.push({ pointer: `/touchpoints/${index}/satisfaction/score`, detail });
  }
  if (history.createdAt > until) faults.push({ pointer: '/createdAt', detail: 'is later than until' });
  const lists = [history.orders, history.touchpoints, history.moves].flat();
  const start = Math.min(history.createdAt, ...lists.map(({ at }) => at));
  if (until - start > SPAN_DAYS_MAX * DAY_MS) {
    faults.push({ pointer: '/until', detail: `is more than ${SPAN_DAYS_MAX} days after the earliest fact` });
  }
  return faults;
}

function refuse(faults: Fault[]): void {
  const [first] = faults;
  if (first === undefined) return;
  throw new InvalidError('invalid_request', `${first.pointer} ${first.detail}.`, { faults });
}
