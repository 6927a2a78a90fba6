// Owns the routes of the ledger: a customer's history, the tenant's feed, and manual moves.

import { cursorScope, decodeCursor, encodeCursor, type Filter } from '../api/cursor.js';
import { parseRef } from '../api/references.js';
import { responses } from '../api/responses.js';
import { type App, ref } from '../api/schema.js';
import { PAGE_LIMIT_DEFAULT } from '../api/shapes.js';
import type { Context } from '../context.js';
import { contextOf } from '../plugins/context.js';
import { asOfRoutes } from './as-of-routes.js';
import { explanationRoutes } from './explanation-routes.js';
import {
  customerPath,
  feedQuery,
  historyQuery,
  MoveInput,
  MoveResult,
  TRANSITION_SCHEMAS,
  TransitionPage,
  toApiMove,
  toApiTransition,
} from './schemas.js';
import type { LedgerFilter, LedgerView, TransitionsService } from './service.js';
import type { Standing } from './work.js';

const HISTORY = cursorScope('customer-transitions', ['time', 'uuid']);
const FEED = cursorScope('transitions', ['time', 'uuid']);

export function transitionRoutes(transitions: TransitionsService) {
  return (app: App): void => {
    for (const schema of TRANSITION_SCHEMAS) app.addSchema(schema);
    reading(app, transitions);
    moving(app, transitions);
    explanationRoutes(app, transitions);
    asOfRoutes(app, transitions);
  };
}

function reading(app: App, transitions: TransitionsService): void {
  app.get(
    '/v1/customers/:ref/transitions',
    {
      config: { scope: 'transitions:read' },
      schema: {
        operationId: 'listCustomerTransitions',
        tags: ['Transitions'],
        summary: 'A customer’s history, newest first',
        params: customerPath,
        querystring: historyQuery,
        response: responses({ 200: ref(TransitionPage) }, 404),
      },
    },
    async (request) => {
      const context = contextOf(request);
      const customerId = await transitions.identify(context, parseRef(request.params.ref));
      const { superseded = false } = request.query;
      return listed(
        transitions,
        context,
        { customerId, superseded },
        { customerId, ...request.query },
        HISTORY,
      );
    },
  );
  app.get(
    '/v1/transitions',
    {
      config: { scope: 'transitions:read' },
      schema: {
        operationId: 'listTransitions',
        tags: ['Transitions'],
        summary: 'The ledger in force, newest first',
        querystring: feedQuery,
        response: responses({ 200: ref(TransitionPage) }),
      },
    },
    async (request) => {
      const { stage, cause, effectiveFrom, effectiveTo } = request.query;
      const filter: LedgerFilter = {
        ...(stage === undefined ? {} : { stage }),
        ...(cause === undefined ? {} : { cause }),
        ...(effectiveFrom === undefined ? {} : { effectiveFrom: new Date(effectiveFrom) }),
        ...(effectiveTo === undefined ? {} : { effectiveTo: new Date(effectiveTo) }),
      };
      return listed(transitions, contextOf(request), filter, request.query, FEED);
    },
  );
}

function moving(app: App, transitions: TransitionsService): void {
  app.post(
    '/v1/customers/:ref/transitions',
    {
      config: { scope: 'transitions:write' },
      schema: {
        operationId: 'moveCustomer',
        tags: ['Transitions'],
        summary: 'Move a customer by hand, with a reason and a hold',
        description: 'A move that the graph does not permit is a 409 that lists those it does.',
        params: customerPath,
        body: ref(MoveInput),
        response: responses({ 201: ref(MoveResult) }, 404, 409),
      },
    },
    async (request, reply) => {
      const context = contextOf(request, 201, (standing: Standing) => ({
        status: 201,
        body: toApiMove(standing),
      }));
      const standing = await transitions.move(context, parseRef(request.params.ref), request.body);
      return reply.code(201).send(toApiMove(standing));
    },
  );
}

type Scope = typeof HISTORY;

interface PageQuery extends Filter {
  limit?: number;
  cursor?: string;
}

async function listed(
  transitions: TransitionsService,
  context: Context,
  filter: LedgerFilter,
  query: PageQuery,
  scope: Scope,
) {
  const { limit = PAGE_LIMIT_DEFAULT, cursor } = query;
  const after = cursor === undefined ? null : decodeCursor(scope, query, cursor);
  const rows: LedgerView[] = await transitions.history(context, filter, { after, limit: limit + 1 });
  const data = rows.slice(0, limit).map(toApiTransition);
  const last = rows.length > limit ? data.at(-1) : undefined;
  return {
    data,
    nextCursor: last === undefined ? null : encodeCursor(scope, query, [last.effectiveAt, last.id]),
  };
}
