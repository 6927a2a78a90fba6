// The whole service for a test file: the real app on a real database of its own, with a clock that the test
// moves, one tenant, and a key of every scope. It listens only where a test asks for it.

import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { buildApp } from '../../src/app.js';
import { type Config, readConfig } from '../../src/config.js';
import { type Context, NO_TENANT_ID } from '../../src/context.js';
import { type Database, openDatabase } from '../../src/db/database.js';
import type { Environment } from '../../src/environment.js';
import { createLogger } from '../../src/logger.js';
import { buildServices, type Services } from '../../src/services.js';
import { createTestDatabase } from './postgres.js';

export const ADMIN_KEY = 'administrator-of-the-tests';
const START = new Date('2026-03-02T09:00:00.000Z');

export interface TestClock {
  now: () => Date;
  set(to: Date | string): void;
  advance(byMs: number): void;
}

export interface TestTenant {
  id: string;
  slug: string;
  /** A key of all scopes. */
  key: string;
}

export interface InjectExtras {
  /** Sent as JSON, unless it is a string or a buffer: that is sent as it stands. */
  body?: unknown;
  /** Null sends no credential; without it, the tenant's key is sent. */
  key?: string | null;
  headers?: Record<string, string>;
}

export interface TestService {
  app: FastifyInstance;
  config: Config;
  database: Database;
  databaseUrl: string;
  services: Services;
  clock: TestClock;
  tenant: TestTenant;
  /** The key of `tenant`. */
  key: string;
  inject(
    method: NonNullable<InjectOptions['method']>,
    url: string,
    extras?: InjectExtras,
  ): Promise<LightMyRequestResponse>;
  openTenant(slug: string): Promise<TestTenant>;
  /** The same service seen by a new tenant: a test of its own without the cost of a database of its own. */
  forTenant(slug: string): Promise<TestService>;
  /** A context as a request of the tenant has it, to call services by. */
  context(): Context;
  /** Listens on a free port; gives the address, without a slash at its end. */
  listen(): Promise<string>;
}

export interface ServiceOverrides {
  /** Variables on top of the tests' own: the administrator's key, private webhooks allowed, no rate limit. */
  environment?: Environment;
  now?: Date | string;
}

interface Teardown {
  teardown(work: () => unknown): void;
}

export async function startService(t: Teardown, overrides: ServiceOverrides = {}): Promise<TestService> {
  const config = readConfig({
    SECRETS_KEY: Buffer.alloc(32, 9).toString('base64'),
    ADMIN_API_KEY: ADMIN_KEY,
    WEBHOOK_ALLOW_PRIVATE: 'true',
    RATE_LIMIT_PER_MINUTE: '0',
    LOG_LEVEL: 'silent',
    ...overrides.environment,
  });
  const clock = createTestClock(new Date(overrides.now ?? START));
  const logger = createLogger({ level: config.logLevel });
  const { url: databaseUrl } = await createTestDatabase(t);
  const database = openDatabase({ url: databaseUrl, connectionsMax: 10, onError: () => undefined });
  const wiring = { config, database, clock: clock.now, logger };
  const services = buildServices(wiring);
  const app = await buildApp({ ...wiring, services, checkResponses: true });
  await app.ready();
  t.teardown(async () => {
    await app.close();
    await services.offload.close();
    await database.close();
  });
  const shared = { app, config, database, databaseUrl, services, clock };
  const openTenant = (slug: string) => open(services, slug, clock.now());
  const forTenant = async (slug: string): Promise<TestService> => {
    const tenant = await openTenant(slug);
    return {
      ...{ ...shared, openTenant, forTenant, tenant, key: tenant.key },
      inject: (method, url, extras) => inject(app, { method, url }, { key: tenant.key, ...extras }),
      context: () => contextOf(tenant.id, clock.now()),
      listen: () => app.listen({ host: '127.0.0.1', port: 0 }),
    };
  };
  return forTenant('test');
}

export function createTestClock(start: Date): TestClock {
  let now = start;
  return {
    now: () => now,
    set(to) {
      now = new Date(to);
    },
    advance(byMs) {
      now = new Date(now.getTime() + byMs);
    },
  };
}

function contextOf(tenantId: string, now: Date): Context {
  return { tenantId, actor: { kind: 'system', id: 'test' }, now, requestId: 'test' };
}

async function open(services: Services, slug: string, now: Date): Promise<TestTenant> {
  const opened = await services.tenants.open(contextOf(NO_TENANT_ID, now), { slug, name: `Tenant ${slug}` });
  return { id: opened.id, slug, key: opened.apiKey.secret };
}

function inject(
  app: FastifyInstance,
  target: { method: NonNullable<InjectOptions['method']>; url: string },
  { body, key, headers = {} }: InjectExtras,
): Promise<LightMyRequestResponse> {
  const authorization = key == null ? {} : { authorization: `Bearer ${key}` };
  if (body === undefined) return app.inject({ ...target, headers: { ...authorization, ...headers } });
  const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const type = { 'content-type': 'application/json' };
  return app.inject({ ...target, payload, headers: { ...type, ...authorization, ...headers } });
}
