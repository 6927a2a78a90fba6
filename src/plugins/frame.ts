// Owns what every request and response has, whatever the route: the request id, the security headers, and a
// URL that can be read. Does not own limits (rate-limit.ts) or the body (json/).

import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { pointerToken } from '../api/pointer.js';
import type { App } from '../api/schema.js';
import { type Fault, InvalidError } from '../errors.js';

const SANE_ID = /^[\x21-\x7e]{1,128}$/;

/**
 * A caller's own id is kept, so that one id follows a request through several systems. Ours is random: the
 * log has the time already, and Node keeps entropy for these at hand (0.1 µs; an UUIDv7 of the library 3 µs).
 */
export function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && SANE_ID.test(given) ? given : randomUUID();
}

/** Also for answers that are given outside of the hooks. */
export function stampFrame(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', request.id);
  reply.header('x-content-type-options', 'nosniff');
  // Answers are about people. What may be kept says so itself, with an ETag.
  reply.header('cache-control', 'no-store');
}

export const framePlugin = fp(
  (app: App, _options: object, done: () => void) => {
    app.addHook('onRequest', (request, reply, next) => {
      stampFrame(request, reply);
      // Almost no URL needs the closer look.
      next(request.url.includes('%') ? urlFault(request) : undefined);
    });
    done();
  },
  { name: 'frame' },
);

/** The router has decoded the path already; of the query, what is malformed would pass as it stands. */
function urlFault(request: FastifyRequest): InvalidError | undefined {
  const mark = request.url.indexOf('?');
  if (mark !== -1 && !decodes(request.url.slice(mark + 1))) {
    return new InvalidError('malformed_url', 'The query is not percent-encoded UTF-8.');
  }
  if (!request.url.includes('%00')) return undefined;
  const faults = [...nulFaults('/path', request.params), ...nulFaults('/query', request.query)];
  return new InvalidError('nul_character', 'A NUL character cannot be part of a URL.', { faults });
}

function decodes(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function nulFaults(prefix: string, parameters: unknown): Fault[] {
  return Object.entries((parameters ?? {}) as Record<string, unknown>)
    .filter(([name, value]) => name.includes('\u0000') || String(value).includes('\u0000'))
    .map(([name]) => ({
      pointer: `${prefix}/${pointerToken(name)}`,
      detail: 'must not have NUL characters',
    }));
}
