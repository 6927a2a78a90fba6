// Owns the HTTP face of API keys: schemas and one call to the service each.

import { expectedVersion, sendVersioned } from '../api/etag.js';
import { Empty, responses } from '../api/responses.js';
import { closed, type RouteModule, ref } from '../api/schema.js';
import { pageQuery, Uuid } from '../api/shapes.js';
import type { Scope } from '../context.js';
import { contextOf } from '../plugins/context.js';
import {
  API_KEY_SCHEMAS,
  ApiKeyDraftSchema,
  ApiKeyPageSchema,
  ApiKeySchema,
  ApiKeyWithSecretSchema,
} from './schemas.js';
import type { ApiKeysService } from './service.js';

const tags = ['API keys'];
const params = closed({ id: ref(Uuid) });
const nothingHeld: ReadonlySet<Scope> = new Set();

export function apiKeyRoutes(service: ApiKeysService): RouteModule {
  return (app) => {
    for (const schema of API_KEY_SCHEMAS) app.addSchema(schema);

    app.post(
      '/v1/api-keys',
      {
        config: { scope: 'api_keys:write', secretResponse: true },
        schema: {
          operationId: 'createApiKey',
          tags,
          summary: 'Make an API key',
          description: 'The secret is shown in this answer only. A key gets no scope that its maker lacks.',
          body: ref(ApiKeyDraftSchema),
          response: responses({ 201: ref(ApiKeyWithSecretSchema) }, 409, 422),
        },
      },
      async (request, reply) => {
        const held = request.credential?.scopes ?? nothingHeld;
        const key = await service.create(contextOf(request, 201), held, request.body);
        // Not as other resources are sent: an answer with a secret must not be kept by any cache.
        return reply.code(201).header('etag', `"${key.version}"`).send(key);
      },
    );

    app.get(
      '/v1/api-keys',
      {
        config: { scope: 'api_keys:read' },
        schema: {
          operationId: 'listApiKeys',
          tags,
          summary: 'List API keys',
          description: 'Oldest first, expired and revoked ones included.',
          querystring: closed(pageQuery),
          response: responses({ 200: ref(ApiKeyPageSchema) }),
        },
      },
      (request) => service.list(contextOf(request), request.query),
    );

    app.get(
      '/v1/api-keys/:id',
      {
        config: { scope: 'api_keys:read' },
        schema: {
          operationId: 'getApiKey',
          tags,
          summary: 'Show an API key',
          params,
          response: responses({ 200: ref(ApiKeySchema), 304: Empty }, 404),
        },
      },
      async (request, reply) =>
        sendVersioned(request, reply, 200, await service.get(contextOf(request), request.params.id)),
    );

    app.delete(
      '/v1/api-keys/:id',
      {
        config: { scope: 'api_keys:write' },
        schema: {
          operationId: 'revokeApiKey',
          tags,
          summary: 'Revoke an API key',
          description:
            'It is refused at once, by other replicas within five seconds. The record of it stays.',
          params,
          response: responses({ 204: Empty }, 404, 409, 412),
        },
      },
      async (request, reply) => {
        await service.revoke(contextOf(request), request.params.id, expectedVersion(request));
        return reply.code(204).send();
      },
    );
  };
}
