// Owns the step from a request to a Context: whose it is, when, and its idempotency claim. Does not own who
// may do what (plugins/auth) or what becomes of the claim (db/idempotency).

import { createHash, hkdfSync } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { App } from '../api/schema.js';
import type { Actor, Answer, Context, IdempotencyClaim, Scope } from '../context.js';
import { InvalidError } from '../errors.js';

/** What a request has proved about itself. Set on the request by authentication. */
export interface Credential {
  tenantId: string;
  actor: Actor;
  scopes: ReadonlySet<Scope>;
  /** What requests are counted by, the same for every request with this credential. */
  rateLimitKey: string;
}

/** What a route asks of a credential. `public` asks for none. */
export type RouteScope = Scope | 'admin' | 'public';

declare module 'fastify' {
  interface FastifyContextConfig {
    scope?: RouteScope;
    /** The response shows a secret once: the answer kept for a repeated request is encrypted. */
    secretResponse?: boolean;
  }
  interface FastifyRequest {
    credential: Credential | null;
    /** The body as it was sent, kept only where an idempotency key needs it. */
    bodyBytes: Buffer | null;
  }
  interface FastifyInstance {
    clock: () => Date;
  }
}

type ContextRequest = Pick<
  FastifyRequest,
  'id' | 'method' | 'url' | 'headers' | 'server' | 'routeOptions' | 'credential' | 'bodyBytes'
>;

/**
 * `status` is what the route answers with when its work succeeds; it is kept with an idempotency key, and so
 * is what the service's transaction returns, or what `answer` makes of that.
 */
export function contextOf<Result>(
  request: ContextRequest,
  status = 200,
  answer?: (result: Result) => Answer,
): Context {
  const { credential } = request;
  // Only a public route can come here without one, and public routes have no use cases that need a context.
  if (credential === null) throw new Error('a route without a credential asked for a context');
  const context: Context = {
    tenantId: credential.tenantId,
    actor: credential.actor,
    now: request.server.clock(),
    requestId: request.id,
  };
  const key = request.headers['idempotency-key'];
  if (key !== undefined && request.method === 'POST') {
    context.idempotency = claim(request, typeof key === 'string' ? key : '', status);
    if (answer !== undefined) context.idempotency.answer = answer as (result: never) => Answer;
  }
  return context;
}

const KEY = /^[\x21-\x7e]{1,255}$/;

function claim(request: ContextRequest, key: string, status: number): IdempotencyClaim {
  if (!KEY.test(key)) {
    const detail = 'Idempotency-Key takes 1 to 255 visible ASCII characters.';
    throw new InvalidError('invalid_idempotency_key', detail, {
      faults: [{ pointer: '/header/idempotency-key', detail }],
    });
  }
  const hash = createHash('sha256').update(`${request.method} ${request.url}\n`);
  if (request.bodyBytes !== null) hash.update(request.bodyBytes);
  const taken: IdempotencyClaim = { key, fingerprint: hash.digest(), status };
  if (request.routeOptions.config.secretResponse === true) taken.encryptionKey = encryptionKey(request, key);
  return taken;
}

/** Only who sends the same credential and the same key again can derive it; it is kept nowhere. */
function encryptionKey(request: ContextRequest, key: string): Buffer {
  const secret = request.headers.authorization ?? '';
  return Buffer.from(hkdfSync('sha256', secret, key, 'perennial idempotent response', 32));
}

export interface ContextOptions {
  clock: () => Date;
}

export const contextPlugin = fp(
  (app: App, options: ContextOptions, done: () => void) => {
    app.decorate('clock', options.clock);
    app.decorateRequest('credential', null);
    app.decorateRequest('bodyBytes', null);
    app.addHook('onRoute', (route) => {
      if (route.config?.scope !== undefined) return;
      // A route that forgot to say who may call it must stop the start, not wait for somebody to notice.
      if (route.url.startsWith('/v1'))
        throw new Error(`${String(route.method)} ${route.url} declares no scope`);
      route.config = { ...route.config, scope: 'public' };
    });
    done();
  },
  { name: 'context' },
);
