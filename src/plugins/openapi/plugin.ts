// Owns the serving of the OpenAPI document and the docs page. Does not own what the document says
// (document.ts). The document is made on the first request for it, and not before.

import type { RouteOptions } from 'fastify';
import fp from 'fastify-plugin';
import type { App } from '../../api/schema.js';
import { serveDocs } from './docs.js';
import { buildDocument } from './document.js';
import type { DocumentedRoute, RouteSchema } from './operation.js';
import type { JsonObject } from './references.js';
import type { WebhookEntry } from './webhooks.js';

declare module 'fastify' {
  interface FastifySchema {
    operationId?: string;
    tags?: string[];
    summary?: string;
    description?: string;
    /** Leaves the route out of the document. */
    hide?: boolean;
  }
  interface FastifyInstance {
    /** The document, made of the routes that are registered by then. */
    openapi: () => JsonObject;
  }
}

export interface OpenApiOptions {
  webhooks: readonly WebhookEntry[];
}

export const openapiPlugin = fp(
  (app: App, { webhooks }: OpenApiOptions, done: () => void) => {
    const routes: DocumentedRoute[] = [];
    app.addHook('onRoute', (route: RouteOptions) => {
      if (route.schema?.hide !== true && route.method !== 'HEAD') routes.push(documented(route));
    });
    let document: JsonObject | undefined;
    const openapi = () => {
      document ??= buildDocument({ routes, schemas: app.getSchemas(), webhooks });
      return document;
    };
    app.decorate('openapi', openapi);
    let text: string | undefined;
    app.get('/openapi.json', { schema: { hide: true } }, (_request, reply) => {
      text ??= JSON.stringify(openapi());
      reply.header('content-type', 'application/json; charset=utf-8').send(text);
    });
    serveDocs(app);
    done();
  },
  { name: 'openapi', dependencies: ['context'] },
);

/** A route without a name, a summary or its answers would be a hole in the document: it stops the start. */
function documented({ method, url, schema, config }: RouteOptions): DocumentedRoute {
  const where = `${String(method)} ${url}`;
  const { operationId, tags, summary, response } = schema ?? {};
  if (operationId === undefined || tags === undefined || summary === undefined || response === undefined) {
    throw new Error(`${where} needs an operationId, tags, a summary and responses, or \`hide: true\``);
  }
  if (typeof method !== 'string') throw new Error(`${where} must have one method`);
  return { method, url, scope: config?.scope ?? 'public', schema: schema as RouteSchema };
}
