// Owns the HTTP application around the modules: the server's options, the plugins in their order, the shared
// schemas. It never listens and opens nothing. Does not own the list of modules (app.ts).

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { type FastifyBaseLogger, fastify, LogController, type RawServerDefault } from 'fastify';
import type { Logger } from 'pino';
import { ItemProblem, Problem } from './api/problem.js';
import { CustomerRef, ExternalId, Namespace, OrderRef } from './api/references.js';
import type { App, RouteModule } from './api/schema.js';
import { SHAPES } from './api/shapes.js';
import type { Database } from './db/database.js';
import { type AuthOptions, authPlugin } from './plugins/auth.js';
import { contextPlugin } from './plugins/context.js';
import { answerFailure, errorsPlugin } from './plugins/errors.js';
import { framePlugin, requestId } from './plugins/frame.js';
import { healthPlugin } from './plugins/health.js';
import { jsonPlugin } from './plugins/json/parser.js';
import { collectMethods } from './plugins/methods.js';
import { metricsPlugin } from './plugins/metrics.js';
import { openapiPlugin } from './plugins/openapi/plugin.js';
import type { WebhookEntry } from './plugins/openapi/webhooks.js';
import { rateLimitPlugin } from './plugins/rate-limit.js';
import { requestLogPlugin } from './plugins/request-log.js';
import { strictPlugin } from './plugins/strict.js';
import { answerUnreadable } from './plugins/unreadable.js';
import { createValidatorBuilder } from './plugins/validation/compiler.js';
import { buildSerializer } from './plugins/validation/serializer.js';

/** The part of the configuration that HTTP needs. */
export interface HttpConfig {
  bodyLimitBytes: number;
  /** 0 switches the limit off. */
  rateLimitPerMinute: number;
}

export interface HttpDeps {
  config: HttpConfig;
  database: Pick<Database, 'find' | 'usage'>;
  clock: () => Date;
  logger: Logger;
  auth: Omit<AuthOptions, 'clock'>;
  /** The modules' routes, in the order in which they are registered. */
  modules: readonly RouteModule[];
  webhooks: readonly WebhookEntry[];
  /** See HealthOptions. */
  assertReady?: (() => Promise<void>) | undefined;
  /** Checks every answer against its schema, and fails where they differ. For tests: it costs time. */
  checkResponses?: boolean | undefined;
}

/**
 * Percent-encoded references are long: 256 characters, of which the router counts a slash as three. What is
 * longer than any reference can be is refused before a route is looked for.
 */
const PARAM_LENGTH_MAX = 1024;
/** A client that sends slowly holds a connection for this long at the most. */
const REQUEST_TIMEOUT_MS = 30_000;
/** A connection on which nothing moves any more, such as one whose client does not read, is closed. */
const CONNECTION_TIMEOUT_MS = 120_000;
/** Longer than a balancer keeps its own idle connections (60 s is common), so that it never meets a closed one. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;

export async function buildHttp(deps: HttpDeps): Promise<App> {
  const { config, database, clock, webhooks } = deps;
  const app = createServer(deps);
  const answerOtherMethods = collectMethods(app);
  await app.register(contextPlugin, { clock });
  await app.register(framePlugin);
  await app.register(authPlugin, { ...deps.auth, clock });
  await app.register(rateLimitPlugin, { clock, perMinute: config.rateLimitPerMinute });
  await app.register(errorsPlugin);
  await app.register(jsonPlugin);
  await app.register(strictPlugin);
  await app.register(requestLogPlugin, { logger: deps.logger });
  await app.register(openapiPlugin, { webhooks });
  await app.register(metricsPlugin, { database });
  await app.register(healthPlugin, { database, assertReady: deps.assertReady });
  for (const schema of [...SHAPES, CustomerRef, OrderRef, Namespace, ExternalId, Problem, ItemProblem]) {
    app.addSchema(schema);
  }
  for (const routes of deps.modules) await routes(app);
  answerOtherMethods();
  await app.ready();
  return app;
}

function createServer({ config, logger, checkResponses = false }: HttpDeps): App {
  return fastify<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger>({
    loggerInstance: childless(logger),
    // Lines of our own, which name neither paths nor bodies.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestId,
    requestIdHeader: false,
    bodyLimit: config.bodyLimitBytes,
    routerOptions: { maxParamLength: PARAM_LENGTH_MAX },
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // A request that still arrives on an open connection while we stop is served, and the connection closed.
    return503OnClosing: false,
    schemaController: {
      // The option's type is that of another validator's compiler.
      compilersFactory: {
        buildValidator: createValidatorBuilder() as never,
        buildSerializer: buildSerializer(checkResponses),
      },
    },
    frameworkErrors: (error, request, reply) => answerFailure(error, request, reply),
    clientErrorHandler: answerUnreadable,
  }).withTypeProvider<TypeBoxTypeProvider>();
}

/**
 * Fastify makes a logger for each request (2 µs), to bind the request's id; our lines name it themselves. Of
 * its own lines those of `info` are left out: each address that it listens on, which the banner tells better.
 */
function childless(logger: Logger): FastifyBaseLogger {
  const flat: Logger = Object.create(logger);
  return Object.assign(flat, { child: () => flat, info: () => undefined });
}
