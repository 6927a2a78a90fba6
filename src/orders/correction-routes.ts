// Owns the routes by which an order is taken back, in part or whole: a schema and a call of the service each.

import { expectedVersion, sendVersioned } from '../api/etag.js';
import { parseRef } from '../api/references.js';
import { responses } from '../api/responses.js';
import { type App, ref } from '../api/schema.js';
import { contextOf } from '../plugins/context.js';
import { answerOf } from './answers.js';
import { fromApiRefund, Order, orderPath, RefundInput, toApiOrder } from './schemas.js';
import type { OrdersService, Recorded } from './service.js';

export function correctionRoutes(app: App, orders: OrdersService): void {
  app.post(
    '/v1/orders/:ref/cancel',
    {
      config: { scope: 'orders:write' },
      schema: {
        operationId: 'cancelOrder',
        tags: ['Orders'],
        summary: 'Cancel an order: it never counted',
        params: orderPath,
        response: responses({ 200: ref(Order) }, 404, 412),
      },
    },
    async (request, reply) => {
      const context = contextOf(request, 200, answerOf);
      const { body } = answerOf(await orders.cancel(context, targetOf(request)));
      return sendVersioned(request, reply, 200, body);
    },
  );
  app.post(
    '/v1/orders/:ref/refunds',
    {
      config: { scope: 'orders:write' },
      schema: {
        operationId: 'refundOrder',
        tags: ['Orders'],
        summary: 'Refund an order, in part or whole',
        description:
          'The refunds of an order never exceed its amount. A repeat is answered 200. Where the personal data of ' +
          'the customer was erased the refund counts all the same, and its `reason` is not kept.',
        params: orderPath,
        body: ref(RefundInput),
        response: responses({ 200: ref(Order), 201: ref(Order) }, 404, 409, 412),
      },
    },
    async (request, reply) => {
      const answer = ({ order, outcome }: Recorded) => {
        return { status: outcome === 'unchanged' ? 200 : 201, body: toApiOrder(order) };
      };
      const context = contextOf(request, 201, answer);
      const refund = fromApiRefund(request.body);
      const { status, body } = answer(await orders.refund(context, targetOf(request), refund));
      return sendVersioned(request, reply, status, body);
    },
  );
}

function targetOf(request: { params: { ref: string } } & Parameters<typeof expectedVersion>[0]) {
  return { ref: parseRef(request.params.ref), expected: expectedVersion(request) };
}
