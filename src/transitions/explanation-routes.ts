// Owns the route of explanations.

import { parseRef } from '../api/references.js';
import { responses } from '../api/responses.js';
import { type App, ref } from '../api/schema.js';
import { contextOf } from '../plugins/context.js';
import { CustomerExplanation, EXPLANATION_SCHEMAS, toApiExplanation } from './explanation-schemas.js';
import { customerPath } from './schemas.js';
import type { TransitionsService } from './service.js';

export function explanationRoutes(app: App, transitions: Pick<TransitionsService, 'explain'>): void {
  for (const schema of EXPLANATION_SCHEMAS) app.addSchema(schema);
  app.get(
    '/v1/customers/:ref/explanation',
    {
      config: { scope: 'transitions:read' },
      schema: {
        operationId: 'explainCustomer',
        tags: ['Transitions'],
        summary: 'Why a customer is where they are, and what would change it',
        description:
          'Every rule of the policy in force with each condition’s value, threshold and next flip; which of ' +
          'them decided; and what would bring the customer into another stage. As the rules see it now: what ' +
          'is recorded already is in the ledger.',
        params: customerPath,
        response: responses({ 200: ref(CustomerExplanation) }, 404),
      },
    },
    async (request) =>
      toApiExplanation(await transitions.explain(contextOf(request), parseRef(request.params.ref))),
  );
}
