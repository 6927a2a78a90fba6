// Owns the routes of likely duplicates: a schema and a call of the service each.

import { responses } from '../api/responses.js';
import { type RouteModule, ref } from '../api/schema.js';
import { contextOf } from '../plugins/context.js';
import {
  DismissedDuplicate,
  DUPLICATE_SCHEMAS,
  DuplicatePage,
  duplicatePath,
  duplicateQuery,
} from './schemas.js';
import type { DuplicatesService } from './service.js';

const tags = ['Customers'];

export function duplicateRoutes(duplicates: DuplicatesService): RouteModule {
  return (app) => {
    for (const schema of DUPLICATE_SCHEMAS) app.addSchema(schema);
    app.get(
      '/v1/customers/duplicates',
      {
        config: { scope: 'customers:read' },
        schema: {
          operationId: 'listDuplicates',
          tags,
          summary: 'Customers who may be one, the likeliest first',
          description: 'Changed customers are looked at within some minutes.',
          querystring: duplicateQuery,
          response: responses({ 200: ref(DuplicatePage) }),
        },
      },
      (request) => duplicates.list(contextOf(request), request.query),
    );
    app.post(
      '/v1/customers/duplicates/:id/dismiss',
      {
        config: { scope: 'customers:write' },
        schema: {
          operationId: 'dismissDuplicate',
          tags,
          summary: 'Say that two customers are not one',
          description: 'They are not listed again, whatever else comes to speak for it.',
          params: duplicatePath,
          response: responses({ 200: ref(DismissedDuplicate) }, 404),
        },
      },
      (request) => duplicates.dismiss(contextOf(request, 200), request.params.id.toLowerCase()),
    );
  };
}
