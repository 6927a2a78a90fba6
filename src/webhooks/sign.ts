// Owns the Standard Webhooks 1.0 signature: secrets, the signed content and the headers of one request.
// Pure. Does not own where secrets are kept (the endpoint's store) nor how a request travels (transport).

import { createHmac } from 'node:crypto';
import { SECRET_KEY_PREFIX, signV1a } from './ed25519.js';

const SECRET_PREFIX = 'whsec_';
const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;

/** Major and minor of the package's version: receivers may tell releases apart, and no more than that. */
export const USER_AGENT = 'Perennial/0.1';

/**
 * Header names that nobody may add to a delivery: ours, those that steer the connection, and those that
 * would let an endpoint's owner speak with an authority that is not theirs.
 */
const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'via',
]);
const RESERVED_PREFIXES = ['proxy-', 'sec-', 'webhook-', 'x-forwarded-'];

/** Whether a custom header of this name must be refused on an endpoint; `webhookHeaders` leaves it out. */
export function isReservedHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return RESERVED_HEADERS.has(lower) || RESERVED_PREFIXES.some((prefix) => lower.startsWith(prefix));
}

/** The secret that `randomBytes` (24 to 64 of them, from a secure source) spell, as a receiver is given it. */
export function newSecret(randomBytes: Uint8Array): string {
  assertKeyLength(randomBytes.length);
  return SECRET_PREFIX + Buffer.from(randomBytes).toString('base64');
}

export interface SignedContent {
  /** The event's id, the same in every attempt. */
  id: string;
  /** Whole seconds since 1970, of this attempt: receivers refuse what is more than five minutes off. */
  timestampS: number;
  /** The exact text that is sent: a receiver verifies bytes, not JSON. */
  body: string;
}

/** `v1,<base64>`: HMAC-SHA256 over `id.timestamp.body`. Throws a RangeError for what is no secret of ours. */
export function signV1({ secret, id, timestampS, body }: SignedContent & { secret: string }): string {
  const mac = createHmac('sha256', keyOf(secret)).update(contentOf({ id, timestampS, body }));
  return `v1,${mac.digest('base64')}`;
}

/** By its prefix, a secret signs `v1` or `v1a`. */
export function signWith({ secret, ...content }: SignedContent & { secret: string }): string {
  return secret.startsWith(SECRET_KEY_PREFIX)
    ? signV1a(secret, contentOf(content))
    : signV1({ secret, ...content });
}

function contentOf({ id, timestampS, body }: SignedContent): string {
  if (!Number.isSafeInteger(timestampS)) throw new RangeError('timestampS must be whole seconds');
  // The id and the timestamp end at a full stop; one inside the id would let two contents sign alike.
  if (id.includes('.')) throw new RangeError('a webhook id must not contain a full stop');
  return `${id}.${timestampS}.${body}`;
}

export interface WebhookHeadersInput extends SignedContent {
  /** Every secret that is valid now, newest first: several while one rotates, and the receiver needs one. */
  secrets: readonly string[];
  /** The endpoint's own headers. What is reserved is left out, so that no old row can override ours. */
  extra?: Readonly<Record<string, string>>;
}

/** All headers of one delivery, names in lower case. */
export function webhookHeaders(input: WebhookHeadersInput): Record<string, string> {
  if (input.secrets.length === 0) throw new RangeError('a webhook needs at least one secret');
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(input.extra ?? {})) {
    if (!isReservedHeader(name)) headers[name.toLowerCase()] = value;
  }
  const { id, timestampS, body } = input;
  headers['content-type'] = 'application/json';
  headers['user-agent'] = USER_AGENT;
  headers['webhook-id'] = id;
  headers['webhook-timestamp'] = String(timestampS);
  headers['webhook-signature'] = input.secrets
    .map((secret) => signWith({ secret, id, timestampS, body }))
    .join(' ');
  return headers;
}

function keyOf(secret: string): Buffer {
  if (!secret.startsWith(SECRET_PREFIX)) throw new RangeError('a webhook secret begins with whsec_');
  const encoded = secret.slice(SECRET_PREFIX.length);
  const key = Buffer.from(encoded, 'base64');
  // Node drops what is not base64 in silence, and a receiver's library would then hold another key.
  if (key.toString('base64') !== encoded) throw new RangeError('a webhook secret is base64 after whsec_');
  assertKeyLength(key.length);
  return key;
}

function assertKeyLength(bytes: number): void {
  if (bytes < SECRET_BYTES_MIN || bytes > SECRET_BYTES_MAX) {
    throw new RangeError(
      `a webhook secret has ${SECRET_BYTES_MIN} to ${SECRET_BYTES_MAX} bytes, not ${bytes}`,
    );
  }
}
