// Owns the process: reads the configuration, starts the service, tells where it is, and ends it. Does not own
// the order of starting and stopping (start.ts).

import closeWithGrace from 'close-with-grace';
import type { Logger } from 'pino';
import { type Announcement, writeBanner } from './banner.js';
import { type Config, loadConfig } from './config.js';
import { ConfigError } from './environment.js';
import { createLogger } from './logger.js';
import { start } from './start.js';
import { StartError } from './start-error.js';

try {
  await main(loadConfig());
} catch (error) {
  // What a person can mend is told in its own words; the rest needs its stack.
  const isPlain = error instanceof ConfigError || error instanceof StartError;
  process.stderr.write(
    `perennial: ${isPlain ? error.message : (error instanceof Error && error.stack) || error}\n`,
  );
  process.exit(1);
}

async function main(config: Config): Promise<void> {
  const logger = createLogger({ level: config.logLevel });
  const stopping = new AbortController();
  const starting = start({ config, logger, clock: () => new Date(), signal: stopping.signal });
  const onStop = async ({ signal, err }: { signal?: string; err?: Error }) => {
    if (err === undefined) logger.info({ signal }, 'stopping');
    else logger.fatal({ err }, 'stopping after a failure that nobody expected');
    stopping.abort();
    // Asked to stop while starting: the start ends at its next step and has closed what it had opened.
    const running = await starting.catch(() => undefined);
    await running?.stop();
    logger.info('stopped');
  };
  closeWithGrace({ delay: config.shutdownTimeoutS * 1000, ...afterPatience(logger) }, onStop);
  try {
    announce((await starting).announcement, logger);
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
  }
}

/** A second signal, a second failure and the timeout end the process at once. What was committed is kept. */
function afterPatience(logger: Logger) {
  return {
    logger: false as const,
    onSecondSignal: (signal: string) => logger.warn({ signal }, 'stopped at once by a second signal'),
    onSecondError: (err: unknown) => logger.fatal({ err }, 'stopped at once by a failure while stopping'),
    onTimeout: (afterMs: number) => logger.error({ afterMs }, 'stopped at once: stopping took too long'),
  };
}

function announce(announcement: Announcement, logger: Logger): void {
  // The first key of the embedded database is printed wherever the output goes: nobody else knows it.
  if (process.stdout.isTTY || announcement.dataDir !== undefined)
    process.stdout.write(writeBanner(announcement));
  else logger.info({ role: announcement.role, url: announcement.url }, 'ready');
}
