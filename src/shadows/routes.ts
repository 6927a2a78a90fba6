// Owns the routes by which a shadow is looked at. Does not own those that begin and end one (policies/).

import { CustomerRef, parseRef } from '../api/references.js';
import { responses } from '../api/responses.js';
import { type App, closed, ref } from '../api/schema.js';
import { contextOf } from '../plugins/context.js';
import {
  disagreementsQuery,
  policyPath,
  SHADOW_SCHEMAS,
  ShadowDisagreementPage,
  ShadowReport,
  ShadowTransitionPage,
  shadowLedgerQuery,
} from './schemas.js';
import type { ShadowsService } from './service.js';

type Shown = Pick<ShadowsService, 'report' | 'disagreements' | 'ledger'>;

export function shadowRoutes(shadows: Shown) {
  return (app: App): void => {
    for (const schema of SHADOW_SCHEMAS) app.addSchema(schema);
    app.get(
      '/v1/policies/:id/shadow-report',
      {
        config: { scope: 'policies:read' },
        schema: {
          operationId: 'getShadowReport',
          tags: ['Policies'],
          summary: 'Where a policy in shadow and the live one disagree, in figures',
          description:
            'A policy in shadow decides about every customer beside the live one and tells nobody. The figures cost ' +
            'the same for any number of customers; `progress` says how current they are.',
          params: policyPath,
          response: responses({ 200: ref(ShadowReport) }, 404),
        },
      },
      (request) => shadows.report(contextOf(request), request.params.id.toLowerCase()),
    );
    app.get(
      '/v1/policies/:id/shadow-disagreements',
      {
        config: { scope: 'policies:read' },
        schema: {
          operationId: 'listShadowDisagreements',
          tags: ['Policies'],
          summary: 'The customers about whom a policy in shadow and the live one disagree',
          description: 'By the two stages, then by customer; with what either goes by.',
          params: policyPath,
          querystring: disagreementsQuery,
          response: responses({ 200: ref(ShadowDisagreementPage) }, 404),
        },
      },
      (request) => shadows.disagreements(contextOf(request), request.params.id.toLowerCase(), request.query),
    );
    app.get(
      '/v1/customers/:ref/shadow-transitions',
      {
        config: { scope: 'transitions:read' },
        schema: {
          operationId: 'listCustomerShadowTransitions',
          tags: ['Transitions'],
          summary: 'A customer’s history under policies in shadow, newest first',
          description: 'From the row that stood when the shadow began.',
          params: closed({ ref: ref(CustomerRef) }),
          querystring: shadowLedgerQuery,
          response: responses({ 200: ref(ShadowTransitionPage) }, 404),
        },
      },
      (request) => shadows.ledger(contextOf(request), parseRef(request.params.ref), request.query),
    );
  };
}
