// Owns who is asking and whether they may: reads the bearer, sets `request.credential`, and refuses what the
// route's scope does not admit. Does not own keys (api-keys), tokens (jwt.ts) or tenants.

import { timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { App } from '../api/schema.js';
import type { KeyHolder, KeyHolders } from '../api-keys/holders.js';
import { hashKey, KEY_PREFIX } from '../api-keys/secret.js';
import { NO_TENANT_ID } from '../context.js';
import { ForbiddenError, PerennialError } from '../errors.js';
import type { TenantsService } from '../tenants/service.js';
import type { Credential, RouteScope } from './context.js';
import type { TokenVerifier } from './jwt.js';

export interface AuthOptions {
  clock: () => Date;
  holders: Pick<KeyHolders, 'peek' | 'find'>;
  tenants: Pick<TenantsService, 'standing'>;
  /** Undefined: no token is believed. */
  verifyToken?: TokenVerifier | undefined;
  /** Undefined: nobody manages tenants. */
  adminApiKey?: string | undefined;
}

/** A credential that holds, and whether its tenant is being served. */
type Bearer = Credential & { suspended: boolean };

type Done = (error?: Error) => void;

/** RFC 6750: one token of these characters. Anything else is no credential at all. */
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

const ADMIN: Bearer = {
  tenantId: NO_TENANT_ID,
  actor: { kind: 'admin', id: 'admin' },
  scopes: new Set(),
  rateLimitKey: 'admin',
  suspended: false,
};

export const authPlugin = fp(
  (app: App, options: AuthOptions, done: () => void) => {
    const identify = createIdentification(options);
    app.addHook('onRequest', (request, _reply, next: Done) => {
      const { scope } = request.routeOptions.config;
      if (scope === undefined || scope === 'public') {
        next();
        return;
      }
      const answer = (bearer: Bearer | null) => next(judge(request, scope, bearer));
      const bearer = identify(request.headers.authorization);
      // A key that is known costs its request no turn of the event loop.
      if (bearer instanceof Promise) bearer.then(answer, next);
      else answer(bearer);
    });
    done();
  },
  { name: 'auth', dependencies: ['context'] },
);

type Identification = (authorization: string | undefined) => Bearer | null | Promise<Bearer | null>;

function createIdentification(options: AuthOptions): Identification {
  const { clock, holders, tenants, verifyToken, adminApiKey } = options;
  const adminHash = adminApiKey === undefined ? undefined : hashKey(adminApiKey);
  return (authorization) => {
    const token = BEARER.exec(authorization ?? '')?.[1];
    if (token === undefined) return null;
    const keyHash = hashKey(token);
    // Hashes are compared, in constant time: neither the key nor its length can be felt out.
    if (adminHash !== undefined && timingSafeEqual(keyHash, adminHash)) return ADMIN;
    if (token.startsWith(KEY_PREFIX)) {
      const known = holders.peek(keyHash);
      if (known !== undefined) return unexpired(known, clock());
      return holders.find(keyHash).then((holder) => unexpired(holder, clock()));
    }
    return verifyToken === undefined ? null : bearerOf(token, verifyToken, { clock, tenants });
  };
}

/** What was looked up may be seconds old; the key's own end is known exactly. */
function unexpired(holder: KeyHolder | null, now: Date): KeyHolder | null {
  return holder === null || (holder.expiresAt !== null && holder.expiresAt <= now) ? null : holder;
}

async function bearerOf(
  token: string,
  verify: TokenVerifier,
  { clock, tenants }: Pick<AuthOptions, 'clock' | 'tenants'>,
): Promise<Bearer | null> {
  const claims = await verify(token, clock());
  if (claims === null) return null;
  const standing = await tenants.standing(claims.tenant);
  if (standing === null) return null;
  return {
    tenantId: standing.id,
    actor: { kind: 'user', id: claims.subject },
    scopes: claims.scopes,
    rateLimitKey: `user:${standing.id}:${claims.subject}`,
    suspended: standing.status === 'suspended',
  };
}

/** Sets the credential even where it is refused: its requests are counted as its own. */
function judge(request: FastifyRequest, scope: RouteScope, bearer: Bearer | null): Error | undefined {
  if (bearer === null) return unauthenticated();
  request.credential = bearer;
  if (bearer.suspended) {
    return new ForbiddenError('tenant_suspended', 'The tenant of this credential is suspended.');
  }
  if (bearer === ADMIN) {
    return scope === 'admin' ? undefined : tenantRequired();
  }
  return scope !== 'admin' && scope !== 'public' && bearer.scopes.has(scope)
    ? undefined
    : scopeMissing(scope);
}

/** Of whatever is wrong with a credential, its bearer learns no more than this. */
function unauthenticated(): PerennialError {
  return new PerennialError(
    'unauthenticated',
    'unauthenticated',
    'This needs a valid API key or token as a bearer.',
  );
}

function tenantRequired(): ForbiddenError {
  return new ForbiddenError('tenant_required', 'This needs a credential that belongs to a tenant.');
}

function scopeMissing(scope: RouteScope): ForbiddenError {
  const members = { requiredScope: scope };
  return new ForbiddenError('insufficient_scope', `This needs a credential with the scope ${scope}.`, {
    members,
  });
}
