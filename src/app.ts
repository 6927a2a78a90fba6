// Owns the list of the modules that the application is made of, and what each of them is handed. Does not
// own the HTTP around them (http.ts). It never listens.

import type { Logger } from 'pino';
import type { App, RouteModule } from './api/schema.js';
import { apiKeyRoutes } from './api-keys/routes.js';
import { backtestRoutes } from './backtests/routes.js';
import type { JwtConfig } from './config-jwt.js';
import { customerRoutes } from './customers/routes.js';
import type { Database } from './db/database.js';
import { duplicateRoutes } from './duplicates/routes.js';
import { buildHttp, type HttpConfig } from './http.js';
import { mergeRoutes } from './merges/routes.js';
import { modelRoutes } from './models/routes.js';
import { orderRoutes } from './orders/routes.js';
import { WEBHOOK_CATALOGUE } from './outbox/catalogue.js';
import { outboxRoutes } from './outbox/routes.js';
import { createTokenVerifier } from './plugins/jwt.js';
import { policyRoutes } from './policies/routes.js';
import { privacyRoutes } from './privacy/routes.js';
import type { Services } from './services.js';
import { shadowRoutes } from './shadows/routes.js';
import { tenantRoutes } from './tenants/routes.js';
import { touchpointRoutes } from './touchpoints/routes.js';
import { transitionRoutes } from './transitions/routes.js';
import { webhookRoutes } from './webhooks/routes.js';

export interface AppConfig extends HttpConfig {
  adminApiKey: string | undefined;
  jwt: JwtConfig | undefined;
}

export interface AppDeps {
  config: AppConfig;
  database: Database;
  clock: () => Date;
  logger: Logger;
  services: Services;
  /** Checks every answer against its schema, and fails where they differ. For tests: it costs time. */
  checkResponses?: boolean;
}

export function buildApp({ services, ...deps }: AppDeps): Promise<App> {
  const { adminApiKey, jwt } = deps.config;
  const verifyToken = jwt === undefined ? undefined : createTokenVerifier(jwt);
  const auth = { holders: services.keyHolders, tenants: services.tenants, verifyToken, adminApiKey };
  return buildHttp({ ...deps, auth, modules: modulesOf(services), webhooks: WEBHOOK_CATALOGUE });
}

function modulesOf(services: Services): RouteModule[] {
  return [
    customerRoutes(services.customers),
    mergeRoutes(services.merges),
    privacyRoutes(services.privacy),
    duplicateRoutes(services.duplicates),
    orderRoutes(services.orders),
    touchpointRoutes(services.touchpoints),
    transitionRoutes(services.transitions),
    policyRoutes(services.policies),
    modelRoutes(services.models),
    backtestRoutes(services.backtests),
    shadowRoutes(services.shadows),
    apiKeyRoutes(services.apiKeys),
    tenantRoutes(services.tenants),
    webhookRoutes(services.webhooks),
    outboxRoutes(services),
  ];
}
