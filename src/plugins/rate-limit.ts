// Owns the limits on requests and how a response tells of them (draft-ietf-httpapi-ratelimit-headers-11).
// Does not own the counting (limits.ts). Each replica counts for itself. The library in the field's common
// use writes an older draft's headers, and reads the clock itself.

import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { App } from '../api/schema.js';
import { PerennialError } from '../errors.js';
import { RequestLimit } from './limits.js';

const WINDOW_S = 60;
/** Of an address that shows wrong credentials, so many a minute are looked at and told so. */
const FAILED_AUTHENTICATIONS_PER_MINUTE = 300;

export interface RateLimitOptions {
  clock: () => Date;
  /** Requests a minute for each credential, or each address where there is none; 0 switches the limit off. */
  perMinute: number;
}

/** How the error handler gets at the limits: what failed early has not been counted by the hook. */
export interface Limits {
  /** Counts the request and stamps the response, once a request. Undefined while it is within the limit. */
  count(request: FastifyRequest, reply: FastifyReply): PerennialError | undefined;
  /** Counts a failed authentication against the address. */
  countFailedAuthentication(request: FastifyRequest): PerennialError | undefined;
}

declare module 'fastify' {
  interface FastifyInstance {
    limits: Limits;
  }
  interface FastifyRequest {
    counted: boolean;
  }
}

export const rateLimitPlugin = fp(
  (app: App, options: RateLimitOptions, done: () => void) => {
    const limits = options.perMinute === 0 ? UNLIMITED : createLimits(options);
    app.decorateRequest('counted', false);
    app.decorate('limits', limits);
    // Registered after authentication, so that the credential is known.
    app.addHook('onRequest', (request, reply, next) => next(limits.count(request, reply)));
    done();
  },
  { name: 'rate-limit', dependencies: ['auth'] },
);

const UNLIMITED: Limits = { count: () => undefined, countFailedAuthentication: () => undefined };

function createLimits({ clock, perMinute }: RateLimitOptions): Limits {
  const requests = new RequestLimit(perMinute, WINDOW_S);
  const failures = new RequestLimit(Math.min(perMinute, FAILED_AUTHENTICATIONS_PER_MINUTE), WINDOW_S);
  const policy = `"default";q=${perMinute};w=${WINDOW_S}`;
  return {
    count(request, reply) {
      if (request.counted) return undefined;
      request.counted = true;
      const key = request.credential?.rateLimitKey ?? `ip:${request.ip}`;
      const { allowed, remaining, resetS } = requests.take(key, clock().getTime());
      reply.header('ratelimit-policy', policy);
      reply.header('ratelimit', `"default";r=${remaining};t=${resetS}`);
      return allowed ? undefined : limited('rate_limited', `At most ${perMinute} requests a minute.`, resetS);
    },
    // Only requests that fail are refused: an address is often shared (a proxy, an office), and one client
    // with an old key must not lock out the others.
    countFailedAuthentication(request) {
      const { allowed, resetS } = failures.take(`ip:${request.ip}`, clock().getTime());
      return allowed
        ? undefined
        : limited('too_many_failed_authentications', 'Too many failed attempts.', resetS);
    },
  };
}

function limited(code: string, detail: string, retryAfterS: number): PerennialError {
  return new PerennialError('rate_limited', code, detail, { retryAfterS });
}
