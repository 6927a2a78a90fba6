// Owns the HTTP face of the feed and of the catalogue, and the list of the module's other routes. Does not own
// that of endpoints (webhooks/routes.ts).

import { responses } from '../api/responses.js';
import { closed, type RouteModule, ref } from '../api/schema.js';
import { Uuid } from '../api/shapes.js';
import { contextOf } from '../plugins/context.js';
import { CATALOGUE_SCHEMAS, EVENT_TYPES, selfContained } from './catalogue.js';
import { type DeliveryUses, deliveryRoutes } from './deliveries-routes.js';
import type { FeedService } from './feed-service.js';
import { type ReplayUses, replayRoutes } from './replays-routes.js';
import { Event, EventPage, EventTypePage, feedQuery, OUTBOX_SCHEMAS } from './schemas.js';
import { topicsOf } from './topics.js';

export interface OutboxRoutesDeps extends DeliveryUses {
  feed: FeedService;
  replays: ReplayUses;
}

const JSON_TYPE = 'application/json; charset=utf-8';

export function outboxRoutes({ feed, deliveries, activity, replays }: OutboxRoutesDeps): RouteModule {
  return async (app) => {
    for (const schema of [...OUTBOX_SCHEMAS, ...CATALOGUE_SCHEMAS]) app.addSchema(schema);
    feedRoutes(app, feed);
    catalogueRoute(app);
    await deliveryRoutes({ deliveries, activity })(app);
    await replayRoutes(replays)(app);
  };
}

/** Events are sent as the texts that were signed: to parse and print them again could only change them. */
function feedRoutes(app: Parameters<RouteModule>[0], feed: FeedService): void {
  app.get(
    '/v1/events',
    {
      config: { scope: 'events:read' },
      schema: {
        operationId: 'listEvents',
        tags: ['Events'],
        summary: 'Read the feed of events',
        description:
          'Every event of the tenant, in an order in which nothing ever comes in below what was read: what a ' +
          'webhook missed can be read here. Events of one customer are in the order of their `sequence`. Events are ' +
          'kept for as long as the deployment says, 90 days by default: after a place before those that are kept, ' +
          'the answer is a 410 with the code `cursor_expired`, so that nothing is ever skipped in silence.',
        querystring: feedQuery,
        response: responses({ 200: ref(EventPage) }, 404, 410),
      },
    },
    async (request, reply) => {
      const { bodies, ...places } = await feed.read(contextOf(request), request.query);
      const text = `{"data":[${bodies.join(',')}],${JSON.stringify(places).slice(1)}`;
      return reply.header('content-type', JSON_TYPE).send(text as never);
    },
  );

  app.get(
    '/v1/events/:id',
    {
      config: { scope: 'events:read' },
      schema: {
        operationId: 'getEvent',
        tags: ['Events'],
        summary: 'Show an event',
        params: closed({ id: ref(Uuid) }),
        response: responses({ 200: ref(Event) }, 404),
      },
    },
    async (request, reply) => {
      const text = await feed.get(contextOf(request), request.params.id);
      return reply.header('content-type', JSON_TYPE).send(text as never);
    },
  );
}

function catalogueRoute(app: Parameters<RouteModule>[0]): void {
  let page: { data: object[]; nextCursor: null } | undefined;
  // Made at the first request: only then is every schema registered that these refer to.
  const catalogue = () => ({
    data: EVENT_TYPES.map(({ type, summary, schema, example }) => ({
      type,
      summary,
      topics: [...topicsOf(type)],
      schema: selfContained(schema, app.getSchemas()),
      example,
    })),
    nextCursor: null,
  });
  app.get(
    '/v1/event-types',
    {
      config: { scope: 'events:read' },
      schema: {
        operationId: 'listEventTypes',
        tags: ['Events'],
        summary: 'List the types of events',
        description: 'All of them, each with the JSON schema of its body and an example.',
        response: responses({ 200: ref(EventTypePage) }),
      },
    },
    () => {
      page ??= catalogue();
      return page as never;
    },
  );
}
