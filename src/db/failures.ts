// Owns the reading of database failures: which are worth another try, which mean that the database is
// away, and which name a constraint. Does not own what is done about them.

import { DrizzleQueryError } from 'drizzle-orm';
import { UnavailableError } from '../errors.js';

interface DatabaseFailure extends Error {
  code?: string;
  constraint?: string;
}

/** Serialization failure and deadlock: the same transaction, run again, is expected to pass. */
const RETRYABLE = new Set(['40001', '40P01']);

/** The server is stopping, starting, full, gone, or too busy to finish in time (57014, 25P03). Class 08 (connection exceptions) is matched by prefix. */
const AWAY = new Set(['57P01', '57P02', '57P03', '53300', '53400', '25006', '57014', '25P03']);
/** It has ended the session by a limit of its own, of idleness or of a transaction's time. */
const SESSION_ENDED = new Set(['25P03', '25P04', '57P05']);
const AWAY_SYSTEM = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
/** pg reports a lost connection and an exhausted pool as plain errors without a code. */
const AWAY_MESSAGE =
  /connection terminated|timeout exceeded when trying to connect|connection ended|not queryable|connection error|timeout expired|Client was closed|Cannot use a pool after calling end/i;

/**
 * The query builder hides a failure in one of its own, without the code, and with every value of the statement
 * in the message: no log may show those, so the wrapping is taken off wherever a failure is read.
 */
export function unwrap(error: unknown): unknown {
  return error instanceof DrizzleQueryError && error.cause !== undefined ? error.cause : error;
}

/** The name of the constraint that a unique or foreign-key violation broke, if the error is one. */
export function brokenConstraint(error: unknown): string | undefined {
  const failure = unwrap(error) as DatabaseFailure;
  return failure?.code === '23505' || failure?.code === '23503' ? failure.constraint : undefined;
}

/** What was looked for has moved while a lock was waited for: the same transaction, run again, finds it. */
export class LostRace extends Error {
  readonly code = '40001';
}

/** Whether the same transaction is worth running again; unique violations are races that a second run sees. */
export function isRetryable(error: unknown): boolean {
  const code = (unwrap(error) as DatabaseFailure)?.code;
  return code !== undefined && (RETRYABLE.has(code) || code === '23505');
}

export function isAway(thrown: unknown): boolean {
  const error = unwrap(thrown);
  if (!(error instanceof Error)) return false;
  const { code, message } = error as DatabaseFailure;
  if (code === undefined) return AWAY_MESSAGE.test(message);
  return AWAY.has(code) || SESSION_ENDED.has(code) || AWAY_SYSTEM.has(code) || code.startsWith('08');
}

/**
 * Whether a statement was ended before it was done: its time was over, for example waiting for a lock, or an
 * administrator ended it. Not `away`: a tick has to set aside the one customer who takes too long.
 */
export function isGivenUp(error: unknown): boolean {
  return (unwrap(error) as DatabaseFailure)?.code === '57014';
}

/** Turns "the database is away" into the failure that a caller may be told about; leaves the rest alone. */
export function translate(thrown: unknown): unknown {
  const error = unwrap(thrown);
  return isAway(error)
    ? new UnavailableError('The database cannot be reached just now.', { cause: error })
    : error;
}
