// Owns how every failure is answered: as a problem document, with the headers that its status asks for.
// Does not own what fails or why. What is not known is a 500 that tells nothing of the inside.

import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { describeProblem, type ProblemBody, problemOf } from '../api/problem.js';
import type { App } from '../api/schema.js';
import { isGivenUp, translate } from '../db/failures.js';
import { IdempotentReplay } from '../db/idempotency.js';
import { InvalidError, NotFoundError, PerennialError, UnavailableError } from '../errors.js';
import { stampFrame } from './frame.js';
import { HttpProblem } from './http-problem.js';

const PROBLEM_TYPE = 'application/problem+json';

export const errorsPlugin = fp(
  (app: App, _options: object, done: () => void) => {
    app.setErrorHandler((error: Error, request, reply) => answerFailure(error, request, reply));
    app.setNotFoundHandler((request, reply) => {
      answerFailure(
        new NotFoundError('route_not_found', 'There is nothing at this address.'),
        request,
        reply,
      );
    });
    done();
  },
  { name: 'errors', dependencies: ['frame', 'rate-limit'] },
);

/** Also for failures that come before any route: then no hook has stamped the response. */
export function answerFailure(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  if (error instanceof IdempotentReplay) {
    replay(error, reply);
    return;
  }
  if (!request.counted) stampFrame(request, reply);
  const failure = recognise(limitedInstead(error, request, reply));
  if (failure === undefined)
    request.server.log.error({ requestId: request.id, err: error }, 'request failed');
  const problem =
    failure === undefined ? UNKNOWN : 'status' in failure ? httpProblem(failure) : problemOf(failure);
  for (const [name, value] of headersOf(failure, request)) reply.header(name, value);
  reply.header('content-type', PROBLEM_TYPE);
  // A buffer, because Fastify would add a charset to a string's type, which this type does not have.
  reply.code(problem.status).send(Buffer.from(JSON.stringify({ ...problem, requestId: request.id })));
}

const UNKNOWN = describeProblem(
  500,
  'internal_error',
  'Something went wrong on our side. It has been logged.',
);

/** A failure before the limits' own hook is counted here, wrong credentials twice: as such and as a request. */
function limitedInstead(error: Error, request: FastifyRequest, reply: FastifyReply): Error {
  const { limits } = request.server;
  const over = limits.count(request, reply);
  const wrong = error instanceof PerennialError && error.kind === 'unauthenticated';
  return over ?? (wrong ? limits.countFailedAuthentication(request) : undefined) ?? error;
}

function recognise(error: Error): PerennialError | HttpProblem | undefined {
  if (error instanceof PerennialError || error instanceof HttpProblem) return error;
  // Anything can be thrown, also nothing.
  const { code, statusCode } = (error ?? {}) as Partial<FastifyError>;
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new PerennialError('too_large', 'body_too_large', 'The body is larger than is accepted.');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new HttpProblem(415, 'unsupported_media_type', 'The body is sent as application/json.');
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new InvalidError('malformed_url', 'The URL cannot be read.');
  }
  if (code?.startsWith('FST_') && statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new HttpProblem(statusCode, 'bad_request', `${STATUS_CODES[statusCode]}.`);
  }
  if (isGivenUp(error))
    return new UnavailableError('The database took too long to answer.', { cause: error });
  const translated = translate(error);
  return translated instanceof PerennialError ? translated : undefined;
}

function httpProblem({ status, code, message }: HttpProblem): ProblemBody {
  return describeProblem(status, code, message);
}

function headersOf(
  failure: PerennialError | HttpProblem | undefined,
  request: FastifyRequest,
): [string, string][] {
  if (failure === undefined) return [];
  if (failure instanceof HttpProblem) return Object.entries(failure.headers);
  const headers: [string, string][] = [];
  if (failure.kind === 'unauthenticated') {
    const sent = request.headers.authorization !== undefined;
    headers.push(['www-authenticate', sent ? 'Bearer error="invalid_token"' : 'Bearer']);
  }
  const retryAfterS = failure.retryAfterS ?? (failure.kind === 'unavailable' ? 2 : undefined);
  if (retryAfterS !== undefined) headers.push(['retry-after', String(retryAfterS)]);
  return headers;
}

function replay({ status, body }: IdempotentReplay, reply: FastifyReply): void {
  reply.header('idempotency-replayed', 'true');
  if (status === 204) reply.code(status).send();
  else reply.code(status).header('content-type', 'application/json; charset=utf-8').send(Buffer.from(body));
}
