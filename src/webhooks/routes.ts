// Owns the HTTP face of webhook endpoints: schemas and one call to the service each. Does not own that of what
// is done with one beside keeping it (trial-routes.ts).

import { expectedVersion, sendVersioned } from '../api/etag.js';
import { Empty, responses } from '../api/responses.js';
import { closed, type RouteModule, ref } from '../api/schema.js';
import { pageQuery, Uuid } from '../api/shapes.js';
import { DeliveryPage, deliveryQuery } from '../outbox/schemas.js';
import { contextOf } from '../plugins/context.js';
import {
  WEBHOOK_SCHEMAS,
  WebhookEndpoint,
  WebhookEndpointInput,
  WebhookEndpointPage,
  WebhookEndpointPatch,
  WebhookEndpointWithSecret,
} from './schemas.js';
import type { WebhooksService } from './service.js';
import { registerTrials } from './trial-routes.js';

const tags = ['Webhooks'];
const params = closed({ id: ref(Uuid) });

export function webhookRoutes(service: WebhooksService): RouteModule {
  return (app) => {
    for (const schema of WEBHOOK_SCHEMAS) app.addSchema(schema);
    for (const register of [create, list, show, change, remove, deliveries]) register(app, service);
    registerTrials(app, service);
  };
}

type Register = (app: Parameters<RouteModule>[0], service: WebhooksService) => void;

const create: Register = (app, service) =>
  app.post(
    '/v1/webhook-endpoints',
    {
      config: { scope: 'webhooks:write', secretResponse: true },
      schema: {
        operationId: 'createWebhookEndpoint',
        tags,
        summary: 'Register a webhook endpoint',
        description:
          'The answer shows the secret that its deliveries are signed with. A tenant has at most 50 endpoints.',
        body: ref(WebhookEndpointInput),
        response: responses({ 201: ref(WebhookEndpointWithSecret) }, 409, 422),
      },
    },
    async (request, reply) => {
      const endpoint = await service.create(contextOf(request, 201), request.body);
      // Not as other resources are sent: an answer with a secret must not be kept by any cache.
      return reply.code(201).header('etag', `"${endpoint.version}"`).send(endpoint);
    },
  );

const list: Register = (app, service) =>
  app.get(
    '/v1/webhook-endpoints',
    {
      config: { scope: 'webhooks:read' },
      schema: {
        operationId: 'listWebhookEndpoints',
        tags,
        summary: 'List webhook endpoints',
        description: 'Oldest first.',
        querystring: closed(pageQuery),
        response: responses({ 200: ref(WebhookEndpointPage) }),
      },
    },
    (request) => service.list(contextOf(request), request.query),
  );

const show: Register = (app, service) =>
  app.get(
    '/v1/webhook-endpoints/:id',
    {
      config: { scope: 'webhooks:read' },
      schema: {
        operationId: 'getWebhookEndpoint',
        tags,
        summary: 'Show a webhook endpoint',
        params,
        response: responses({ 200: ref(WebhookEndpoint), 304: Empty }, 404),
      },
    },
    async (request, reply) =>
      sendVersioned(request, reply, 200, await service.get(contextOf(request), request.params.id)),
  );

const change: Register = (app, service) =>
  app.patch(
    '/v1/webhook-endpoints/:id',
    {
      config: { scope: 'webhooks:write' },
      schema: {
        operationId: 'changeWebhookEndpoint',
        tags,
        summary: 'Change a webhook endpoint',
        description:
          'Making a paused endpoint active sends what was queued. Of a disabled one it has to be said, by ' +
          '`resendMissed`, whether what it has missed is sent as well.',
        params,
        body: ref(WebhookEndpointPatch),
        response: responses({ 200: ref(WebhookEndpoint) }, 404, 409, 412, 422),
      },
    },
    async (request, reply) => {
      const wanted = { patch: request.body, expectedVersion: expectedVersion(request) };
      return sendVersioned(
        request,
        reply,
        200,
        await service.change(contextOf(request), request.params.id, wanted),
      );
    },
  );

const remove: Register = (app, service) =>
  app.delete(
    '/v1/webhook-endpoints/:id',
    {
      config: { scope: 'webhooks:write' },
      schema: {
        operationId: 'deleteWebhookEndpoint',
        tags,
        summary: 'Delete a webhook endpoint',
        description: 'Its deliveries go with it, those that are pending too. The events stay in the feed.',
        params,
        response: responses({ 204: Empty }, 404, 412),
      },
    },
    async (request, reply) => {
      await service.remove(contextOf(request), request.params.id, expectedVersion(request));
      return reply.code(204).send();
    },
  );

const deliveries: Register = (app, service) =>
  app.get(
    '/v1/webhook-endpoints/:id/deliveries',
    {
      config: { scope: 'webhooks:read' },
      schema: {
        operationId: 'listWebhookDeliveries',
        tags,
        summary: 'List the deliveries of a webhook endpoint',
        description: 'Newest first.',
        params,
        querystring: closed(deliveryQuery),
        response: responses({ 200: ref(DeliveryPage) }, 404),
      },
    },
    (request) => service.deliveries(contextOf(request), request.params.id, request.query),
  );
