// Brings the database of DATABASE_URL to this version's shape, for those who migrate before they deploy. The
// service does the same at every start.

import { loadConfig } from '../src/config.js';
import { prepareDatabase } from '../src/db/prepare.js';
import { ConfigError } from '../src/environment.js';
import { StartError } from '../src/start-error.js';

try {
  const { databaseUrl, databaseOwnerUrl } = loadConfig();
  if (databaseUrl === undefined) {
    throw new StartError(
      'Set DATABASE_URL: the embedded database is migrated by the service itself as it starts.',
    );
  }
  const onWaiting = (reason: string) => process.stderr.write(`waiting for the database: ${reason}\n`);
  await prepareDatabase({ url: databaseUrl, ownerUrl: databaseOwnerUrl, onWaiting });
  process.stdout.write('The database has the shape of this version, and the wall between tenants stands.\n');
} catch (error) {
  const known = error instanceof ConfigError || error instanceof StartError;
  process.stderr.write(
    `${known ? error.message : (error instanceof Error && error.stack) || String(error)}\n`,
  );
  process.exitCode = 1;
}
