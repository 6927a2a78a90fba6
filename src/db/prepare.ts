// Owns the way from "there is a URL" to "the database can be served from": it answers, it is new enough, its
// shape is this version's, and the wall between tenants stands. Does not own any of these steps' contents.

import { setTimeout as sleep } from 'node:timers/promises';
import { DrizzleQueryError } from 'drizzle-orm';
import pg from 'pg';
import { StartError } from '../start-error.js';
import { isAway } from './failures.js';
import { migrate } from './migrate.js';
import { proveWall } from './wall.js';

export interface PrepareOptions {
  url: string;
  /** The owner's login, where `url` is the login of a role that owns nothing. */
  ownerUrl?: string | undefined;
  /** Told before each wait for a database that does not answer yet. */
  onWaiting: (reason: string) => void;
  /** How long to wait for it: containers start together, and a database takes longer than we do. */
  waitForMs?: number;
  signal?: AbortSignal;
}

const WAIT_FOR_MS = 60_000;
const FIRST_DELAY_MS = 100;
const DELAY_MAX_MS = 3_000;
const CONNECT_TIMEOUT_MS = 5_000;
const VERSION_MIN = 15;

/** Throws StartError, with a sentence for whoever starts the service, when the database cannot be used. */
export async function prepareDatabase(options: PrepareOptions): Promise<void> {
  const { url, ownerUrl = url } = options;
  await reach(ownerUrl, options);
  if (ownerUrl !== url) await reach(url, options);
  const loginRole = ownerUrl === url ? undefined : new pg.Client({ connectionString: url }).user;
  await migrate({ url: ownerUrl, loginRole }).catch((error) => {
    throw new StartError(`The database ${nameOf(ownerUrl)} could not be migrated: ${reasonOf(error)}`, error);
  });
  await proveWall(url).catch((error) => {
    throw new StartError(reasonOf(error), error);
  });
}

async function reach(url: string, options: PrepareOptions): Promise<void> {
  const { onWaiting, waitForMs = WAIT_FOR_MS, signal } = options;
  const deadlineMs = performance.now() + waitForMs;
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, DELAY_MAX_MS)) {
    try {
      return await checkServer(url);
    } catch (error) {
      // A wrong password does not become right by waiting; a server that is still starting does.
      if (!isAway(error) || performance.now() + delayMs > deadlineMs) {
        if (error instanceof StartError) throw error;
        throw new StartError(`The database ${nameOf(url)} cannot be used: ${reasonOf(error)}`, error);
      }
      onWaiting(reasonOf(error));
    }
    await sleep(delayMs, undefined, { signal });
  }
}

async function checkServer(url: string): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'perennial-start',
  });
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version_num: string }>('SHOW server_version_num');
    const version = Math.floor(Number(rows[0]?.server_version_num) / 10_000);
    if (version >= VERSION_MIN) return;
    throw new StartError(
      `The database ${nameOf(url)} is Postgres ${version}; ${VERSION_MIN} or newer is needed.`,
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Where it is, without the password. */
function nameOf(url: string): string {
  const { host, port, database } = new pg.Client({ connectionString: url });
  return `${database} at ${host}:${port}`;
}

function reasonOf(error: unknown): string {
  // The query builder's own message is the statement, not what is wrong with it.
  if (error instanceof DrizzleQueryError && error.cause !== undefined) return reasonOf(error.cause);
  const { message, code } = error as { message?: string; code?: string };
  // Where every address of a name was refused, Node's error has a code and no message.
  return message || code || String(error);
}
