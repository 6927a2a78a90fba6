// Owns the routes of what a customer is known by: a schema and a call of the service each.

import { expectedVersion, sendVersioned } from '../api/etag.js';
import { ExternalId } from '../api/references.js';
import { responses } from '../api/responses.js';
import { type App, ref } from '../api/schema.js';
import { contextOf } from '../plugins/context.js';
import { IdentityPage, identityPath } from './identity-schemas.js';
import { Customer, customerPath } from './schemas.js';
import type { CustomersService } from './service.js';

const tags = ['Customers'];
const read = { scope: 'customers:read' } as const;
const write = { scope: 'customers:write' } as const;

export function identityRoutes(app: App, customers: CustomersService): void {
  app.get(
    '/v1/customers/:ref/identities',
    {
      config: read,
      schema: {
        operationId: 'listCustomerIdentities',
        tags,
        summary: 'What a customer is known by',
        description: 'External ids, and the e-mail and phone in normal form. All are on one page.',
        params: customerPath,
        response: responses({ 200: ref(IdentityPage) }, 404),
      },
    },
    (request) => customers.listIdentities(contextOf(request), request.params.ref),
  );
  app.post(
    '/v1/customers/:ref/identities',
    {
      config: write,
      schema: {
        operationId: 'addCustomerIdentity',
        tags,
        summary: 'Give a customer one more external id',
        description: 'One that the customer has already is answered 200 and changes nothing.',
        params: customerPath,
        body: ref(ExternalId),
        response: responses({ 200: ref(Customer), 201: ref(Customer) }, 404, 409, 412),
      },
    },
    async (request, reply) => {
      const target = { ref: request.params.ref, expected: expectedVersion(request) };
      const answer = ({ added, customer }: { added: boolean; customer: Customer }) => {
        return { status: added ? 201 : 200, body: customer };
      };
      const { status, body } = answer(
        await customers.addIdentity(contextOf(request, 201, answer), target, request.body),
      );
      return sendVersioned(request, reply, status, body);
    },
  );
  app.delete(
    '/v1/customers/:ref/identities/:namespace/:id',
    {
      config: write,
      schema: {
        operationId: 'removeCustomerIdentity',
        tags,
        summary: 'Take an external id away from a customer',
        description: 'E-mail and phone are taken away by a PATCH of their fields.',
        params: identityPath,
        response: responses({ 200: ref(Customer) }, 404, 409, 412),
      },
    },
    async (request, reply) => {
      const { ref: named, namespace, id } = request.params;
      const target = { ref: named, expected: expectedVersion(request) };
      const customer = await customers.removeIdentity(contextOf(request), target, { namespace, id });
      return sendVersioned(request, reply, 200, customer);
    },
  );
}
