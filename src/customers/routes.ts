// Owns the routes of customers themselves: a schema and a call of the service each. Does not own those of what they
// are known by (identity-routes.ts) nor of single tags (tag-routes.ts).

import { checkItems } from '../api/batch.js';
import { expectedVersion, sendVersioned } from '../api/etag.js';
import { itemResults } from '../api/items.js';
import { Empty, responses } from '../api/responses.js';
import { type App, type RouteModule, ref } from '../api/schema.js';
import { PerennialError } from '../errors.js';
import { contextOf } from '../plugins/context.js';
import { CUSTOMER_BATCH_SCHEMAS, CustomerBatch, CustomerBatchResult } from './batch-schemas.js';
import { identityRoutes } from './identity-routes.js';
import { IDENTITY_SCHEMAS } from './identity-schemas.js';
import { CUSTOMER_PROFILE_SCHEMAS, CustomerProfile } from './profile-schemas.js';
import {
  CUSTOMER_SCHEMAS,
  Customer,
  CustomerInput,
  CustomerPage,
  CustomerPatch,
  customerPath,
  customerQuery,
} from './schemas.js';
import type { CustomersService, Upserted } from './service.js';
import { tagRoutes } from './tag-routes.js';

const tags = ['Customers'];
const read = { scope: 'customers:read' } as const;
const write = { scope: 'customers:write' } as const;

const SCHEMAS = [
  ...CUSTOMER_SCHEMAS,
  ...CUSTOMER_PROFILE_SCHEMAS,
  ...IDENTITY_SCHEMAS,
  ...CUSTOMER_BATCH_SCHEMAS,
];

export function customerRoutes(customers: CustomersService): RouteModule {
  return (app) => {
    for (const schema of SCHEMAS) app.addSchema(schema);
    creating(app, customers);
    changing(app, customers);
    reading(app, customers);
    identityRoutes(app, customers);
    tagRoutes(app, customers);
  };
}

/** One object for all requests: a check is compiled once for each schema object. */
const batchItem = ref(CustomerInput);

function creating(app: App, customers: CustomersService): void {
  app.post(
    '/v1/customers',
    {
      config: write,
      schema: {
        operationId: 'createCustomer',
        tags,
        summary: 'Create a customer',
        description: 'A 409 names the customer who already has the e-mail, the phone or an external id.',
        body: ref(CustomerInput),
        response: responses({ 201: ref(Customer) }, 409),
      },
    },
    async (request, reply) => {
      const customer = await customers.create(contextOf(request, 201), request.body);
      return sendVersioned(request, reply, 201, customer);
    },
  );
  app.post(
    '/v1/customers/batch',
    {
      config: write,
      schema: {
        operationId: 'upsertCustomers',
        tags,
        summary: 'Create or change up to 1,000 customers',
        description: 'Each item succeeds or fails for itself; their order is kept.',
        body: ref(CustomerBatch),
        response: responses({ 207: ref(CustomerBatchResult) }),
      },
    },
    async (request, reply) => {
      const { items, backfill = false } = request.body;
      const checked = checkItems(request, batchItem, items);
      const inputs = checked.filter((item) => !(item instanceof PerennialError));
      const answer = (upserted: (Upserted | PerennialError)[]) => {
        return { status: 207, body: { results: itemResults(checked, upserted, resultOf) } };
      };
      const upserted = await customers.batch(contextOf(request, 207, answer), inputs, { backfill });
      return reply.code(207).send(answer(upserted).body);
    },
  );
}

function changing(app: App, customers: CustomersService): void {
  app.put(
    '/v1/customers/:ref',
    {
      config: write,
      schema: {
        operationId: 'upsertCustomer',
        tags,
        summary: 'Create or change a customer by an external id',
        description: 'By its id a customer can only be changed.',
        params: customerPath,
        body: ref(CustomerInput),
        response: responses({ 200: ref(Customer), 201: ref(Customer) }, 404, 409, 412),
      },
    },
    async (request, reply) => {
      const target = { ref: request.params.ref, expected: expectedVersion(request) };
      const { created, customer } = await customers.upsert(contextOf(request), target, request.body);
      return sendVersioned(request, reply, created ? 201 : 200, customer);
    },
  );
  app.patch(
    '/v1/customers/:ref',
    {
      config: write,
      schema: {
        operationId: 'patchCustomer',
        tags,
        summary: 'Change a customer',
        params: customerPath,
        body: ref(CustomerPatch),
        response: responses({ 200: ref(Customer) }, 404, 409, 412),
      },
    },
    async (request, reply) => {
      const target = { ref: request.params.ref, expected: expectedVersion(request) };
      const customer = await customers.patch(contextOf(request), target, request.body);
      return sendVersioned(request, reply, 200, customer);
    },
  );
}

function reading(app: App, customers: CustomersService): void {
  app.get(
    '/v1/customers/:ref',
    {
      config: read,
      schema: {
        operationId: 'getCustomer',
        tags,
        summary: 'Read a customer, with facts, rhythm and what comes next',
        params: customerPath,
        response: responses({ 200: ref(CustomerProfile), 304: Empty }, 404),
      },
    },
    async (request, reply) => {
      const profile = await customers.get(contextOf(request), request.params.ref);
      // Counts of the last days shrink by themselves, and predictions move with time, at no change of version: such a
      // profile is always sent.
      if (profile.facts.interactionsLast90Days > 0 || profile.predictions.model !== null)
        return reply.header('etag', `"${profile.version}"`).send(profile);
      return sendVersioned(request, reply, 200, profile);
    },
  );
  app.get(
    '/v1/customers',
    {
      config: read,
      schema: {
        operationId: 'listCustomers',
        tags,
        summary: 'List customers, newest first',
        description:
          'With `asOf` or `knownAt`, those who had a stage then, with the stage they were in, by the ledger as it ' +
          'was known; profiles, and the filters that ask about them, are those of today. Pages agree with the ' +
          `first one on what now is. Filters on today’s stage, orders and reviews do not combine with them. ${PREDICTED}`,
        querystring: customerQuery,
        response: responses({ 200: ref(CustomerPage) }),
      },
    },
    (request) => customers.list(contextOf(request), request.query),
  );
}

const PREDICTED =
  'What is predicted is computed for all customers after each new calibration and once a day, so filters by it ' +
  'go by figures that are up to a day old: `predictions.computedAt` of `/v1/models/current` says as of when. ' +
  'A customer’s own profile predicts as of now. Without an identified model, no customer passes such a filter.';

function resultOf({ created, customer }: Upserted) {
  return { status: created ? 201 : 200, data: { id: customer.snapshot.id } };
}
