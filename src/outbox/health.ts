// Owns what an endpoint's answers say of its health: the breaker that costs a failing receiver no attempts, and
// when an endpoint has failed for so long that it is disabled. Pure. Does not own where health is kept
// (health-store.ts), nor the schedule of a single delivery (retry.ts).

import { DAY_MS } from '../lifecycle/calendar.js';

/** Failures in a row, of whichever deliveries and in whichever process, that open the breaker. */
export const BREAKER_FAILURES = 10;
/** How long the breaker is open for the first time; each probe that fails doubles it, up to the bound. */
export const OPEN_FIRST_MS = 10_000;
export const OPEN_MAX_MS = 300_000;
/** What was put off comes back spread over so much more than the wait, so that it does not come all at once. */
export const PUT_OFF_SPREAD = 0.2;
/** For how long a probe is one process's own: longer than a send, so that two never probe at once. */
export const PROBE_LEASE_MS = 20_000;
/** When others look again whose endpoint is being probed. */
export const PROBE_LOOK_MS = 2_000;
export const FAILING_MAX_MS = 5 * DAY_MS;

export interface Health {
  /** Since the last success. */
  failures: number;
  failingSince: Date | null;
  /** Times that the breaker has opened since the last success. */
  openings: number;
  /** Null while the breaker is closed. Once it has passed, one delivery at a time finds out. */
  openUntil: Date | null;
}

export const HEALTHY: Health = { failures: 0, failingSince: null, openings: 0, openUntil: null };

/** One attempt, as far as its endpoint is concerned. */
export interface Verdict {
  endpointId: string;
  kind: 'succeeded' | 'failed' | 'gone';
  at: Date;
  /** Whether it was sent to find out if the endpoint is back. */
  isProbe: boolean;
}

/** The failures of a set that no success of the set came after. */
export interface Failures {
  count: number;
  firstAt: Date;
  /** A success of the same set came before them. */
  isAfterSuccess: boolean;
  isProbe: boolean;
}

export interface Tally {
  /** Endpoints whose last word was a success. */
  healed: string[];
  failed: Map<string, Failures>;
  gone: string[];
}

/** What a set of attempts, in the order in which they ended, says of each of its endpoints. */
export function tally(verdicts: readonly Verdict[]): Tally {
  const healed = new Set<string>();
  const gone = new Set<string>();
  const failed = new Map<string, Failures>();
  for (const { endpointId, kind, at, isProbe } of verdicts) {
    if (kind === 'gone') gone.add(endpointId);
    if (kind === 'succeeded') {
      healed.add(endpointId);
      failed.delete(endpointId);
      continue;
    }
    const known = failed.get(endpointId);
    const isAfterSuccess = healed.delete(endpointId) || (known?.isAfterSuccess ?? false);
    failed.set(endpointId, {
      count: (known?.count ?? 0) + 1,
      firstAt: known?.firstAt ?? at,
      isAfterSuccess,
      isProbe: isProbe || (known?.isProbe ?? false),
    });
  }
  return { healed: [...healed], failed, gone: [...gone] };
}

/**
 * The health after failures. While the breaker is open, what had been sent before it opened may still fail: that
 * is counted and no more, since only a probe finds out anything new.
 */
export function afterFailures(before: Health, failed: Failures, now: Date): Health {
  const known = failed.isAfterSuccess ? HEALTHY : before;
  const failures = Math.min(known.failures + failed.count, COUNT_MAX);
  const failingSince = known.failingSince ?? failed.firstAt;
  const opens = known.openUntil === null ? failures >= BREAKER_FAILURES : failed.isProbe;
  if (!opens) return { ...known, failures, failingSince };
  const openings = Math.min(known.openings + 1, COUNT_MAX);
  return { failures, failingSince, openings, openUntil: new Date(now.getTime() + openForMs(openings)) };
}

/** The column's bound. */
const COUNT_MAX = 2_147_483_647;

/** `openings` counts from 1. */
export function openForMs(openings: number): number {
  return Math.min(OPEN_FIRST_MS * 2 ** (openings - 1), OPEN_MAX_MS);
}

/** Asked when a failure has been counted: an endpoint that is sent nothing does not fail. */
export function hasFailedForGood({ failingSince }: Health, now: Date): boolean {
  return failingSince !== null && now.getTime() - failingSince.getTime() >= FAILING_MAX_MS;
}

export type BreakerState = 'closed' | 'open' | 'half_open';

export function breakerState({ openUntil }: Pick<Health, 'openUntil'>, now: Date): BreakerState {
  if (openUntil === null) return 'closed';
  return openUntil > now ? 'open' : 'half_open';
}

/** How long a delivery is put off for whose endpoint the breaker is open. `random` is uniform in [0, 1). */
export function putOffMs(openUntil: Date, now: Date, random: number): number {
  const waitMs = Math.max(openUntil.getTime() - now.getTime(), 0);
  return Math.ceil(waitMs + PUT_OFF_SPREAD * Math.max(waitMs, OPEN_FIRST_MS) * random);
}
