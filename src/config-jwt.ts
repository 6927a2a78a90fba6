// Owns the variables that say whose JSON Web Tokens are believed. Does not own checking a token (plugins/jwt).

import type { JSONWebKeySet } from 'jose';
import type { EnvironmentReader } from './environment.js';

/**
 * Asymmetric algorithms only. With a symmetric one the published key set would be the signing secret; `none`
 * signs nothing.
 */
export const JWT_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

export interface JwtConfig {
  /** Where the issuer's public keys are, or the keys themselves. */
  keys: { url: URL } | { jwks: JSONWebKeySet };
  issuer: string;
  audience: string[];
  algorithms: string[];
  /** The claim that names the tenant, by its id or its slug. */
  tenantClaim: string;
}

const REQUIRED = ['JWT_ISSUER', 'JWT_AUDIENCE', 'JWT_ALGORITHMS'] as const;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Undefined where no JWT variable is set: then no token is believed. One without the others is a fault. */
export function readJwt(reader: EnvironmentReader): JwtConfig | undefined {
  const names = ['JWT_JWKS_URL', 'JWT_JWKS', ...REQUIRED, 'JWT_TENANT_CLAIM'];
  if (names.every((name) => reader.text(name) === undefined)) return undefined;
  for (const name of REQUIRED) {
    if (reader.text(name) === undefined) reader.fault(name, 'is required for JWTs to be believed');
  }
  const keys = readKeys(reader);
  const algorithms = reader.list('JWT_ALGORITHMS');
  const refused = algorithms.filter((name) => !JWT_ALGORITHMS.some((known) => known === name));
  if (refused.length > 0) reader.fault('JWT_ALGORITHMS', `must be of ${JWT_ALGORITHMS.join(', ')}`);
  if (keys === undefined) return undefined;
  return {
    keys,
    issuer: reader.text('JWT_ISSUER') ?? '',
    audience: reader.list('JWT_AUDIENCE'),
    algorithms,
    tenantClaim: reader.text('JWT_TENANT_CLAIM') ?? 'tenant',
  };
}

function readKeys(reader: EnvironmentReader): JwtConfig['keys'] | undefined {
  const inline = reader.text('JWT_JWKS');
  if ((inline === undefined) === (reader.text('JWT_JWKS_URL') === undefined)) {
    return reader.fault('JWT_JWKS_URL', 'or JWT_JWKS is required for JWTs to be believed, and not both');
  }
  if (inline !== undefined) {
    const jwks = parsePublicKeys(inline);
    if (jwks !== undefined) return { jwks };
    return reader.fault('JWT_JWKS', 'must be a JSON Web Key Set of public RSA, EC or OKP keys');
  }
  const text = reader.url('JWT_JWKS_URL', ['https:', 'http:']);
  if (text === undefined) return undefined;
  const url = new URL(text);
  // Whoever can change this answer on its way can sign any token, so plain HTTP stays on the machine.
  if (url.protocol === 'https:' || LOOPBACK.test(url.hostname)) return { url };
  return reader.fault('JWT_JWKS_URL', 'must begin with https:// unless it is on this machine');
}

function parsePublicKeys(text: string): JSONWebKeySet | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const keys = (parsed as { keys?: unknown } | null)?.keys;
  return Array.isArray(keys) && keys.length > 0 && keys.every(isPublicKey) ? { keys } : undefined;
}

/** `d` is the private part of every asymmetric key; a symmetric key has another `kty`. */
function isPublicKey(key: unknown): boolean {
  const { kty, d } = (key ?? {}) as { kty?: unknown; d?: unknown };
  return (kty === 'RSA' || kty === 'EC' || kty === 'OKP') && d === undefined;
}
