// Owns the asymmetric keys of Standard Webhooks (`whsk_…`, `whpk_…`) and the `v1a` signature made with them.
// Pure but for a memory of keys. Does not own what is signed (sign.ts).

import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';

export const SECRET_KEY_PREFIX = 'whsk_';
const PUBLIC_KEY_PREFIX = 'whpk_';
const SEED_BYTES = 32;
const PUBLIC_BYTES = 32;
/** RFC 8410: what stands before the 32 bytes of a private key in PKCS #8. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The secret key that a seed (32 random bytes, from a secure source) spells: `whsk_` and the base64 of both halves. */
export function newSecretKey(seed: Uint8Array): string {
  if (seed.length !== SEED_BYTES) throw new RangeError(`an ed25519 seed has ${SEED_BYTES} bytes`);
  const { x = '' } = createPublicKey(privateKeyOf(seed)).export({ format: 'jwk' });
  return SECRET_KEY_PREFIX + Buffer.concat([seed, Buffer.from(x, 'base64url')]).toString('base64');
}

/** What receivers verify with: it may be known to anybody. */
export function publicKeyOf(secretKey: string): string {
  return PUBLIC_KEY_PREFIX + bytesOf(secretKey).subarray(SEED_BYTES).toString('base64');
}

/** `v1a,<base64>` over the content as it is signed. Throws a RangeError for what is no secret key of ours. */
export function signV1a(secretKey: string, content: string): string {
  return `v1a,${sign(null, Buffer.from(content), keyOf(secretKey)).toString('base64')}`;
}

/** Reading a key takes as long as signing with it, and a process signs for few endpoints at a time. */
const KNOWN_MAX = 1_000;
const known = new Map<string, KeyObject>();

function keyOf(secretKey: string): KeyObject {
  const found = known.get(secretKey);
  if (found !== undefined) return found;
  const key = privateKeyOf(bytesOf(secretKey).subarray(0, SEED_BYTES));
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(secretKey, key);
  return key;
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
}

function bytesOf(secretKey: string): Buffer {
  const bytes = Buffer.from(secretKey.slice(SECRET_KEY_PREFIX.length), 'base64');
  if (!secretKey.startsWith(SECRET_KEY_PREFIX) || bytes.length !== SEED_BYTES + PUBLIC_BYTES) {
    throw new RangeError('a secret key is whsk_ and the base64 of 64 bytes');
  }
  return bytes;
}
