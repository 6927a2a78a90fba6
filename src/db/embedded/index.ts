// Owns the Postgres server that Perennial runs for itself when no DATABASE_URL is given: one per data
// folder, kept running until it is stopped. Does not own connections, roles or migrations.
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Binaries, prepareBinaries } from './binaries.js';
import { claimFolder } from './claim.js';
import { clearRemains, ensureCluster, SUPERUSER } from './cluster.js';
import { EmbeddedPostgresError, messageOf } from './fault.js';
import { type Home, openDataDir, openHome } from './home.js';
import { type Log, PortTakenError, type Postmaster, StillInUseError, startPostmaster } from './postmaster.js';

export { EmbeddedPostgresError } from './fault.js';

export interface EmbeddedPostgresOptions {
  /** Made if need be; keeps everything that must survive a restart. */
  dataDir: string;
  log: Log;
  /** False survives a killed process but no power cut, and is for databases that are thrown away. */
  fsync?: boolean;
}

export interface EmbeddedPostgres {
  /** Of the superuser, on 127.0.0.1; it stays valid until `stop`. */
  url: string;
  stop(): Promise<void>;
}

interface Server {
  home: Home;
  binaries: Binaries;
  isDurable: boolean;
  log: Log;
}

const PORT_ATTEMPTS_MAX = 5;
const STILL_IN_USE_ATTEMPTS_MAX = 100;
const STILL_IN_USE_PAUSE_MS = 100;
const RESTART_PAUSE_MIN_MS = 100;
const RESTART_PAUSE_MAX_MS = 5_000;

/**
 * Starts the server of a data folder, first making its cluster or recovering what a kill left. Fails with
 * an `EmbeddedPostgresError` whose message is one sentence for the operator.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = openDataDir(resolve(options.dataDir));
  const claim = await claimFolder(dataDir);
  try {
    const home = openHome(dataDir);
    if (home.isElsewhere) {
      options.log.info(`user ${home.account?.name} cannot reach ${dataDir}: the database is in ${home.dir}`);
    }
    const binaries = prepareBinaries(home.dir, home.account);
    const server: Server = { home, binaries, isDurable: options.fsync ?? true, log: options.log };
    await ensureCluster(home, binaries, server.isDurable);
    const { postmaster, port } = await startOnFreePort(server);
    const keeper = keepRunning(server, postmaster, port);
    return {
      url: `postgres://${SUPERUSER}:${home.password}@127.0.0.1:${port}/postgres`,
      stop: () => keeper.stop().finally(claim.release),
    };
  } catch (error) {
    claim.release();
    throw error;
  }
}

/** A free port can be taken between its choice and its use, so several are tried. */
async function startOnFreePort(server: Server): Promise<{ postmaster: Postmaster; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    try {
      return { postmaster: await start(server, port), port };
    } catch (error) {
      if (!(error instanceof PortTakenError)) throw error;
      if (attempt >= PORT_ATTEMPTS_MAX) {
        throw new EmbeddedPostgresError(
          `no port on 127.0.0.1 for the database: ${PORT_ATTEMPTS_MAX} were taken`,
        );
      }
    }
  }
}

async function start({ home, binaries, isDurable, log }: Server, port: number): Promise<Postmaster> {
  const { clusterDir, account } = home;
  for (let attempt = 1; ; attempt += 1) {
    if ((await clearRemains(home)) !== 'nothing')
      log.info('stopped a database server that had been left running');
    try {
      return await startPostmaster({
        postgres: binaries.postgres,
        clusterDir,
        account,
        port,
        isDurable,
        log,
      });
    } catch (error) {
      if (!(error instanceof StillInUseError)) throw error;
      if (attempt >= STILL_IN_USE_ATTEMPTS_MAX) {
        throw new EmbeddedPostgresError(
          `sessions of an earlier server still use ${clusterDir}: ${error.message}`,
        );
      }
      await delay(STILL_IN_USE_PAUSE_MS);
    }
  }
}

/** Starts the server again, on the same port, whenever it ends without having been asked to. */
function keepRunning(server: Server, first: Postmaster, port: number): { stop(): Promise<void> } {
  const stopping = new AbortController();
  let current = first;
  const keeping = (async () => {
    for (;;) {
      await current.exited;
      if (stopping.signal.aborted) return;
      server.log.error('the database server ended unexpectedly: starting it again');
      const next = await restart(server, port, stopping.signal);
      if (next === undefined) return;
      current = next;
      // Asked to stop while it started: the server that was stopped then was the dead one.
      if (stopping.signal.aborted) return next.stop();
    }
  })();
  const stop = async () => {
    stopping.abort();
    await current.stop();
    await keeping;
  };
  return { stop };
}

/** Tries until it succeeds, or until asked to stop: a full disk may be cleared without a restart of ours. */
async function restart(server: Server, port: number, signal: AbortSignal): Promise<Postmaster | undefined> {
  for (let pauseMs = RESTART_PAUSE_MIN_MS; ; pauseMs = Math.min(pauseMs * 2, RESTART_PAUSE_MAX_MS)) {
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return undefined;
    try {
      return await start(server, port);
    } catch (error) {
      server.log.error(`the database server cannot be started again: ${messageOf(error)}`);
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolvePort, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (address !== null && typeof address === 'object') resolvePort(address.port);
        else reject(new EmbeddedPostgresError('the system gives no free port on 127.0.0.1'));
      });
    });
  });
}
