// Owns how signing secrets are kept: sealed with a key that is not in the database, so that a copy of the
// database signs nothing. Does not own the key (config) or what a secret looks like (sign.ts).

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { ConflictError } from '../errors.js';

export interface SecretBox {
  /** `owner` names whose secret it is: a sealed text that is moved to another row does not open. */
  seal(secret: string, owner: string): string;
  /** Null where the text was sealed with another key or for another owner, or is damaged. */
  open(stored: string, owner: string): string | null;
}

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const SEALED = 'v1:';
const CIPHER = 'aes-256-gcm';

/** Without a key none is taken in: a secret that is kept in the clear is everybody's who sees a backup. */
export function createSecretBox(key: Buffer | null): SecretBox {
  if (key !== null && key.length !== KEY_BYTES)
    throw new RangeError(`a key for secrets has ${KEY_BYTES} bytes`);
  return {
    seal(secret, owner) {
      if (key === null) {
        throw new ConflictError(
          'secrets_key_missing',
          'This deployment has no SECRETS_KEY, so it keeps no secrets: webhook endpoints cannot be made.',
        );
      }
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(CIPHER, key, iv).setAAD(Buffer.from(owner));
      const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return SEALED + Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64');
    },
    open(stored, owner) {
      if (!stored.startsWith(SEALED)) return stored;
      if (key === null) return null;
      const bytes = Buffer.from(stored.slice(SEALED.length), 'base64');
      try {
        const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES)).setAAD(
          Buffer.from(owner),
        );
        decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
        return Buffer.concat([
          decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)),
          decipher.final(),
        ]).toString();
      } catch {
        return null;
      }
    },
  };
}
