// Owns the routes of touchpoints: a schema and a call of the service each.

import { checkItems } from '../api/batch.js';
import { sendVersioned } from '../api/etag.js';
import { itemResults } from '../api/items.js';
import { Empty, responses } from '../api/responses.js';
import { type App, closed, type RouteModule, ref } from '../api/schema.js';
import { Uuid } from '../api/shapes.js';
import { PerennialError } from '../errors.js';
import { contextOf } from '../plugins/context.js';
import {
  TOUCHPOINT_SCHEMAS,
  Touchpoint,
  TouchpointBatch,
  TouchpointBatchResult,
  TouchpointInput,
  TouchpointPage,
  touchpointQuery,
} from './schemas.js';
import type { Outcome, TouchpointsService } from './service.js';
import { toApiTouchpoint } from './views.js';

const tags = ['Touchpoints'];
const read = { scope: 'touchpoints:read' } as const;
const write = { scope: 'touchpoints:write' } as const;

export function touchpointRoutes(touchpoints: TouchpointsService): RouteModule {
  return (app) => {
    for (const schema of TOUCHPOINT_SCHEMAS) app.addSchema(schema);
    recording(app, touchpoints);
    reading(app, touchpoints);
  };
}

/** One object for all requests: a check is compiled once for each schema object. */
const batchItem = ref(TouchpointInput);

function recording(app: App, touchpoints: TouchpointsService): void {
  app.post(
    '/v1/touchpoints',
    {
      config: write,
      schema: {
        operationId: 'recordTouchpoint',
        tags,
        summary: 'Record a touchpoint',
        description:
          'A repeat of the same external id with the same body is answered 200 and changes nothing.',
        body: ref(TouchpointInput),
        response: responses({ 200: ref(Touchpoint), 201: ref(Touchpoint) }, 404, 409),
      },
    },
    async (request, reply) => {
      const context = contextOf(request, 201, answerOf);
      const { status, body } = answerOf(
        await touchpoints.record(context, [request.body], { backfill: false }),
      );
      return sendVersioned(request, reply, status, body);
    },
  );
  app.post(
    '/v1/touchpoints/batch',
    {
      config: write,
      schema: {
        operationId: 'recordTouchpoints',
        tags,
        summary: 'Record up to 1,000 touchpoints',
        description: 'Each item succeeds or fails for itself; their order is kept.',
        body: ref(TouchpointBatch),
        response: responses({ 207: ref(TouchpointBatchResult) }),
      },
    },
    async (request, reply) => {
      const { items, backfill = false } = request.body;
      const checked = checkItems(request, batchItem, items);
      const inputs = checked.filter((item) => !(item instanceof PerennialError));
      const answer = (outcomes: Outcome[]) => ({
        status: 207,
        body: { results: itemResults(checked, outcomes, resultOf) },
      });
      const outcomes = await touchpoints.record(contextOf(request, 207, answer), inputs, { backfill });
      return reply.code(207).send(answer(outcomes).body);
    },
  );
}

function reading(app: App, touchpoints: TouchpointsService): void {
  app.get(
    '/v1/touchpoints/:id',
    {
      config: read,
      schema: {
        operationId: 'getTouchpoint',
        tags,
        summary: 'Read a touchpoint',
        params: closed({ id: ref(Uuid) }),
        response: responses({ 200: ref(Touchpoint), 304: Empty }, 404),
      },
    },
    async (request, reply) => {
      const touchpoint = await touchpoints.get(contextOf(request).tenantId, request.params.id);
      return sendVersioned(request, reply, 200, touchpoint);
    },
  );
  app.get(
    '/v1/touchpoints',
    {
      config: read,
      schema: {
        operationId: 'listTouchpoints',
        tags,
        summary: 'List touchpoints, newest first',
        querystring: touchpointQuery,
        response: responses({ 200: ref(TouchpointPage) }, 404),
      },
    },
    (request) => touchpoints.list(contextOf(request).tenantId, request.query),
  );
}

function answerOf([outcome]: Outcome[]) {
  if (outcome === undefined) throw new Error('one touchpoint in, one outcome out');
  if (outcome instanceof PerennialError) throw outcome;
  return { status: outcome.recorded ? 201 : 200, body: toApiTouchpoint(outcome.row) };
}

function resultOf({ recorded, row }: Exclude<Outcome, PerennialError>) {
  return { status: recorded ? 201 : 200, data: { id: row.id } };
}
