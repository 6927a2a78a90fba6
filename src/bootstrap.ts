// Owns the first start: an empty database gets the tenant `default` and a key to begin with. Does not own
// what a tenant is made of (tenants/service).

import { join } from 'node:path';
import type { Logger } from 'pino';
import type { KeyHolders } from './api-keys/holders.js';
import { hashKey, makeKey } from './api-keys/secret.js';
import { type Context, NO_TENANT_ID } from './context.js';
import { keep, readKept } from './kept-file.js';
import { StartError } from './start-error.js';
import type { TenantsService } from './tenants/service.js';

export interface BootstrapOptions {
  tenants: Pick<TenantsService, 'openFirst' | 'list'>;
  holders: Pick<KeyHolders, 'find'>;
  /** The key that the operator has chosen. */
  chosenKey: string | undefined;
  /** Where a key of our own making is kept; undefined where the database is not ours. */
  dataDir: string | undefined;
  now: Date;
  logger: Pick<Logger, 'info' | 'warn'>;
}

/** Which key to begin with: `key` only where it has just been made, `keyFile` wherever it is kept. */
export interface FirstKey {
  key?: string;
  keyFile?: string;
}

const FIRST = { slug: 'default', name: 'Default' };
const KEY_FILE = 'api-key';

/** Safe with several replicas at once: the first opens the tenant, the others find it. */
export async function bootstrap(options: BootstrapOptions): Promise<FirstKey> {
  const context: Context = {
    tenantId: NO_TENANT_ID,
    actor: { kind: 'system', id: 'bootstrap' },
    now: options.now,
    requestId: 'bootstrap',
  };
  if (options.chosenKey !== undefined) return adoptChosenKey(options, context, options.chosenKey);
  if (options.dataDir !== undefined) return makeFirstKey(options, context, options.dataDir);
  const { data } = await options.tenants.list(context, { limit: 1 });
  if (data.length === 0) {
    options.logger.warn(
      'there is no tenant yet: set BOOTSTRAP_API_KEY, or set ADMIN_API_KEY and POST /v1/tenants',
    );
  }
  return {};
}

async function adoptChosenKey(
  { tenants, holders, logger }: BootstrapOptions,
  context: Context,
  key: string,
): Promise<FirstKey> {
  const opened = await tenants.openFirst(context, { ...FIRST, secret: async () => key });
  if (!opened && (await holders.find(hashKey(key))) === null) {
    logger.info(
      'BOOTSTRAP_API_KEY has no effect: the database has tenants already, and this is no key of theirs',
    );
  }
  return {};
}

async function makeFirstKey(
  { tenants }: BootstrapOptions,
  context: Context,
  dataDir: string,
): Promise<FirstKey> {
  const keyFile = join(dataDir, KEY_FILE);
  let made: string | undefined;
  // The file is written before the database commits. A crash between the two leaves a key that the next
  // start uses; the other way round it would leave a tenant whose key nobody knows.
  const secret = async () => {
    made = (await readKey(keyFile)) ?? (await keepKey(keyFile));
    return made;
  };
  if (await tenants.openFirst(context, { ...FIRST, secret })) return { key: made, keyFile };
  return (await readKey(keyFile)) === undefined ? {} : { keyFile };
}

async function readKey(keyFile: string): Promise<string | undefined> {
  const key = await readKept(keyFile);
  if (key === undefined || /^pk_[0-9A-Za-z_-]{21,}$/.test(key)) return key;
  throw new StartError(
    `${keyFile} should hold an API key and does not; move it away to have a new one made.`,
  );
}

async function keepKey(keyFile: string): Promise<string> {
  const key = makeKey();
  await keep(keyFile, key);
  return key;
}
