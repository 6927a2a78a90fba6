// Owns the service as the demo runs it: the product's own parts on a database that is thrown away, listening on
// a free port, with a clock that the demo sets and ticks that it asks for. Does not own what is sent to it.

import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { buildApp } from '../../src/app.js';
import { type Config, readConfig } from '../../src/config.js';
import { NO_TENANT_ID } from '../../src/context.js';
import { type Database, openDatabase } from '../../src/db/database.js';
import { prepareDatabase } from '../../src/db/prepare.js';
import { advanceDueCustomers } from '../../src/jobs/advance-due-customers.js';
import { calibrate } from '../../src/jobs/calibrate.js';
import { deliverDueWebhooks } from '../../src/jobs/deliver-due-webhooks.js';
import { numberEvents } from '../../src/jobs/number-events.js';
import { recomputeCustomers } from '../../src/jobs/recompute-customers.js';
import { createLogger } from '../../src/logger.js';
import { createDeliverer, type Deliverer } from '../../src/outbox/deliver.js';
import { buildServices, type Services } from '../../src/services.js';
import { createTransport } from '../../src/webhooks/transport.js';
import type { Lifetime } from '../lifetime.js';
import { startThrowawayPostgres } from '../throwaway-postgres.js';

export interface DemoService {
  url: string;
  /** Of all scopes. */
  key: string;
  /** Sets the clock that requests and ticks go by. */
  setClock(nowMs: number): void;
  /** What the scheduler does all the time, done once and completely: when it returns, nothing is due any more. */
  tick(): Promise<void>;
}

interface Parts {
  config: Config;
  database: Database;
  clock: () => Date;
  logger: Logger;
  services: Services;
}

export async function startService(lifetime: Lifetime, startMs: number): Promise<DemoService> {
  let nowMs = startMs;
  const parts = await buildParts(lifetime, () => new Date(nowMs));
  const { services, clock } = parts;
  const admin = { tenantId: NO_TENANT_ID, actor: { kind: 'system', id: 'demo' }, requestId: 'demo' } as const;
  const tenant = await services.tenants.open({ ...admin, now: clock() }, { slug: 'cdnow', name: 'CDNOW' });
  const app = await buildApp(parts);
  lifetime.atEnd(() => {
    // Our own client is the only one, and on Ctrl-C it may be in the middle of a request.
    app.server.closeAllConnections();
    return app.close();
  });
  const deliverer = startDeliverer(lifetime, parts);
  return {
    url: await app.listen({ host: '127.0.0.1', port: 0 }),
    key: tenant.apiKey.secret,
    setClock: (toMs) => {
      nowMs = toMs;
    },
    tick: () => tick(parts, deliverer),
  };
}

async function buildParts(lifetime: Lifetime, clock: () => Date): Promise<Parts> {
  const { url } = await startThrowawayPostgres(lifetime, { isDurable: false });
  await prepareDatabase({ url, onWaiting: () => undefined, signal: lifetime.signal });
  const config = readConfig({
    SECRETS_KEY: randomBytes(32).toString('base64'),
    // Simulated time stands still while a day's orders are sent: a limit by the minute would never end.
    RATE_LIMIT_PER_MINUTE: '0',
    WEBHOOK_ALLOW_PRIVATE: 'true',
    WEBHOOK_ALLOW_HTTP: 'true',
  });
  const logger = createLogger({ level: 'warn', destination: process.stderr });
  let isClosing = false;
  const onError = (err: Error) => {
    // The last connections are told that the server stops, which is how the demo ends.
    if (!isClosing) logger.warn({ err }, 'a connection to the database was lost');
  };
  const database = openDatabase({ url, onError });
  lifetime.atEnd(() => {
    isClosing = true;
    return database.close();
  });
  return { config, database, clock, logger, services: buildServices({ config, database, clock, logger }) };
}

function startDeliverer(lifetime: Lifetime, { config, database, clock, logger, services }: Parts): Deliverer {
  const transport = createTransport({
    allowPrivate: config.webhookAllowPrivate,
    allowHttp: config.webhookAllowHttp,
  });
  lifetime.atEnd(() => transport.close());
  const deliverer = createDeliverer({
    database,
    transport,
    targets: services.webhooks,
    clock,
    // Receivers compare the time of a signature with their own, whatever day the demo has come to.
    wallClock: () => new Date(),
    onError: (err) => logger.warn({ err }, 'a delivery could not be taken up or recorded'),
  });
  lifetime.atEnd(() => deliverer.stop());
  return deliverer;
}

async function tick({ services, database, clock }: Parts, deliverer: Deliverer): Promise<void> {
  const jobs = [
    calibrate(services),
    recomputeCustomers(services),
    advanceDueCustomers(services),
    numberEvents({ database }),
    deliverDueWebhooks({ deliverer, databases: [database] }),
  ];
  for (const job of jobs) {
    while ((await job.runOnce(clock())).more) {
      // Until a run finds nothing more.
    }
  }
  await deliverer.settled();
}
