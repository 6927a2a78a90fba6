// Owns the wiring: every store-backed service is built here by hand, once, and nowhere else. Does not own
// when anything runs (jobs/) or how it is reached (app.ts).

import type { Logger } from 'pino';
import { createKeyHolders, type KeyHolders } from './api-keys/holders.js';
import { type ApiKeysService, createApiKeysService } from './api-keys/service.js';
import type { Config } from './config.js';
import { type CustomersService, createCustomersService } from './customers/service.js';
import type { Database } from './db/database.js';
import { createOrdersService, type OrdersService } from './orders/service.js';
import { type ActivityService, createActivityService } from './outbox/activity-service.js';
import { createDeliveriesService, type DeliveriesService } from './outbox/deliveries-service.js';
import { createFeedService, type FeedService } from './outbox/feed-service.js';
import { createReplaysService, type ReplaysService } from './outbox/replays-service.js';
import { createOutboxService, type OutboxService } from './outbox/service.js';
import { createCalibrations } from './policies/calibrate.js';
import { createPoliciesService, type PoliciesService } from './policies/service.js';
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
  outbox: OutboxService;
  feed: FeedService;
  deliveries: DeliveriesService;
  activity: ActivityService;
  replays: ReplaysService;
  webhooks: WebhooksService;
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

export function buildServices({ database, clock, config, logger }: ServicesDeps): Services {
  const outbox = createOutboxService();
  const onFailure = ({ error, ...about }: { tenantId: string; customerId: string; error: unknown }) =>
    logger.error({ err: error, ...about }, 'a customer could not be advanced and was set aside');
  const transitions = createTransitionsService({ database, outbox, onFailure });
  const touchpoints = createTouchpointsService({ database, transitions });
  const customers = createCustomersService({ database, transitions, touchpoints });
  const orders = createOrdersService({ database, customers, transitions });
  const calibrations = createCalibrations({ database });
  const policies = createPoliciesService({ database, outbox, calibrations, transitions, clock });
  const keyHolders = createKeyHolders(database);
  const apiKeys = createApiKeysService({ database, holders: keyHolders });
  const tenants = createTenantsService({ database, apiKeys, holders: keyHolders, policies, feeds: outbox });
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
  return {
    ...{ keyHolders, apiKeys, tenants, customers, orders, touchpoints, transitions, policies },
    ...{ outbox, feed, deliveries, activity, replays, webhooks },
  };
}
