// Owns the kinds of failure that the product knows and their stable codes. Knows no HTTP: a plugin maps
// kinds to problem+json, so that a service can fail the same way from a route, a job or a script.

export const ERROR_KINDS = [
  'invalid',
  'unauthenticated',
  'forbidden',
  'not_found',
  'conflict',
  'gone',
  'precondition_failed',
  'unprocessable',
  'too_large',
  'rate_limited',
  'unavailable',
] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];

/** One fault in a request: an RFC 6901 pointer into the body (or `/query/…`, `/path/…`) and what is wrong. */
export interface Fault {
  pointer: string;
  detail: string;
}

export interface ErrorExtras {
  faults?: Fault[];
  /** Members added to the problem document, e.g. the customer that a conflict is about. */
  members?: Record<string, unknown>;
  retryAfterS?: number;
  cause?: unknown;
}

/** A failure that the caller may be told about: `kind` for the mapping, `code` stable for programs. */
export class PerennialError extends Error {
  override readonly name: string = 'PerennialError';
  readonly faults: Fault[] | undefined;
  readonly members: Record<string, unknown> | undefined;
  readonly retryAfterS: number | undefined;

  constructor(
    readonly kind: ErrorKind,
    readonly code: string,
    detail: string,
    extras: ErrorExtras = {},
  ) {
    super(detail, { cause: extras.cause });
    this.faults = extras.faults;
    this.members = extras.members;
    this.retryAfterS = extras.retryAfterS;
  }
}

export class InvalidError extends PerennialError {
  constructor(code: string, detail: string, extras?: ErrorExtras) {
    super('invalid', code, detail, extras);
  }
}

export class NotFoundError extends PerennialError {
  constructor(code: string, detail: string, extras?: ErrorExtras) {
    super('not_found', code, detail, extras);
  }
}

export class ConflictError extends PerennialError {
  constructor(code: string, detail: string, extras?: ErrorExtras) {
    super('conflict', code, detail, extras);
  }
}

export class ForbiddenError extends PerennialError {
  constructor(code: string, detail: string, extras?: ErrorExtras) {
    super('forbidden', code, detail, extras);
  }
}

export class UnavailableError extends PerennialError {
  constructor(detail: string, extras: ErrorExtras = {}) {
    super('unavailable', 'unavailable', detail, { retryAfterS: 2, ...extras });
  }
}
