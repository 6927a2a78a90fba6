// Owns the secrets of one endpoint over time: making them, which of them sign now, and their rotation. Does not
// own how they are kept (secrets.ts) or what they sign (sign.ts, ed25519.ts).

import { randomBytes } from 'node:crypto';
import { ConflictError } from '../errors.js';
import { newSecretKey, publicKeyOf, SECRET_KEY_PREFIX } from './ed25519.js';
import type { Signing } from './schemas.js';
import type { SecretBox } from './secrets.js';
import { newSecret } from './sign.js';
import type { EndpointRow } from './store.js';

/** They all sign every delivery. */
const RETIRED_MAX = 5;
const SECRET_BYTES = 32;

export type Keeper = Pick<EndpointRow, 'tenantId' | 'id' | 'secret' | 'retiredSecrets'>;

export interface KeyView {
  secret: string;
  signing: Signing;
  publicKey: string | null;
}

export interface Rotation {
  signing: Signing;
  overlapS: number;
  now: Date;
}

export interface Keyring {
  seal(secret: string, owner: Pick<Keeper, 'tenantId' | 'id'>): string;
  /** Undefined where it was kept with a key that is not in use any more. */
  find(keeper: Keeper): KeyView | undefined;
  /** The same, where it must be there. */
  get(keeper: Keeper): KeyView;
  /** Those that sign at `now`, newest first; none where the newest cannot be read. */
  valid(keeper: Keeper, now: Date): string[];
  /** A new secret, and what is kept from then on. */
  rotate(keeper: Keeper, rotation: Rotation): KeyView & Pick<Keeper, 'retiredSecrets'>;
}

export function makeSecret(signing: Signing): string {
  const bytes = randomBytes(SECRET_BYTES);
  return signing === 'v1a' ? newSecretKey(bytes) : newSecret(bytes);
}

export function viewOf(secret: string): KeyView {
  return secret.startsWith(SECRET_KEY_PREFIX)
    ? { secret, signing: 'v1a', publicKey: publicKeyOf(secret) }
    : { secret, signing: 'v1', publicKey: null };
}

export function createKeyring(box: SecretBox): Keyring {
  const find = (keeper: Keeper): KeyView | undefined => {
    const secret = box.open(keeper.secret, ownerOf(keeper));
    return secret === null ? undefined : viewOf(secret);
  };
  return {
    seal: (secret, owner) => box.seal(secret, ownerOf(owner)),
    find,
    get(keeper) {
      const found = find(keeper);
      if (found !== undefined) return found;
      throw new ConflictError(
        'secret_unreadable',
        'The secret was kept with a key that is not in use any more.',
      );
    },
    valid(keeper, now) {
      const newest = find(keeper);
      if (newest === undefined) return [];
      const earlier = keeper.retiredSecrets
        .filter(({ until }) => new Date(until) > now)
        .flatMap(({ secret }) => box.open(secret, ownerOf(keeper)) ?? []);
      return [newest.secret, ...earlier];
    },
    rotate: (keeper, rotation) => ({
      ...viewOf(makeSecret(rotation.signing)),
      retiredSecrets: retired(keeper, rotation),
    }),
  };
}

/** Newest first. No earlier secret outlives the new one's overlap: with none, all of them end. */
function retired({ secret, retiredSecrets }: Keeper, { overlapS, now }: Rotation): Keeper['retiredSecrets'] {
  const end = new Date(now.getTime() + overlapS * 1000).toISOString();
  const kept = [{ secret, until: end }, ...retiredSecrets]
    .map((one) => (one.until < end ? one : { ...one, until: end }))
    .filter(({ until }) => new Date(until) > now);
  if (kept.length > RETIRED_MAX) {
    throw new ConflictError(
      'too_many_secrets',
      `${RETIRED_MAX} earlier secrets still sign: wait for one to end, or end them all with an overlapS of 0.`,
    );
  }
  return kept;
}

function ownerOf({ tenantId, id }: Pick<Keeper, 'tenantId' | 'id'>): string {
  return `${tenantId}/${id}`;
}
