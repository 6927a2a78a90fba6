// Owns putting the service together on a database that is ready: services, first key, application, jobs. Does
// not own the database nor when any of this is stopped (start.ts).

import type { AddressInfo } from 'node:net';
import { constants, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { App } from './api/schema.js';
import { buildApp } from './app.js';
import { type Announcement, visitableUrl } from './banner.js';
import { bootstrap } from './bootstrap.js';
import type { Config } from './config.js';
import { type Database, openDatabase } from './db/database.js';
import { buildHttp } from './http.js';
import type { Scheduler } from './jobs/scheduler.js';
import type { JobsDeps } from './jobs/start.js';
import { keptSecretsKey } from './secrets-key.js';
import { buildServices, type Services } from './services.js';
import { StartError } from './start-error.js';

const QUEUE_CONNECTIONS = 4;

export interface AssembleOptions {
  config: Config;
  clock: () => Date;
  logger: Logger;
  /** Calls the start off between two of its steps. */
  signal: AbortSignal;
  databaseUrl: string;
  /** Set where the database is our own. */
  dataDir: string | undefined;
  /** What will have to be closed, in the order in which it was opened. */
  undo: (() => Promise<void>)[];
}

export async function assemble(options: AssembleOptions): Promise<Announcement> {
  const { clock, logger, signal, dataDir, undo } = options;
  const config = await withSecretsKey(options);
  const onError = (err: Error) => logger.warn({ err }, 'a connection to the database was lost');
  const open = (connectionsMax: number) => {
    const database = openDatabase({ url: options.databaseUrl, connectionsMax, onError });
    undo.push(() => database.close());
    return database;
  };
  const database = open(config.databasePoolMax);
  // Where requests take all the connections there are, deliveries and the feed go on.
  const queues = config.role === 'all' ? open(QUEUE_CONNECTIONS) : undefined;
  if (config.secretsKey === undefined) {
    logger.warn(
      'SECRETS_KEY is not set: no webhook endpoint can be made, since its secret could not be sealed',
    );
  }
  const wiring: Wiring = { config, database, clock, logger };
  const services = buildServices(wiring);
  const { tenants, keyHolders: holders } = services;
  const chosenKey = config.bootstrapApiKey;
  const firstKey = await bootstrap({ tenants, holders, chosenKey, dataDir, now: clock(), logger });
  signal.throwIfAborted();
  if (config.role === 'worker') giveWay(logger);
  const app = await buildAppFor(wiring, services);
  const jobs = config.role === 'api' ? undefined : new Jobs();
  undo.push(async () => {
    // With them and not after: a job under way may be waiting for what a thread computes.
    await Promise.all([closeApp(app), jobs?.stop(), services.offload.close()]);
  });
  const url = await listen(app, config);
  jobs?.start({ ...wiring, queues, services, registry: app.metrics.registry });
  undo.push(() => {
    app.health.drain();
    return sleep(config.drainDelayS * 1000);
  });
  return { role: config.role, url, firstKey, dataDir };
}

/** A process that only runs jobs gives way to those on its machine that somebody waits for. */
function giveWay(logger: Logger): void {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch (err) {
    logger.debug({ err }, 'the priority of this process is left as it is');
  }
}

/** Loaded once the service listens: what they need besides, requests can be answered without. */
class Jobs {
  #scheduler: Promise<Scheduler> | undefined;

  start(deps: JobsDeps): void {
    this.#scheduler = import('./jobs/start.js').then(({ startJobs }) => startJobs(deps));
    // A process without its jobs is no use to anybody: whoever watches it is to start another.
    this.#scheduler.catch((error) => queueMicrotask(() => Promise.reject(error)));
  }

  async stop(): Promise<void> {
    const scheduler = await this.#scheduler;
    await scheduler?.stop();
  }
}

/** With a database of our own there is a place to keep a key, so the secrets in it are sealed either way. */
async function withSecretsKey({ config, dataDir }: AssembleOptions): Promise<Config> {
  if (config.secretsKey !== undefined || dataDir === undefined) return config;
  return { ...config, secretsKey: await keptSecretsKey(dataDir) };
}

interface Wiring {
  config: Config;
  database: Database;
  clock: () => Date;
  logger: Logger;
}

/** A worker has no modules: it shows its health and its figures, and takes no work from outside. */
function buildAppFor(wiring: Wiring, services: Services): Promise<App> {
  if (wiring.config.role !== 'worker') return buildApp({ ...wiring, services });
  const auth = { holders: services.keyHolders, tenants: services.tenants };
  return buildHttp({ ...wiring, auth, modules: [], webhooks: [] });
}

const SWEEP_EVERY_MS = 50;

/**
 * Waits for the requests in flight. Node closes the connections that are idle when it is told to close, but
 * not those that become so afterwards: a client's kept-alive one would hold the process for a minute.
 */
async function closeApp(app: App): Promise<void> {
  const sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_EVERY_MS);
  await app.close().finally(() => clearInterval(sweep));
}

const LISTEN_FAULTS: Record<string, string> = {
  EADDRINUSE: 'the port is taken; stop what listens there or set PORT',
  EACCES: 'this user may not listen there; set PORT to 1024 or above',
  EADDRNOTAVAIL: 'this machine does not have the address; set HOST',
  ENOTFOUND: 'there is no such host; set HOST',
};

async function listen(app: App, { host, port }: Config): Promise<string> {
  await app.listen({ host, port }).catch((error: NodeJS.ErrnoException) => {
    const fault = LISTEN_FAULTS[error.code ?? ''];
    throw fault === undefined ? error : new StartError(`Cannot listen on ${host}:${port}: ${fault}.`, error);
  });
  // The port that was given, where any would do.
  return visitableUrl(host, (app.server.address() as AddressInfo).port);
}
