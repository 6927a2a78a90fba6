// Owns the problem document (RFC 9457): its shape and how each kind of failure reads in it. Does not own
// sending it (plugins/errors).

import Type from 'typebox';
import type { ErrorKind, Fault, PerennialError } from '../errors.js';
import { closed, shared } from './schema.js';

export const STATUS_OF_KIND: Record<ErrorKind, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  gone: 410,
  precondition_failed: 412,
  too_large: 413,
  unprocessable: 422,
  rate_limited: 429,
  unavailable: 503,
};

const TITLES: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

const line = '^[^\\u0000-\\u001f]*$';

const members = {
  type: Type.String({ format: 'uri', maxLength: 128, description: '`urn:perennial:problem:<code>`' }),
  title: Type.String({ pattern: line, maxLength: 64 }),
  status: Type.Integer({ format: 'int32', minimum: 400, maximum: 599 }),
  detail: Type.String({
    pattern: line,
    maxLength: 2000,
    description: 'What is wrong, for a person to read.',
  }),
  code: Type.String({
    pattern: '^[a-z0-9_]+$',
    maxLength: 64,
    description: 'Stable; for programs to act on.',
  }),
  errors: Type.Optional(
    Type.Array(
      closed({
        pointer: Type.String({
          pattern: '^(?:/.*)?$',
          maxLength: 2000,
          description: 'RFC 6901 into the body, or `/query/<name>`, `/path/<name>`, `/header/<name>`.',
        }),
        detail: Type.String({ pattern: line, maxLength: 500 }),
      }),
      { maxItems: 20, description: 'Each fault of the request, where it is known.' },
    ),
  ),
};

export const Problem = shared(
  'Problem',
  Type.Object(
    {
      ...members,
      requestId: Type.String({
        pattern: '^[!-~]*$',
        maxLength: 128,
        description: 'Quote it when you ask for help.',
      }),
    },
    { description: 'RFC 9457. Some codes add members of their own.' },
  ),
);

/** The problem of one item of a batch: the request as a whole has the request id. */
export const ItemProblem = shared(
  'ItemProblem',
  Type.Object(members, { description: 'RFC 9457, for one item.' }),
);

export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  errors?: Fault[];
  [member: string]: unknown;
}

export function problemOf(error: PerennialError): ProblemBody {
  const problem = describeProblem(STATUS_OF_KIND[error.kind], error.code, error.message);
  if (error.faults !== undefined) problem.errors = error.faults;
  // The product's own members come first in a clash: an extra must not change what a status means.
  return error.members === undefined ? problem : { ...error.members, ...problem };
}

export function describeProblem(status: number, code: string, detail: string): ProblemBody {
  return { type: `urn:perennial:problem:${code}`, title: TITLES[status] ?? 'Error', status, detail, code };
}
