// Owns the key that seals the secrets of webhook endpoints where the operator has given none and the database
// is our own. Does not own the sealing (webhooks/secrets.ts).

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { keep, readKept } from './kept-file.js';
import { StartError } from './start-error.js';

const KEY_FILE = 'secrets-key';
const KEY_BYTES = 32;

/** The key in `dataDir`, made at the first start. */
export async function keptSecretsKey(dataDir: string): Promise<Buffer> {
  const file = join(dataDir, KEY_FILE);
  const kept = await readKept(file);
  if (kept === undefined) {
    const key = randomBytes(KEY_BYTES);
    await keep(file, key.toString('base64'));
    return key;
  }
  const key = Buffer.from(kept, 'base64');
  if (key.length === KEY_BYTES) return key;
  throw new StartError(
    `${file} should hold ${KEY_BYTES} bytes in base64 and does not; it seals the endpoints' secrets.`,
  );
}
