// Owns when a failed delivery is tried again: the schedule as data, its jitter, and what `Retry-After`
// may change; and for how long an answer asks to be left alone. Pure. Does not own sending, nor the state of an
// endpoint (lane.ts, health.ts).

import { DAY_MS } from '../lifecycle/calendar.js';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** The wait before each attempt since the one before it; the first goes out at once. */
export const RETRY_DELAYS_MS: readonly number[] = [
  0,
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  10 * HOUR_MS,
];
/** The wait before every attempt after those. */
export const RETRY_DELAY_LATER_MS = DAY_MS;
/**
 * How long after the first attempt the last one is made. A step that would pass the end is moved to it,
 * so that a receiver who is back within three days misses nothing, whatever the jitter was.
 */
export const RETRY_HORIZON_MS = 3 * DAY_MS;
/** Each wait is drawn from ±20 %, so that what failed together does not come back together. */
export const RETRY_JITTER = 0.2;
/** A receiver may ask for a longer wait than the schedule's, up to this. */
export const RETRY_AFTER_MAX_MS = DAY_MS;

/** What one attempt came to; the transport's result is one. */
export interface AttemptOutcome {
  status: number | null;
  error: { code: string } | null;
  responseHeaders: { 'retry-after'?: string };
}

export interface NextAttemptInput {
  /** The number of the attempt that has just ended, 1 for the first. */
  attempt: number;
  firstAttemptAt: Date;
  now: Date;
  outcome: AttemptOutcome;
  /** Uniform in [0, 1). */
  random: number;
}

export type NextAttempt =
  | { kind: 'succeeded' }
  | { kind: 'retry'; at: Date }
  | { kind: 'exhausted' }
  /** The receiver says that it is gone for good (410): its endpoint is to be disabled. */
  | { kind: 'gone' };

/**
 * What follows an attempt. Only a complete 2xx answer is a success: redirects are failures because they
 * are never followed, and an answer that broke off midway has acknowledged nothing.
 */
export function nextAttempt({
  attempt,
  firstAttemptAt,
  now,
  outcome,
  random,
}: NextAttemptInput): NextAttempt {
  const { status, error } = outcome;
  if (status === 410) return { kind: 'gone' };
  if (error === null && status !== null && status >= 200 && status <= 299) return { kind: 'succeeded' };
  const endMs = firstAttemptAt.getTime() + RETRY_HORIZON_MS;
  if (now.getTime() >= endMs) return { kind: 'exhausted' };
  const stepMs = RETRY_DELAYS_MS[attempt] ?? RETRY_DELAY_LATER_MS;
  const scheduledMs = stepMs * (1 - RETRY_JITTER + 2 * RETRY_JITTER * random);
  // A receiver can only ask for more patience than the schedule has: a `Retry-After: 0` in every answer
  // would turn a broken receiver into a hot loop.
  const waitMs = Math.max(scheduledMs, askedWaitMs(outcome.responseHeaders['retry-after'], { now, random }));
  return { kind: 'retry', at: new Date(Math.min(Math.ceil(now.getTime() + waitMs), endMs)) };
}

/** Answers by which a receiver, or what stands before it, says that too much comes at once. */
const OVERLOADED: ReadonlySet<number | null> = new Set([429, 502, 504]);
/** How long an overloaded endpoint is sent nothing where it does not say so itself. */
export const SLOW_DOWN_MS = SECOND_MS;
/** What it may ask for all its deliveries; the one that was answered may wait longer. */
export const SLOW_DOWN_MAX_MS = MINUTE_MS;

/** For how long the endpoint is to be left alone after this answer; null where it is not overloaded. */
export function slowDownMs({ status, responseHeaders }: AttemptOutcome, now: Date): number | null {
  if (!OVERLOADED.has(status)) return null;
  const askedMs = askedMsOf(responseHeaders['retry-after'], now);
  return Math.min(Math.max(askedMs, SLOW_DOWN_MS), SLOW_DOWN_MAX_MS);
}

/** The wait that `Retry-After` asks for, spread over the 20 % that follow it and never shorter; 0 if none. */
function askedWaitMs(value: string | undefined, { now, random }: { now: Date; random: number }): number {
  return Math.min(askedMsOf(value, now) * (1 + RETRY_JITTER * random), RETRY_AFTER_MAX_MS);
}

function askedMsOf(value: string | undefined, now: Date): number {
  if (value === undefined) return 0;
  const text = value.trim();
  const askedMs = /^\d{1,10}$/.test(text) ? Number(text) * SECOND_MS : dateOf(text) - now.getTime();
  if (Number.isNaN(askedMs)) return 0;
  return Math.max(askedMs, 0);
}

const DAY_NAME = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /;

/** The three forms of RFC 9110's HTTP-date, all of them in UTC even where the text does not say so. */
function dateOf(text: string): number {
  if (!DAY_NAME.test(text)) return Number.NaN;
  return Date.parse(text.endsWith(' GMT') ? text : `${text} GMT`);
}
