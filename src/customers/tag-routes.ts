// Owns the routes by which one tag is put on a customer or taken off: a schema and a call of the service each.

import { expectedVersion, sendVersioned } from '../api/etag.js';
import { responses } from '../api/responses.js';
import { type App, ref } from '../api/schema.js';
import { contextOf } from '../plugins/context.js';
import { Customer } from './schemas.js';
import type { CustomersService } from './service.js';
import { tagPath } from './tag-schemas.js';

const tags = ['Customers'];
const write = { scope: 'customers:write' } as const;

export function tagRoutes(app: App, customers: CustomersService): void {
  app.put(
    '/v1/customers/:ref/tags/:tag',
    {
      config: write,
      schema: {
        operationId: 'addCustomerTag',
        tags,
        summary: 'Put a tag on a customer',
        description: 'One that the customer has already changes nothing.',
        params: tagPath,
        response: responses({ 200: ref(Customer) }, 404, 409, 412),
      },
    },
    async (request, reply) => {
      const { ref: named, tag } = request.params;
      const target = { ref: named, expected: expectedVersion(request) };
      return sendVersioned(request, reply, 200, await customers.addTag(contextOf(request), target, tag));
    },
  );
  app.delete(
    '/v1/customers/:ref/tags/:tag',
    {
      config: write,
      schema: {
        operationId: 'removeCustomerTag',
        tags,
        summary: 'Take a tag off a customer',
        description: 'One that the customer does not have changes nothing.',
        params: tagPath,
        response: responses({ 200: ref(Customer) }, 404, 409, 412),
      },
    },
    async (request, reply) => {
      const { ref: named, tag } = request.params;
      const target = { ref: named, expected: expectedVersion(request) };
      return sendVersioned(request, reply, 200, await customers.removeTag(contextOf(request), target, tag));
    },
  );
}
