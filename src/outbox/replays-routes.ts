// Owns the HTTP face of replays: schemas and one call to the service each.

import { responses } from '../api/responses.js';
import { closed, type RouteModule, ref } from '../api/schema.js';
import { pageQuery, Uuid } from '../api/shapes.js';
import { contextOf } from '../plugins/context.js';
import { REPLAY_SCHEMAS, RecoverInput, Replay, ReplayInput, ReplayPage } from './replays-schemas.js';
import type { ReplaysService } from './replays-service.js';

export type ReplayUses = Pick<ReplaysService, 'create' | 'recover' | 'get' | 'list' | 'cancel'>;

const tags = ['Webhooks'];
const params = closed({ id: ref(Uuid) });
const replayParams = closed({ id: ref(Uuid), replayId: ref(Uuid) });

export function replayRoutes(replays: ReplayUses): RouteModule {
  return (app) => {
    for (const schema of REPLAY_SCHEMAS) app.addSchema(schema);
    askRoutes(app, replays);
    watchRoutes(app, replays);
  };
}

function askRoutes(app: Parameters<RouteModule>[0], replays: ReplayUses): void {
  app.post(
    '/v1/webhook-endpoints/:id/replays',
    {
      config: { scope: 'webhooks:write' },
      schema: {
        operationId: 'replayWebhookEndpoint',
        tags,
        summary: 'Replay events to a webhook endpoint',
        description:
          'Sends the events of a range of time to this endpoint again, whether it has had them or not, in their ' +
          'order and under the ids that they had. It goes on in the background, at the pace at which the endpoint ' +
          'takes them: ask for the replay to see how far it is. Each delivery says so in a header of its own.',
        params,
        body: ref(ReplayInput),
        response: responses({ 202: ref(Replay) }, 404, 409),
      },
    },
    async (request, reply) => {
      const replay = await replays.create(contextOf(request, 202), request.params.id, request.body);
      return reply.code(202).send(replay);
    },
  );

  app.post(
    '/v1/webhook-endpoints/:id/recover',
    {
      config: { scope: 'webhooks:write' },
      schema: {
        operationId: 'recoverWebhookEndpoint',
        tags,
        summary: 'Resend what a webhook endpoint could not be told',
        description:
          'A replay of the deliveries to this endpoint that were given up since a time. What has arrived since, or ' +
          'is under way again, is left out.',
        params,
        body: ref(RecoverInput),
        response: responses({ 202: ref(Replay) }, 404, 409),
      },
    },
    async (request, reply) => {
      const replay = await replays.recover(contextOf(request, 202), request.params.id, request.body);
      return reply.code(202).send(replay);
    },
  );

  app.post(
    '/v1/webhook-endpoints/:id/replays/:replayId/cancel',
    {
      config: { scope: 'webhooks:write' },
      schema: {
        operationId: 'cancelWebhookReplay',
        tags,
        summary: 'Cancel a replay',
        description:
          'Nothing more is queued. What has been queued goes out; a single delivery can be discarded.',
        params: replayParams,
        response: responses({ 200: ref(Replay) }, 404, 409),
      },
    },
    (request) => replays.cancel(contextOf(request), keyOf(request.params)),
  );
}

function watchRoutes(app: Parameters<RouteModule>[0], replays: ReplayUses): void {
  app.get(
    '/v1/webhook-endpoints/:id/replays',
    {
      config: { scope: 'webhooks:read' },
      schema: {
        operationId: 'listWebhookReplays',
        tags,
        summary: 'List the replays of a webhook endpoint',
        description: 'Newest first.',
        params,
        querystring: closed(pageQuery),
        response: responses({ 200: ref(ReplayPage) }, 404),
      },
    },
    (request) => replays.list(contextOf(request), request.params.id, request.query),
  );

  app.get(
    '/v1/webhook-endpoints/:id/replays/:replayId',
    {
      config: { scope: 'webhooks:read' },
      schema: {
        operationId: 'getWebhookReplay',
        tags,
        summary: 'Show a replay and how far it is',
        params: replayParams,
        response: responses({ 200: ref(Replay) }, 404),
      },
    },
    (request) => replays.get(contextOf(request), keyOf(request.params)),
  );
}

function keyOf({ id, replayId }: { id: string; replayId: string }) {
  return { endpointId: id, id: replayId };
}
