// Owns the wiring: every store-backed service is built here by hand, once, and nowhere else. Does not own
// when anything runs (jobs/) or how it is reached (app.ts).

import type { Logger } from 'pino';
import { createKeyHolders, type KeyHolders } from './api-keys/holders.js';
import { type ApiKeysService, createApiKeysService } from './api-keys/service.js';
import { type BacktestsService, createBacktestsService } from './backtests/service.js';
import type { Config } from './config.js';
import { type CustomersService, createCustomersService } from './customers/service.js';
import type { Database } from './db/database.js';
import { createDuplicatesService, type DuplicatesService } from './duplicates/service.js';
import { createMergesService, type MergesService } from './merges/service.js';
import { createMeasuring } from './models/measure.js';
import { restartWalk } from './models/predictions-store.js';
import { createModelsService, type ModelsService } from './models/service.js';
import { createOffload, type Offload } from './offload/offload.js';
import { createOrdersService, type OrdersService } from './orders/service.js';
import { type ActivityService, createActivityService } from './outbox/activity-service.js';
import { createDeliveriesService, type DeliveriesService } from './outbox/deliveries-service.js';
import { createOutboxErasure } from './outbox/erasure-service.js';
import { createFeedService, type FeedService } from './outbox/feed-service.js';
import { createTold } from './outbox/held-service.js';
import { createReplaysService, type ReplaysService } from './outbox/replays-service.js';
import { createOutboxService, type OutboxService } from './outbox/service.js';
import { type CalibrationsDeps, createCalibrations } from './policies/calibrate.js';
import { createPoliciesService, type PoliciesService } from './policies/service.js';
import { createPrivacyService, type PrivacyService } from './privacy/service.js';
import { createShadowsService, type ShadowsService } from './shadows/service.js';
import { createTenantsService, type TenantsService } from './tenants/service.js';
import { createTouchpointsService, type TouchpointsService } from './touchpoints/service.js';
import { createTransitionsService, type TransitionsService } from './transitions/service.js';
import { createSecretBox } from './webhooks/secrets.js';
import { createWebhooksService, type WebhooksService } from './webhooks/service.js';

export interface Services {
  keyHolders: KeyHolders;
  apiKeys: ApiKeysService;
  tenants: TenantsService;
  customers: CustomersService;
  orders: OrdersService;
  touchpoints: TouchpointsService;
  transitions: TransitionsService;
  policies: PoliciesService;
  models: ModelsService;
  backtests: BacktestsService;
  shadows: ShadowsService;
  outbox: OutboxService;
  feed: FeedService;
  deliveries: DeliveriesService;
  activity: ActivityService;
  replays: ReplaysService;
  webhooks: WebhooksService;
  /** Threads for what would hold the event loop; whoever builds the services closes it. */
  offload: Offload;
  merges: MergesService;
  privacy: PrivacyService;
  duplicates: DuplicatesService;
}

export interface ServicesDeps {
  database: Database;
  clock: () => Date;
  config: ServicesConfig;
  logger: Logger;
}

/** The part of the configuration that services need. */
export type ServicesConfig = Pick<
  Config,
  'webhookAllowPrivate' | 'webhookAllowHttp' | 'secretsKey' | 'retentionDays'
>;

/** One computes; a second keeps a quick task from waiting behind a long one. Started when first needed. */
const THREADS_MAX = 2;

export function buildServices({ database, clock, config, logger }: ServicesDeps): Services {
  const outbox = createOutboxService();
  const offload = createOffload({ threadsMax: THREADS_MAX });
  const onFailure = ({ error, ...about }: { tenantId: string; customerId: string; error: unknown }) =>
    logger.error({ err: error, ...about }, 'a customer could not be advanced and was set aside');
  const transitions = createTransitionsService({ database, outbox, onFailure });
  const duplicates = createDuplicatesService({ database, transitions });
  const touchpoints = createTouchpointsService({ database, transitions });
  const measuring = createMeasuring({ database, offload });
  const onVersion: CalibrationsDeps['onVersion'] = (tx, { tenantId, now }) => restartWalk(tx, tenantId, now);
  const onRefused: CalibrationsDeps['onRefused'] = (refusal) =>
    logger.warn(
      refusal,
      'a fit does not identify dropout; rules that read it go on by the version that is kept',
    );
  const calibrations = createCalibrations({ database, measuring, onVersion, onRefused, clock });
  const onShadowFailure = ({ error, ...about }: { tenantId: string; customerId?: string; error: unknown }) =>
    logger.error({ err: error, ...about }, 'a shadow could not be taken further and is tried again');
  const shadows = createShadowsService({ database, transitions, onFailure: onShadowFailure });
  const policies = createPoliciesService({ database, outbox, calibrations, transitions, shadows, clock });
  const onFitFailure = ({ error, ...about }: { tenantId: string; fitId: string; error: unknown }) =>
    logger.error({ err: error, ...about }, 'a fit has failed');
  const models = createModelsService({ database, policies, offload, clock, onFailure: onFitFailure });
  const customers = createCustomersService({ database, transitions, touchpoints, models });
  const orders = createOrdersService({ database, customers, transitions });
  const backtests = createBacktestsService({
    ...{ database, policies, offload, clock, histories: transitions.histories },
    onFailure: ({ error, ...about }) =>
      logger.error({ err: error, ...about }, 'a backtest could not be taken further'),
  });
  const keyHolders = createKeyHolders(database);
  const apiKeys = createApiKeysService({ database, holders: keyHolders });
  const tenants = createTenantsService({
    database,
    apiKeys,
    holders: keyHolders,
    policies,
    feeds: outbox,
    duplicates,
  });
  const feed = createFeedService({ database, transitions });
  const deliveries = createDeliveriesService({ database });
  const activity = createActivityService({ database });
  const onReplayFailure = ({ error, ...about }: { tenantId: string; error: unknown }) =>
    logger.error({ err: error, ...about }, 'a replay could not be taken further and is tried again');
  const { retentionDays } = config;
  const replays = createReplaysService({ database, retentionDays, onFailure: onReplayFailure });
  const secrets = createSecretBox(config.secretsKey ?? null);
  const urlPolicy = { allowPrivate: config.webhookAllowPrivate, allowHttp: config.webhookAllowHttp };
  const webhooks = createWebhooksService({ database, deliveries, replays, urlPolicy, secrets });
  const merges = createMergesService({ database, transitions, customers, shadows, duplicates });
  const told = { ...createOutboxErasure(), ...createTold() };
  const privacy = createPrivacyService({
    ...{
      database,
      transitions,
      customers,
      orders,
      touchpoints,
      merges,
      told,
      duplicates,
      shadows,
      backtests,
    },
  });
  return {
    ...{ keyHolders, apiKeys, tenants, customers, orders, touchpoints, transitions, policies, models },
    ...{ backtests, shadows, outbox, feed, deliveries, activity, replays, webhooks, offload },
    ...{ merges, privacy, duplicates },
  };
}
