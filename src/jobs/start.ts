// Owns the list of the jobs and what each of them is handed. Does not own when they run (scheduler.ts).

import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Database } from '../db/database.js';
import { createDeliverer } from '../outbox/deliver.js';
import type { PoliciesService } from '../policies/service.js';
import type { TransitionsService } from '../transitions/service.js';
import type { WebhooksService } from '../webhooks/service.js';
import { createTransport } from '../webhooks/transport.js';
import { advanceDueCustomers } from './advance-due-customers.js';
import { calibrate } from './calibrate.js';
import { deliverDueWebhooks } from './deliver-due-webhooks.js';
import type { Job } from './job.js';
import { createJobMetrics, type JobMetrics } from './metrics.js';
import { numberEvents } from './number-events.js';
import { pruneIdempotencyKeys } from './prune-idempotency-keys.js';
import { recomputeCustomers } from './recompute-customers.js';
import { type Scheduler, startScheduler } from './scheduler.js';

export interface JobsDeps {
  config: { webhookAllowPrivate: boolean; webhookAllowHttp: boolean };
  database: Database;
  services: {
    transitions: Pick<TransitionsService, 'advanceDue'>;
    policies: Pick<PoliciesService, 'recomputeDue' | 'calibrateDue'>;
    webhooks: Pick<WebhooksService, 'load' | 'disable'>;
  };
  clock: () => Date;
  /** For signatures; the real time unless a test says otherwise. */
  wallClock?: () => Date;
  logger: Logger;
  registry: Registry;
}

export function startJobs(deps: JobsDeps): Scheduler {
  const { config, database, services, clock, wallClock = () => new Date(), logger, registry } = deps;
  const metrics = createJobMetrics({ registry, database, clock });
  const transport = createTransport({
    allowPrivate: config.webhookAllowPrivate,
    allowHttp: config.webhookAllowHttp,
  });
  const deliverer = createDeliverer({
    database,
    transport,
    targets: services.webhooks,
    clock,
    wallClock,
    onError: (err) => logger.warn({ err }, 'a delivery could not be taken up or recorded'),
    onOutcome: metrics.attempted,
  });
  const jobs: Job[] = [
    counted(advanceDueCustomers(services), metrics),
    recomputeCustomers(services),
    deliverDueWebhooks({ deliverer, database }),
    numberEvents({ database }),
    calibrate(services),
    pruneIdempotencyKeys({ database }),
  ];
  const scheduler = startScheduler({ jobs, clock, logger, onRun: metrics.ran });
  return {
    async stop() {
      await scheduler.stop();
      await transport.close();
    },
  };
}

function counted(job: Job, metrics: JobMetrics): Job {
  return {
    ...job,
    async runOnce(now) {
      const result = await job.runOnce(now);
      metrics.advanced(result.counts.advanced ?? 0, result.counts.setAside ?? 0);
      return result;
    },
  };
}
