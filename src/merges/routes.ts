// Owns the routes of merges: a schema and a call of the service each.

import { responses } from '../api/responses.js';
import { type App, nullable, type RouteModule, ref } from '../api/schema.js';
import { customerPath } from '../customers/schemas.js';
import { contextOf } from '../plugins/context.js';
import {
  MERGE_SCHEMAS,
  Merge,
  MergeInput,
  MergePage,
  MergePreview,
  MergeUndo,
  MergeUndoInput,
  mergePath,
  mergeQuery,
} from './schemas.js';
import type { MergesService } from './service.js';

const tags = ['Customers'];
const write = { scope: 'customers:write' } as const;

export function mergeRoutes(merges: MergesService): RouteModule {
  return (app) => {
    for (const schema of MERGE_SCHEMAS) app.addSchema(schema);
    merging(app, merges);
    listing(app, merges);
  };
}

function merging(app: App, merges: MergesService): void {
  app.post(
    '/v1/customers/:ref/merges',
    {
      config: write,
      schema: {
        operationId: 'mergeCustomer',
        tags,
        summary: 'Merge another customer into this one',
        description:
          'All that is known of the other becomes this one’s, whose own fields win, and the history of both is ' +
          'replayed as one. Under the other’s id there is nobody afterwards: a 404 says whose they are now. With ' +
          '`dryRun` the answer says what would come of it.',
        params: customerPath,
        body: ref(MergeInput),
        response: responses({ 200: ref(MergePreview), 201: ref(Merge) }, 404, 409),
      },
    },
    async (request, reply) => {
      const { params, body } = request;
      if (body.dryRun === true) return merges.preview(contextOf(request, 200), params.ref, body);
      return reply.code(201).send(await merges.merge(contextOf(request, 201), params.ref, body));
    },
  );
  app.post(
    '/v1/customers/:ref/merges/:mergeId/undo',
    {
      config: write,
      schema: {
        operationId: 'undoCustomerMerge',
        tags,
        summary: 'Undo a merge, within 30 days',
        description:
          'What came from the other goes back to them, as far as it still is this customer’s; what has arrived ' +
          'since stays. Both histories are replayed. Of several merges the last has to be undone first.',
        params: mergePath,
        body: nullable(ref(MergeUndoInput)),
        response: responses({ 200: ref(MergeUndo) }, 404, 409),
      },
    },
    (request) => {
      const { ref: named, mergeId } = request.params;
      const target = { ref: named, mergeId: mergeId.toLowerCase() };
      return merges.undo(contextOf(request, 200), target, request.body ?? {});
    },
  );
}

function listing(app: App, merges: MergesService): void {
  app.get(
    '/v1/customers/:ref/merges',
    {
      config: { scope: 'customers:read' },
      schema: {
        operationId: 'listCustomerMerges',
        tags,
        summary: 'Who was merged into a customer, newest first',
        params: customerPath,
        querystring: mergeQuery,
        response: responses({ 200: ref(MergePage) }, 404),
      },
    },
    (request) => merges.list(contextOf(request), request.params.ref, request.query),
  );
}
