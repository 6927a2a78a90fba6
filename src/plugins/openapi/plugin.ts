// Owns how the OpenAPI document is made and served: @fastify/swagger collects the routes and makes their
// operations. Does not own what goes in (route.ts, info.ts, components.ts, webhooks.ts) nor what is done with
// what comes out (document.ts). The document is made on the first request for it, and not before.

import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import fp from 'fastify-plugin';
import type { App } from '../../api/schema.js';
import { COMPONENTS } from './components.js';
import { serveDocs } from './docs.js';
import { finishDocument, type Generated } from './document.js';
import { INFO, SECURITY, SERVERS, TAGS } from './info.js';
import { assertDocumented, describeRoute } from './route.js';
import type { JsonObject } from './sealing.js';
import { type WebhookEntry, webhookOf } from './webhooks.js';

declare module 'fastify' {
  interface FastifyInstance {
    /** The document, made of the routes that are registered by then. */
    openapi: () => JsonObject;
  }
}

export interface OpenApiOptions {
  webhooks: readonly WebhookEntry[];
}

export const openapiPlugin = fp(
  async (app: App, { webhooks }: OpenApiOptions) => {
    app.addHook('onRoute', assertDocumented);
    const openapi = {
      openapi: '3.1.0',
      info: INFO,
      servers: SERVERS,
      tags: TAGS,
      security: SECURITY,
      webhooks: Object.fromEntries(webhooks.map((entry) => [entry.type, webhookOf(entry)])),
      components: COMPONENTS,
    };
    const options: FastifyDynamicSwaggerOptions = {
      // The library's types are those of finished documents; ours are still JSON Schema here.
      openapi: openapi as FastifyDynamicSwaggerOptions['openapi'],
      transform: ({ url, route }) => ({ url, schema: describeRoute(route, app.getSchemas()) }),
      transformObject: (made) =>
        finishDocument((made as unknown as { openapiObject: Generated }).openapiObject, app.getSchemas()),
      decorator: 'openapi',
    };
    await app.register(swagger, options);
    let text: string | undefined;
    app.get('/openapi.json', { schema: { hide: true } }, (_request, reply) => {
      text ??= JSON.stringify(app.openapi());
      reply.header('content-type', 'application/json; charset=utf-8').send(text);
    });
    serveDocs(app);
  },
  { name: 'openapi', dependencies: ['context'] },
);
