// Owns how signing secrets are kept: sealed with a key that is not in the database, so that a copy of the
// database signs nothing. Does not own the key (config) or what a secret looks like (sign.ts).

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

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

/** Without a key secrets are kept as they are; once there is one, those remain readable. */
export function createSecretBox(key: Buffer | null): SecretBox {
  if (key !== null && key.length !== KEY_BYTES)
    throw new RangeError(`a key for secrets has ${KEY_BYTES} bytes`);
  return {
    seal(secret, owner) {
      if (key === null) return secret;
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
