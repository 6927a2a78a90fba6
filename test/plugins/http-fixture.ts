// A small application around the real plugins: test-only routes, one tenant's key with known scopes, and a
// clock and a database that the test holds. No Postgres is needed: what is tested here comes before it.

import type { DestinationStream } from 'pino';
import Type from 'typebox';
import { expectedVersion, sendVersioned } from '../../src/api/etag.js';
import { CustomerRef } from '../../src/api/references.js';
import { Empty, responses } from '../../src/api/responses.js';
import { type App, closed, nullable, type RouteModule, ref, shared } from '../../src/api/schema.js';
import { AmountMinor, Currency, count, pageQuery, TimestampInput, text, Uuid } from '../../src/api/shapes.js';
import { hashKey } from '../../src/api-keys/secret.js';
import type { Scope } from '../../src/context.js';
import { buildHttp, type HttpDeps } from '../../src/http.js';
import { createLogger } from '../../src/logger.js';
import { contextOf } from '../../src/plugins/context.js';

export const KEY = 'pk_reader_of_the_plugin_tests_0001';
export const ADMIN_KEY = 'administrator-of-the-plugin-tests';
export const TENANT_ID = '0190aaaa-0000-7000-8000-00000000000a';
const THREE = { version: 3, name: 'three' };
export const NOW = new Date('2026-03-02T09:00:00.000Z');
const SCOPES = new Set<Scope>(['customers:read', 'customers:write', 'orders:write']);

const Line = shared('TestLine', closed({ sku: text({ max: 10 }), quantity: count({ min: 1, max: 1000 }) }));
const Shape = shared(
  'TestShape',
  Type.Unsafe<unknown>({
    anyOf: [
      closed({ type: Type.Literal('silence'), days: Type.Number({ exclusiveMinimum: 0 }) }),
      closed({ type: Type.Literal('all'), of: Type.Array(Type.Ref('TestShape#'), { maxItems: 3 }) }),
    ],
  }),
);
const Draft = shared(
  'TestDraft',
  closed({
    customer: Type.Optional(ref(CustomerRef)),
    lines: Type.Optional(Type.Array(ref(Line), { maxItems: 5 })),
    placedAt: Type.Optional(ref(TimestampInput)),
    amountMinor: Type.Optional(ref(AmountMinor)),
    currency: Type.Optional(ref(Currency)),
    owner: Type.Optional(nullable(ref(Uuid))),
    email: Type.Optional(Type.String({ format: 'email', maxLength: 254 })),
    site: Type.Optional(Type.String({ format: 'uri', maxLength: 254 })),
    when: Type.Optional(ref(Shape)),
    attributes: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  }),
);
const Echo = Type.Object({ received: Type.Unknown() });
const Versioned = shared('TestVersioned', closed({ version: count({ min: 1 }), name: text({ max: 20 }) }));

const doc = (operationId: string) => ({
  operationId,
  tags: ['Tests'],
  summary: operationId,
  description: 'For tests.',
});

/** Echoes what the handler is given, so that a test sees what passed and in which type. */
export const echoRoutes: RouteModule = (app: App) => {
  for (const schema of [Line, Shape, Draft, Versioned]) app.addSchema(schema);
  const post = { config: { scope: 'orders:write' as const } };
  app.post(
    '/v1/things',
    { ...post, schema: { ...doc('createThing'), body: ref(Draft), response: responses({ 201: Echo }) } },
    async (request, reply) => reply.code(201).send({ received: request.body }),
  );
  app.post(
    '/v1/things/:ref/close',
    { ...post, schema: { ...doc('closeThing'), response: responses({ 200: Echo }) } },
    () => ({
      received: 'closed',
    }),
  );
  app.get(
    '/v1/things',
    {
      config: { scope: 'customers:read' },
      schema: {
        ...doc('listThings'),
        querystring: closed({
          ...pageQuery,
          open: Type.Optional(Type.Boolean()),
          tag: Type.Optional(Type.Array(text({ max: 5 }), { maxItems: 3 })),
          q: Type.Optional(text({ max: 50 })),
        }),
        response: responses({ 200: Echo }),
      },
    },
    (request) => ({ received: request.query }),
  );
  app.get(
    '/v1/things/:ref',
    {
      config: { scope: 'customers:read' },
      schema: {
        ...doc('getThing'),
        params: closed({ ref: ref(CustomerRef) }),
        response: responses({ 200: Echo }, 404),
      },
    },
    (request) => ({ received: request.params.ref }),
  );
  versionedRoutes(app);
};

