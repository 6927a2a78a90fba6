// Owns the routes that read what was: one customer's stage at an instant, and how many were in each stage.

import { asksForPast, futureFaults, type Instants, instantOf, instantsOf, refuse } from '../api/as-of.js';
import { sendVersioned } from '../api/etag.js';
import { parseRef } from '../api/references.js';
import { Empty, responses } from '../api/responses.js';
import { type App, ref } from '../api/schema.js';
import { contextOf } from '../plugins/context.js';
import {
  AS_OF_SCHEMAS,
  CustomerStage,
  StageCounts,
  type StageCountsQuery,
  stageCountsQuery,
  stageQuery,
  toApiCounts,
  toApiStage,
} from './as-of-schemas.js';
import { customerPath } from './schemas.js';
import { POINTS_MAX, pointsOf } from './series.js';
import type { TransitionsService } from './service.js';

const config = { scope: 'transitions:read' } as const;
const tags = ['Transitions'];

export function asOfRoutes(app: App, { asOf }: Pick<TransitionsService, 'asOf'>): void {
  for (const schema of AS_OF_SCHEMAS) app.addSchema(schema);
  app.get(
    '/v1/customers/:ref/stage',
    {
      config,
      schema: {
        operationId: 'getCustomerStage',
        tags,
        summary: 'The stage that a customer was in at an instant, and by what evidence',
        description:
          'By the ledger as it was known at `knownAt`, so that an answer that was given then can be had again. ' +
          'A row’s own `supersededAt` says what became of it since.',
        params: customerPath,
        querystring: stageQuery,
        response: responses({ 200: ref(CustomerStage), 304: Empty }, 404),
      },
    },
    async (request, reply) => {
      const context = contextOf(request);
      const instants = instantsOf(request.query, context.now);
      const standing = await asOf.standing(context, parseRef(request.params.ref), instants);
      const stage = toApiStage(standing, instants);
      const { asOf: at, knownAt } = request.query;
      // What is asked for as of now is another answer at each time, at no change of version: it is always sent.
      if (at === undefined || knownAt === undefined)
        return reply.header('etag', `"${stage.version}"`).send(stage);
      return sendVersioned(request, reply, 200, stage);
    },
  );
  app.get(
    '/v1/stage-counts',
    {
      config,
      schema: {
        operationId: 'getStageCounts',
        tags,
        summary: 'How many customers are, or were, in each stage',
        description:
          'As of now, or of any instant and by what was known at any instant; with `from`, also at each point ' +
          'of a series, all of them by what was known at `knownAt`. Customers whose personal data was erased are ' +
          'counted, though lists leave them out unless `erased=true` is asked for.',
        querystring: stageCountsQuery,
        response: responses({ 200: ref(StageCounts) }),
      },
    },
    async (request) => {
      const context = contextOf(request);
      const instants = instantsOf(request.query, context.now);
      const points = seriesOf(request.query, instants, context.now);
      const live = points === null && !asksForPast(request.query);
      const counts = await asOf.counts(context, { instants, live, points: points ?? [] });
      return toApiCounts(counts, instants, points);
    },
  );
}

/** Null where no series is asked for. */
function seriesOf(query: StageCountsQuery, { asOf }: Instants, now: Date): Date[] | null {
  if (query.from === undefined) {
    const given = (['to', 'step'] as const).filter((name) => query[name] !== undefined);
    refuse(given.map((name) => ({ pointer: `/query/${name}`, detail: 'must not be given without from' })));
    return null;
  }
  const from = new Date(query.from);
  const to = instantOf(query.to, asOf);
  refuse(futureFaults({ from, to }, now));
  if (from > to) refuse([{ pointer: '/query/from', detail: `must not be after ${to.toISOString()}` }]);
  const points = pointsOf({ from, to, step: query.step ?? 'day' });
  if (points === undefined) {
    const detail = `makes more than ${POINTS_MAX} points until ${to.toISOString()}`;
    refuse([{ pointer: `/query/${query.step === undefined ? 'from' : 'step'}`, detail }]);
  }
  return points ?? null;
}
