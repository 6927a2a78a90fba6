// Owns the two pure ends of an attempt: what is sent for a delivery, and what becomes of the delivery by what
// came back. Does not own the schedule (retry.ts), the signature (webhooks/sign.ts) or any I/O.

import { webhookHeaders } from '../webhooks/sign.js';
import type { SendInput, SendResult } from '../webhooks/transport.js';
import { breakerState, putOffMs } from './health.js';
import type { ClaimedRow } from './queue-store.js';
import { nextAttempt } from './retry.js';
import type { Settlement } from './settle-store.js';

/** A claimed delivery with all that its sending takes. */
export interface Delivery extends ClaimedRow {
  tenantId: string;
  token: string;
  url: string;
  secrets: readonly string[];
  /** The endpoint's own. */
  headers: Readonly<Record<string, string>>;
  rateLimitPerS: number | null;
  body: string;
}

/** Headers of ours, beside those of the signature. */
export const REPLAY_HEADER = 'perennial-replay';
export const AFTER_DEAD_LETTER_HEADER = 'perennial-after-dead-letter';

/** `at` is wall-clock time: receivers hold the timestamp against their own clock. */
export function prepare(delivery: Delivery, at: Date): SendInput {
  const { eventId, url, secrets, body, replayOf, afterDeadLetter } = delivery;
  const timestampS = Math.floor(at.getTime() / 1000);
  const headers = webhookHeaders({ id: eventId, timestampS, body, secrets, extra: delivery.headers });
  // Last, so that no header of the endpoint's own can claim it.
  if (replayOf !== null) headers[REPLAY_HEADER] = replayOf;
  if (afterDeadLetter !== null) headers[AFTER_DEAD_LETTER_HEADER] = afterDeadLetter;
  return { url, body, headers };
}

/** An endpoint as a delivery needs it. */
export interface Target {
  status: 'active' | 'paused' | 'disabled';
  url: string;
  /** Newest first, of either kind; empty where they cannot be read with the present key. */
  secrets: readonly string[];
  headers: Readonly<Record<string, string>>;
  /** Requests that may start in any one second; null without a limit. */
  rateLimitPerS: number | null;
  /** Until when the breaker is open; once that has passed, a probe finds out. Null while it is closed. */
  openUntil: Date | null;
}

/** A paused endpoint's deliveries are looked at again after their own age, within these bounds. */
const HELD_MIN_MS = 60_000;
const HELD_MAX_MS = 3_600_000;
const UNREADABLE_MS = 300_000;

export interface Chance {
  now: Date;
  /** Uniform in [0, 1). */
  random: number;
}

/** What becomes of a delivery whose endpoint takes none now, at no cost of attempts; undefined where it is sent. */
export function unsentSettlement(
  delivery: Delivery,
  target: Target,
  { now, random }: Chance,
): Settlement | undefined {
  const { id, token, createdAt } = delivery;
  if (target.status === 'disabled') {
    return { id, token, status: 'exhausted', dueAt: null, finishedAt: now.toISOString() };
  }
  const heldMs = Math.min(Math.max(now.getTime() - createdAt.getTime(), HELD_MIN_MS), HELD_MAX_MS);
  if (target.status === 'paused') return returned(delivery, now, heldMs);
  if (target.secrets.length === 0) return returned(delivery, now, UNREADABLE_MS);
  if (target.openUntil === null || breakerState(target, now) !== 'open') return undefined;
  return returned(delivery, now, putOffMs(target.openUntil, now, random));
}

/** Back into the queue as it was, to be taken up again after `waitMs`. */
export function returned(
  { id, token }: Pick<Delivery, 'id' | 'token'>,
  now: Date,
  waitMs: number,
): Settlement {
  const dueAt = new Date(now.getTime() + waitMs).toISOString();
  return { id, token, status: 'pending', dueAt, finishedAt: null };
}

const ERROR_LENGTH_MAX = 1_000;

export interface Ended extends Chance {
  result: SendResult;
  startedAt: Date;
}

export const OUTCOME_KINDS = ['succeeded', 'retry', 'exhausted', 'gone'] as const;
export type OutcomeKind = (typeof OUTCOME_KINDS)[number];

/** What is recorded of an attempt, and the delivery's state after it. */
export function settlementOf(
  delivery: Delivery,
  ended: Ended,
): { kind: OutcomeKind; settlement: Settlement } {
  const { result, startedAt, now, random } = ended;
  const next = nextAttempt({
    attempt: delivery.attempts + 1,
    firstAttemptAt: delivery.firstAttemptAt ?? startedAt,
    now,
    outcome: result,
    random,
  });
  const isOver = next.kind !== 'retry';
  const settlement: Settlement = {
    id: delivery.id,
    token: delivery.token,
    // Gone is the end of the endpoint, not of the message: it stays among those that can be sent again.
    status: next.kind === 'retry' ? 'pending' : next.kind === 'succeeded' ? 'succeeded' : 'exhausted',
    dueAt: next.kind === 'retry' ? next.at.toISOString() : null,
    finishedAt: isOver ? now.toISOString() : null,
    attempt: {
      startedAt: startedAt.toISOString(),
      durationMs: Math.round(result.durationMs),
      status: result.status,
      error: result.error === null ? null : line(`${result.error.code}: ${result.error.message}`),
      responseBody: result.responseBody === '' ? null : storable(result.responseBody),
    },
  };
  return { kind: next.kind, settlement };
}

/** Neither NUL nor half a surrogate pair fits into a text column. */
function storable(text: string): string {
  return text.replace(/[\0\p{Surrogate}]/gu, '\u{fffd}');
}

/** One line, as the API promises: what libraries say of a failure may run over several. */
function line(text: string): string {
  return storable(text)
    .replace(/\p{Cc}+/gu, ' ')
    .slice(0, ERROR_LENGTH_MAX);
}
