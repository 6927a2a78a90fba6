// Owns the HTTP face of deliveries and of an endpoint's attempts and figures: schemas and one call to a service
// each. Does not own that of endpoints (webhooks/routes.ts) nor of replays (replays-routes.ts).

import { responses } from '../api/responses.js';
import { closed, type RouteModule, ref } from '../api/schema.js';
import { Uuid } from '../api/shapes.js';
import { contextOf } from '../plugins/context.js';
import {
  ACTIVITY_SCHEMAS,
  attemptsQuery,
  EndpointAttemptPage,
  EndpointStats,
  statsQuery,
} from './activity-schemas.js';
import type { ActivityService } from './activity-service.js';
import type { DeliveriesService } from './deliveries-service.js';
import { Delivery, DeliveryPage, DeliveryWithAttempts, deliveriesQuery } from './schemas.js';

export interface DeliveryUses {
  deliveries: Pick<DeliveriesService, 'get' | 'search' | 'resend' | 'discard'>;
  activity: ActivityService;
}

const tags = ['Webhooks'];
const params = closed({ id: ref(Uuid) });

/** The schemas of deliveries are registered by the module's own routes. */
export function deliveryRoutes({ deliveries, activity }: DeliveryUses): RouteModule {
  return (app) => {
    for (const schema of ACTIVITY_SCHEMAS) app.addSchema(schema);
    readRoutes(app, deliveries);
    decideRoutes(app, deliveries);
    activityRoutes(app, activity);
  };
}

type App = Parameters<RouteModule>[0];

function readRoutes(app: App, deliveries: DeliveryUses['deliveries']): void {
  app.get(
    '/v1/webhook-deliveries',
    {
      config: { scope: 'webhooks:read' },
      schema: {
        operationId: 'listDeliveries',
        tags,
        summary: 'List deliveries',
        description: 'Of all webhook endpoints, newest first. With `status=exhausted`: the dead letters.',
        querystring: closed(deliveriesQuery),
        response: responses({ 200: ref(DeliveryPage) }),
      },
    },
    (request) => deliveries.search(contextOf(request), request.query),
  );

  app.get(
    '/v1/webhook-deliveries/:id',
    {
      config: { scope: 'webhooks:read' },
      schema: {
        operationId: 'getDelivery',
        tags,
        summary: 'Show a delivery with its attempts',
        params,
        response: responses({ 200: ref(DeliveryWithAttempts) }, 404),
      },
    },
    (request) => deliveries.get(contextOf(request), request.params.id),
  );
}

function decideRoutes(app: App, deliveries: DeliveryUses['deliveries']): void {
  app.post(
    '/v1/webhook-deliveries/:id/resend',
    {
      config: { scope: 'webhooks:write' },
      schema: {
        operationId: 'resendDelivery',
        tags,
        summary: 'Send a delivery again',
        description:
          'A new delivery of the same event, under the same `webhook-id`, of one that is finished.',
        params,
        response: responses({ 202: ref(Delivery) }, 404, 409),
      },
    },
    async (request, reply) =>
      reply.code(202).send(await deliveries.resend(contextOf(request, 202), request.params.id)),
  );

  app.post(
    '/v1/webhook-deliveries/:id/discard',
    {
      config: { scope: 'webhooks:write' },
      schema: {
        operationId: 'discardDelivery',
        tags,
        summary: 'Give a delivery up',
        description:
          'One that is pending or could not be delivered. An attempt under way may still reach the receiver; ' +
          'nothing is recorded of it. At an endpoint that is told in order, the next event may go.',
        params,
        response: responses({ 200: ref(Delivery) }, 404, 409),
      },
    },
    (request) => deliveries.discard(contextOf(request), request.params.id),
  );
}

function activityRoutes(app: App, activity: ActivityService): void {
  app.get(
    '/v1/webhook-endpoints/:id/attempts',
    {
      config: { scope: 'webhooks:read' },
      schema: {
        operationId: 'listWebhookAttempts',
        tags,
        summary: 'List the attempts to deliver to a webhook endpoint',
        description: 'Newest first.',
        params,
        querystring: attemptsQuery,
        response: responses({ 200: ref(EndpointAttemptPage) }, 404),
      },
    },
    (request) => activity.attempts(contextOf(request), request.params.id, request.query),
  );

  app.get(
    '/v1/webhook-endpoints/:id/stats',
    {
      config: { scope: 'webhooks:read' },
      schema: {
        operationId: 'getWebhookStats',
        tags,
        summary: 'Show how the deliveries to a webhook endpoint are doing',
        params,
        querystring: statsQuery,
        response: responses({ 200: ref(EndpointStats) }, 404),
      },
    },
    (request) => activity.stats(contextOf(request), request.params.id, request.query.window),
  );
}
