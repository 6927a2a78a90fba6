// Owns the list of the jobs and what each of them is handed. Does not own when they run (scheduler.ts).

import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { BacktestsService } from '../backtests/service.js';
import type { Database } from '../db/database.js';
import type { DuplicatesService } from '../duplicates/service.js';
import type { ModelsService } from '../models/service.js';
import { createDeliverer } from '../outbox/deliver.js';
import type { ReplaysService } from '../outbox/replays-service.js';
import type { PoliciesService } from '../policies/service.js';
import type { ShadowsService } from '../shadows/service.js';
import type { TransitionsService } from '../transitions/service.js';
import type { WebhooksService } from '../webhooks/service.js';
import { createTransport } from '../webhooks/transport.js';
import { advanceDueCustomers } from './advance-due-customers.js';
import { advanceShadows } from './advance-shadows.js';
import { calibrate } from './calibrate.js';
import { deliverDueWebhooks } from './deliver-due-webhooks.js';
import { findDuplicates } from './find-duplicates.js';
import { fitModels } from './fit-models.js';
import type { Job, JobResult } from './job.js';
import { createJobMetrics } from './metrics.js';
import { numberEvents } from './number-events.js';
import { predictCustomers } from './predict-customers.js';
import { previewPolicies } from './preview-policies.js';
import { pruneDeliveries } from './prune-deliveries.js';
import { pruneIdempotencyKeys } from './prune-idempotency-keys.js';
import { recomputeCustomers } from './recompute-customers.js';
import { replayDeliveries } from './replay-deliveries.js';
import { runBacktests } from './run-backtests.js';
import { type Scheduler, startScheduler } from './scheduler.js';

export interface JobsDeps {
  config: { webhookAllowPrivate: boolean; webhookAllowHttp: boolean; retentionDays: number };
  database: Database;
  /** Connections for what must not wait behind requests; the same ones where there are none. */
  queues?: Database | undefined;
  services: {
    transitions: Pick<TransitionsService, 'advanceDue'>;
    models: Pick<ModelsService, 'fitDue' | 'predictDue'>;
    backtests: Pick<BacktestsService, 'advance'>;
    policies: Pick<PoliciesService, 'recomputeDue' | 'previewDue' | 'calibrateDue'>;
    shadows: Pick<ShadowsService, 'advance'>;
    webhooks: Pick<WebhooksService, 'load' | 'disable'>;
    replays: Pick<ReplaysService, 'advance'>;
    duplicates: Pick<DuplicatesService, 'walkDue'>;
  };
  clock: () => Date;
  /** For signatures; the real time unless a test says otherwise. */
  wallClock?: () => Date;
  logger: Logger;
  registry: Registry;
}

export function startJobs(deps: JobsDeps): Scheduler {
  const { config, database, queues = database, services, clock, logger, registry } = deps;
  const metrics = createJobMetrics({ registry, database, clock });
  const transport = createTransport({
    allowPrivate: config.webhookAllowPrivate,
    allowHttp: config.webhookAllowHttp,
  });
  const deliverer = createDeliverer({
    database: queues,
    transport,
    targets: services.webhooks,
    clock,
    wallClock: deps.wallClock ?? (() => new Date()),
    onError: (err) => logger.warn({ err }, 'a delivery could not be taken up or recorded'),
    onOutcome: metrics.attempted,
    onShut: metrics.shut,
  });
  const jobs: Job[] = [
    counted(advanceDueCustomers(services), ({ advanced = 0, setAside = 0 }) =>
      metrics.advanced(advanced, setAside),
    ),
    recomputeCustomers(services),
    previewPolicies(services),
    advanceShadows(services),
    deliverDueWebhooks({ deliverer, databases: [...new Set([database, queues])] }),
    numberEvents({ database: queues }),
    counted(replayDeliveries(services), ({ queued = 0 }) => metrics.replayed(queued)),
    calibrate(services),
    fitModels(services),
    predictCustomers(services),
    runBacktests(services),
    findDuplicates(services),
    pruneIdempotencyKeys({ database }),
    counted(pruneDeliveries({ database, retentionDays: config.retentionDays }), metrics.pruned),
  ];
  const scheduler = startScheduler({ jobs, clock, logger, onRun: metrics.ran });
  return {
    async stop() {
      await scheduler.stop();
      await transport.close();
    },
  };
}

function counted(job: Job, tell: (counts: Partial<JobResult['counts']>) => void): Job {
  return {
    ...job,
    async runOnce(now) {
      const result = await job.runOnce(now);
      tell(result.counts);
      return result;
    },
  };
}
