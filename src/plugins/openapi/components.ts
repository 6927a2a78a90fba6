// Owns the parts of the document that many operations share: how one authenticates, limits and problems.
// Does not own the shapes of resources (the modules' schemas).

import type { ProblemStatus } from '../../api/responses.js';
import type { JsonObject } from './sealing.js';

const SECURITY_SCHEMES = {
  apiKey: {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key of a tenant: `Authorization: Bearer pk_…`.',
  },
  jwt: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'A token of a trusted issuer, checked as RFC8725 asks: algorithm, issuer, audience and expiry.',
  },
  adminKey: { type: 'http', scheme: 'bearer', description: "The deployment's administrator key." },
};

const visible = (description: string, maxLength: number) => ({
  description,
  schema: { type: 'string', pattern: '^[ -~]*$', maxLength },
});

const HEADERS: JsonObject = {
  RateLimit: visible('What is left of the limit in this window: `"default";r=<requests>;t=<seconds>`.', 128),
  'RateLimit-Policy': visible('The limit: `"default";q=<requests>;w=<seconds>`.', 128),
  'Retry-After': {
    description: 'Seconds to wait before the next attempt.',
    schema: { type: 'integer', format: 'int32', minimum: 0, maximum: 86_400 },
  },
  'X-Request-Id': visible("The request's id: the one that was sent, or a new one.", 128),
  ETag: visible("The resource's version, quoted.", 32),
  'Idempotency-Replayed': {
    description: '`true` where this is the answer to an earlier request with the same key.',
    schema: { type: 'string', enum: ['true'] },
  },
  'WWW-Authenticate': visible('The kind of credential that is needed.', 256),
  'Access-Control-Allow-Origin': visible(
    'Sent by a proxy in front of the service, if at all: the service itself opens no origin to browsers.',
    256,
  ),
};

const PARAMETERS: JsonObject = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description: 'Makes the request safe to repeat for 24 hours: the first answer is given again.',
    schema: { type: 'string', pattern: '^[!-~]+$', minLength: 1, maxLength: 255 },
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    required: false,
    description: 'An ETag: the change is made only if the resource is still at this version.',
    schema: { type: 'string', pattern: '^(\\*|(W/)?"[!#-~]*")$', maxLength: 64 },
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    required: false,
    description: 'An ETag: the answer is 304 if the resource is still at this version.',
    schema: { type: 'string', pattern: '^[ -~]*$', maxLength: 256 },
  },
};

export function headerReferences(names: readonly string[]): JsonObject {
  const always = ['RateLimit', 'RateLimit-Policy', 'X-Request-Id', 'Access-Control-Allow-Origin'];
  return Object.fromEntries(
    [...always, ...names].map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  );
}

interface ProblemResponse {
  name: string;
  description: string;
  headers?: string[];
}

export const PROBLEM_RESPONSES: Record<ProblemStatus, ProblemResponse> = {
  400: { name: 'BadRequest', description: 'The request does not fit; `errors` points at each fault.' },
  401: { name: 'Unauthenticated', description: 'No valid credential.', headers: ['WWW-Authenticate'] },
  403: { name: 'Forbidden', description: 'The credential does not reach this far.' },
  404: { name: 'NotFound', description: 'There is no such thing in this tenant.' },
  409: {
    name: 'Conflict',
    description: 'It contradicts what is there, or a request with this key is under way.',
  },
  410: { name: 'Gone', description: 'It was there, and is kept no longer.' },
  412: { name: 'PreconditionFailed', description: 'The resource is at another version than If-Match says.' },
  413: { name: 'ContentTooLarge', description: 'The body is larger than is accepted.' },
  415: { name: 'UnsupportedMediaType', description: 'The body is not JSON.' },
  422: { name: 'Unprocessable', description: 'It fits by its shape, but cannot be done.' },
  429: { name: 'TooManyRequests', description: 'The limit is reached.', headers: ['Retry-After'] },
  500: { name: 'InternalError', description: 'Something went wrong in the service.' },
  503: { name: 'Unavailable', description: 'Try again in a moment.', headers: ['Retry-After'] },
};

function problemResponses(): JsonObject {
  const entries = Object.values(PROBLEM_RESPONSES).map(({ name, description, headers = [] }) => {
    const content = { 'application/problem+json': { schema: { $ref: 'Problem#' } } };
    return [name, { description, headers: headerReferences(headers), content }];
  });
  return Object.fromEntries(entries);
}

export const COMPONENTS = {
  securitySchemes: SECURITY_SCHEMES,
  headers: HEADERS,
  parameters: PARAMETERS,
  responses: problemResponses(),
};
