// Owns the routes by which orders are recorded and read: a schema and a call of the service each. Does not own those
// by which they are taken back (correction-routes.ts).

import { checkItems, invalidField } from '../api/batch.js';
import { cursorScope, decodeCursor, encodeCursor } from '../api/cursor.js';
import { expectedVersion, sendVersioned } from '../api/etag.js';
import { itemResults } from '../api/items.js';
import { parseRef } from '../api/references.js';
import { Empty, responses } from '../api/responses.js';
import { type App, ref } from '../api/schema.js';
import { PAGE_LIMIT_DEFAULT } from '../api/shapes.js';
import { PerennialError } from '../errors.js';
import { contextOf } from '../plugins/context.js';
import { answerOf, recorded, resultOf, type Saved } from './answers.js';
import { correctionRoutes } from './correction-routes.js';
import {
  fromApiOrder,
  ORDER_SCHEMAS,
  Order,
  OrderBatch,
  OrderBatchResult,
  OrderInput,
  OrderPage,
  OrderReplacement,
  orderPath,
  orderQuery,
  toApiOrder,
} from './schemas.js';
import type { OrdersService } from './service.js';

/** One object, so that its compiled check is found again. */
const BATCH_ITEM = ref(OrderInput);
const LIST = cursorScope('orders', ['time', 'uuid']);

export function orderRoutes(orders: OrdersService) {
  return (app: App): void => {
    for (const schema of ORDER_SCHEMAS) app.addSchema(schema);
    writing(app, orders);
    correctionRoutes(app, orders);
    reading(app, orders);
  };
}

function writing(app: App, orders: OrdersService): void {
  app.post(
    '/v1/orders',
    {
      config: { scope: 'orders:write' },
      schema: {
        operationId: 'recordOrder',
        tags: ['Orders'],
        summary: 'Record an order',
        description:
          'A repeat of the same external id with the same body is answered 200 and changes nothing.',
        body: ref(OrderInput),
        response: responses({ 200: ref(Order), 201: ref(Order) }, 404, 409),
      },
    },
    async (request, reply) => {
      const context = contextOf(request, 201, ([saved]: Saved[]) => answerOf(recorded(saved)));
      const input = fromApiOrder(request.body, request.body.externalId);
      const [saved] = await orders.save(context, [input], { how: 'record', backfill: false });
      const { status, body } = answerOf(recorded(saved));
      return sendVersioned(request, reply, status, body);
    },
  );
  app.post(
    '/v1/orders/batch',
    {
      config: { scope: 'orders:write' },
      schema: {
        operationId: 'recordOrders',
        tags: ['Orders'],
        summary: 'Record up to 1,000 orders',
        description: 'Each item succeeds or fails for itself; their order is kept.',
        body: ref(OrderBatch),
        response: responses({ 207: ref(OrderBatchResult) }),
      },
    },
    async (request, reply) => {
      const { items, backfill = false } = request.body;
      const checked = checkItems(request, BATCH_ITEM, items);
      const good = checked.flatMap((item) => (item instanceof PerennialError ? [] : [item]));
      const answer = (saved: Saved[]) => ({
        status: 207,
        body: { results: itemResults(checked, saved, resultOf) },
      });
      const context = contextOf(request, 207, answer);
      const inputs = good.map((item) => fromApiOrder(item, item.externalId));
      const { body } = answer(await orders.save(context, inputs, { how: 'record', backfill }));
      return reply.code(207).send(body);
    },
  );
  app.put(
    '/v1/orders/:ref',
    {
      config: { scope: 'orders:write' },
      schema: {
        operationId: 'replaceOrder',
        tags: ['Orders'],
        summary: 'Create or replace an order by its external id',
        description: 'One that is older than the stored `sourceUpdatedAt` changes nothing.',
        params: orderPath,
        body: ref(OrderReplacement),
        response: responses({ 200: ref(Order), 201: ref(Order) }, 404, 409, 412),
      },
    },
    async (request, reply) => {
      const context = contextOf(request);
      const named = parseRef(request.params.ref);
      if (named.kind === 'id')
        throw invalidField('/path/ref', 'must be an external id, `ext:<namespace>:<id>`');
      const input = fromApiOrder(request.body, named);
      const [saved] = await orders.save(context, [input], {
        how: 'replace',
        backfill: false,
        expected: expectedVersion(request),
      });
      const { status, body } = answerOf(recorded(saved));
      return sendVersioned(request, reply, status, body);
    },
  );
}

function reading(app: App, orders: OrdersService): void {
  app.get(
    '/v1/orders/:ref',
    {
      config: { scope: 'orders:read' },
      schema: {
        operationId: 'getOrder',
        tags: ['Orders'],
        summary: 'Read an order',
        params: orderPath,
        response: responses({ 200: ref(Order), 304: Empty }, 404),
      },
    },
    async (request, reply) => {
      const order = await orders.get(contextOf(request), parseRef(request.params.ref));
      return sendVersioned(request, reply, 200, toApiOrder(order));
    },
  );
  app.get(
    '/v1/orders',
    {
      config: { scope: 'orders:read' },
      schema: {
        operationId: 'listOrders',
        tags: ['Orders'],
        summary: 'List orders, newest first',
        querystring: orderQuery,
        response: responses({ 200: ref(OrderPage) }, 404),
      },
    },
    async (request) => {
      const context = contextOf(request);
      const { limit = PAGE_LIMIT_DEFAULT, cursor, customer, status, placedFrom, placedTo } = request.query;
      const after = cursor === undefined ? null : decodeCursor(LIST, request.query, cursor);
      const filter = {
        ...(customer === undefined ? {} : { customer: parseRef(customer) }),
        ...(status === undefined ? {} : { status }),
        ...(placedFrom === undefined ? {} : { placedFrom: new Date(placedFrom) }),
        ...(placedTo === undefined ? {} : { placedTo: new Date(placedTo) }),
      };
      const rows = await orders.list(context, filter, { after, limit: limit + 1 });
      const data = rows.slice(0, limit).map(toApiOrder);
      const last = rows.length > limit ? data.at(-1) : undefined;
      return {
        data,
        nextCursor: last === undefined ? null : encodeCursor(LIST, request.query, [last.placedAt, last.id]),
      };
    },
  );
}
