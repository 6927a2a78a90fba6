// Owns the checking of a JSON Web Token: signature, issuer, audience and times. Does not own what the token's
// tenant may do at this moment (auth.ts).

import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import type { JwtConfig } from '../config-jwt.js';
import { SCOPES, type Scope } from '../context.js';
import { UnavailableError } from '../errors.js';

/** What a token that holds says of its bearer. */
export interface TokenClaims {
  subject: string;
  /** A tenant's id or slug. */
  tenant: string;
  scopes: ReadonlySet<Scope>;
}

export type TokenVerifier = (token: string, now: Date) => Promise<TokenClaims | null>;

/** Clocks of issuer and service differ by this much at the most. */
const CLOCK_TOLERANCE_S = 5;
const FETCH_TIMEOUT_MS = 3_000;
const TOKEN_CHARS_MAX = 16_384;
const SUBJECT_CHARS_MAX = 255;

/**
 * Null where the token does not hold, whatever the reason: the bearer is told no more than that. Throws
 * UnavailableError where it cannot be known, because the issuer's keys are out of reach.
 */
export function createTokenVerifier(config: JwtConfig): TokenVerifier {
  const findKey = createKeyFinder(config.keys);
  const { issuer, audience, algorithms } = config;
  return async (token, now) => {
    if (token.length > TOKEN_CHARS_MAX) return null;
    const options = {
      issuer,
      audience,
      algorithms,
      requiredClaims: ['exp', 'sub', config.tenantClaim],
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: now,
    };
    try {
      const { payload } = await jwtVerify(token, findKey, options).catch((error) =>
        tryEachKey(error, token, options),
      );
      return readClaims(payload, config.tenantClaim);
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  };
}

function createKeyFinder(keys: JwtConfig['keys']): JWTVerifyGetKey {
  if ('jwks' in keys) return createLocalJWKSet(keys.jwks);
  const remote = createRemoteJWKSet(keys.url, { timeoutDuration: FETCH_TIMEOUT_MS });
  return async (header, token) => {
    try {
      return await remote(header, token);
    } catch (error) {
      if (isTokensOwnFault(error)) throw error;
      throw new UnavailableError("The token issuer's keys cannot be reached just now.", { cause: error });
    }
  };
}

/** The key set was read and no one key of it fits; every other failure is the key set's. */
function isTokensOwnFault(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

/** A token that does not say which key signed it may fit several: around a rotation that is ordinary. */
async function tryEachKey(error: unknown, token: string, options: Parameters<typeof jwtVerify>[2]) {
  if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
  for await (const key of error) {
    try {
      return await jwtVerify(token, key, options);
    } catch (failure) {
      if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
}

function readClaims(payload: JWTPayload, tenantClaim: string): TokenClaims | null {
  const { sub: subject } = payload;
  const tenant = payload[tenantClaim];
  if (typeof subject !== 'string' || subject === '' || subject.length > SUBJECT_CHARS_MAX) return null;
  if (typeof tenant !== 'string' || tenant === '') return null;
  return { subject, tenant, scopes: readScopes(payload) };
}

/** `scope` separated by spaces (RFC 8693) or an array `scopes`; what the product does not know counts for nothing. */
function readScopes({ scope, scopes }: JWTPayload): ReadonlySet<Scope> {
  const claimed = typeof scope === 'string' ? scope.split(' ') : Array.isArray(scopes) ? scopes : [];
  return new Set(SCOPES.filter((known) => claimed.includes(known)));
}