function versionedRoutes(app: App): void {
  app.get(
    '/v1/versioned',
    {
      config: { scope: 'customers:read' },
      schema: { ...doc('getVersioned'), response: responses({ 200: ref(Versioned), 304: Empty }) },
    },
    async (request, reply) => sendVersioned(request, reply, 200, THREE),
  );
  app.patch(
    '/v1/versioned',
    {
      config: { scope: 'customers:write' },
      schema: { ...doc('patchVersioned'), body: ref(Draft), response: responses({ 200: Echo }, 412) },
    },
    (request) => ({ received: { expected: expectedVersion(request) ?? null, body: request.body } }),
  );
  const claimed = { ...doc('claim'), response: responses({ 201: Echo }) };
  const config = { scope: 'orders:write' as const };
  const show = (request: Parameters<typeof contextOf>[0]) => {
    const { idempotency, ...context } = contextOf(request, 201);
    const shown = idempotency && {
      key: idempotency.key,
      status: idempotency.status,
      fingerprint: idempotency.fingerprint.toString('hex'),
      encryptionKey: idempotency.encryptionKey?.toString('hex') ?? null,
    };
    return { received: { ...context, idempotency: shown ?? null } };
  };
  app.post('/v1/claims', { config, schema: { ...claimed, body: Type.Unknown() } }, (request) =>
    show(request),
  );
  app.post(
    '/v1/secret-claims',
    {
      config: { ...config, secretResponse: true },
      schema: { ...claimed, operationId: 'secretClaim', body: Type.Unknown() },
    },
    (request) => show(request),
  );
}

export interface FixtureOptions {
  modules?: RouteModule[];
  rateLimitPerMinute?: number;
  bodyLimitBytes?: number;
  clock?: () => Date;
  log?: { level: string; destination: DestinationStream };
  find?: HttpDeps['database']['find'];
  checkResponses?: boolean;
  webhooks?: HttpDeps['webhooks'];
}

interface Teardown {
  teardown(work: () => unknown): void;
}

export async function startFixture(t: Teardown, options: FixtureOptions = {}): Promise<App> {
  const keyHash = hashKey(KEY);
  const holder = {
    tenantId: TENANT_ID,
    actor: { kind: 'api_key' as const, id: 'key-1' },
    scopes: SCOPES,
    rateLimitKey: 'key:key-1',
    suspended: false,
    expiresAt: null,
  };
  const peek = (hash: Buffer) => (hash.equals(keyHash) ? holder : null);
  const app = await buildHttp({
    config: {
      rateLimitPerMinute: options.rateLimitPerMinute ?? 1000,
      bodyLimitBytes: options.bodyLimitBytes ?? 100_000,
    },
    database: {
      find: options.find ?? (() => Promise.reject(new Error('no database in this test'))),
      usage: () => ({ total: 3, idle: 1, waiting: 0 }),
    },
    clock: options.clock ?? (() => NOW),
    logger: createLogger(options.log ?? { level: 'silent' }),
    auth: {
      holders: { peek, find: async (hash) => peek(hash) },
      tenants: { standing: async () => null },
      adminApiKey: ADMIN_KEY,
    },
    modules: options.modules ?? [echoRoutes],
    webhooks: options.webhooks ?? [],
    checkResponses: options.checkResponses,
  });
  t.teardown(() => app.close());
  return app;
}

export const bearer = { authorization: `Bearer ${KEY}` };
