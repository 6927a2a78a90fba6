// Owns the order in which the service comes up, and the opposite order in which it goes down. Does not own
// the process: signals, exit codes and what is printed are server.ts's.

import type { Logger } from 'pino';
import type { Announcement } from './banner.js';
import type { Config } from './config.js';
import { EmbeddedPostgresError, startEmbeddedPostgres } from './db/embedded/index.js';
import { prepareDatabase } from './db/prepare.js';
import { StartError } from './start-error.js';

export interface StartOptions {
  config: Config;
  clock: () => Date;
  logger: Logger;
  /** Calls the start off between two of its steps. */
  signal: AbortSignal;
}

export interface Running {
  announcement: Announcement;
  /** Finishes what is in flight, then closes what was opened. */
  stop(): Promise<void>;
}

type Undo = () => Promise<void>;

/** Throws StartError where a person can mend it; whatever was opened by then is closed again. */
export async function start(options: StartOptions): Promise<Running> {
  const undo: Undo[] = [];
  const stop = async () => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) {
      // One part that fails to close keeps no other from closing.
      await step().catch((err) =>
        options.logger.error({ err }, 'a part of the service did not stop cleanly'),
      );
    }
  };
  try {
    return { announcement: await bringUp(options, undo), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function bringUp(options: StartOptions, undo: Undo[]): Promise<Announcement> {
  const { logger, signal } = options;
  // Loaded while the database gets ready, which is another process's work: the schemas alone take 0.3 s.
  const loading = import('./assemble.js');
  const { url: databaseUrl, ownerUrl, dataDir } = await provideDatabase(options, undo);
  signal.throwIfAborted();
  const onWaiting = (reason: string) => logger.warn({ reason }, 'waiting for the database');
  await prepareDatabase({ url: databaseUrl, ownerUrl, onWaiting, signal });
  const { assemble } = await loading;
  signal.throwIfAborted();
  return assemble({ ...options, databaseUrl, dataDir, undo });
}

interface ProvidedDatabase {
  url: string;
  ownerUrl?: string | undefined;
  /** Set where the database is our own. */
  dataDir: string | undefined;
}

async function provideDatabase({ config, logger }: StartOptions, undo: Undo[]): Promise<ProvidedDatabase> {
  const { databaseUrl, databaseOwnerUrl, dataDir } = config;
  if (databaseUrl !== undefined) return { url: databaseUrl, ownerUrl: databaseOwnerUrl, dataDir: undefined };
  const postgres = await startEmbeddedPostgres({ dataDir, log: logger }).catch((error) => {
    throw error instanceof EmbeddedPostgresError ? new StartError(error.message, error) : error;
  });
  undo.push(() => postgres.stop());
  return { url: postgres.url, dataDir };
}
