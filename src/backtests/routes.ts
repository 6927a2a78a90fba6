// Owns the HTTP face of backtests: schemas and one call to the service each.

import { expectedVersion, sendVersioned } from '../api/etag.js';
import { Empty, responses } from '../api/responses.js';
import { type App, closed, type RouteModule, ref } from '../api/schema.js';
import { pageQuery, Uuid } from '../api/shapes.js';
import { contextOf } from '../plugins/context.js';
import { chartOf } from './chart.js';
import { csvOf } from './csv.js';
import {
  BACKTEST_SCHEMAS,
  Backtest,
  BacktestCsv,
  BacktestInput,
  BacktestPage,
  BacktestSvg,
  policyPath,
} from './schemas.js';
import { type BacktestsService, KEPT_MAX } from './service.js';

export type BacktestUses = Pick<BacktestsService, 'create' | 'get' | 'report' | 'list' | 'remove'>;

const tags = ['Policies'];
const params = closed({ id: ref(Uuid) });

export function backtestRoutes(backtests: BacktestUses): RouteModule {
  return (app) => {
    for (const schema of BACKTEST_SCHEMAS) app.addSchema(schema);
    ofPolicies(app, backtests);
    watching(app, backtests);
    downloads(app, backtests);
  };
}

function ofPolicies(app: App, backtests: BacktestUses): void {
  app.post(
    '/v1/policies/:id/backtests',
    {
      config: { scope: 'policies:write' },
      schema: {
        operationId: 'createBacktest',
        tags,
        summary: 'Try a policy on the tenant’s own history',
        description:
          'Replays everybody under the policy as of each cut, without what came later, and holds the churned flag ' +
          'against what they did in the horizon after it; beside the live policy and fixed silences. The policy is ' +
          'taken to have been in force since the beginning of time, the live one as its versions are dated, and ' +
          'both by the calibration that fits what was known at the cut. Only customers with an order by then are ' +
          'judged. It goes on in the background: ask for the backtest to see how far it is. A tenant’s newest ' +
          `${KEPT_MAX} backtests are kept: to make room for a new one, older ones that are over are removed.`,
        params: policyPath,
        body: ref(BacktestInput),
        response: responses({ 202: ref(Backtest) }, 404, 409),
      },
    },
    async (request, reply) => {
      const backtest = await backtests.create(contextOf(request, 202), request.params.id, request.body);
      return reply.code(202).send(backtest);
    },
  );

  app.get(
    '/v1/policies/:id/backtests',
    {
      config: { scope: 'policies:read' },
      schema: {
        operationId: 'listBacktests',
        tags,
        summary: 'List the backtests of a policy',
        description: 'Newest first, without their reports.',
        params: policyPath,
        querystring: closed(pageQuery),
        response: responses({ 200: ref(BacktestPage) }, 404),
      },
    },
    (request) => backtests.list(contextOf(request), request.params.id, request.query),
  );
}

function watching(app: App, backtests: BacktestUses): void {
  app.get(
    '/v1/backtests/:id',
    {
      config: { scope: 'policies:read' },
      schema: {
        operationId: 'getBacktest',
        tags,
        summary: 'Show a backtest: how far it is, and its report once it is done',
        params,
        response: responses({ 200: ref(Backtest), 304: Empty }, 404),
      },
    },
    async (request, reply) =>
      sendVersioned(request, reply, 200, await backtests.get(contextOf(request), request.params.id)),
  );

  app.delete(
    '/v1/backtests/:id',
    {
      config: { scope: 'policies:write' },
      schema: {
        operationId: 'deleteBacktest',
        tags,
        summary: 'Cancel or remove a backtest',
        description:
          'One that is queued or running is cancelled, and stays in the list; any other is removed.',
        params,
        response: responses({ 204: Empty }, 404, 412),
      },
    },
    async (request, reply) => {
      await backtests.remove(contextOf(request), request.params.id, expectedVersion(request));
      return reply.code(204).send();
    },
  );
}

function downloads(app: App, backtests: BacktestUses): void {
  app.get(
    '/v1/backtests/:id/report.csv',
    {
      config: { scope: 'policies:read' },
      schema: {
        operationId: 'getBacktestCsv',
        tags,
        summary: 'A backtest’s figures as CSV',
        description:
          'A row for each cut, segment and rule; the cut `all` is all of them together. `segmentKind` is `all` of ' +
          'everybody; `value`, `none` and `other` are the kinds of segments.',
        produces: ['text/csv'],
        params,
        response: responses({ 200: BacktestCsv }, 404, 409),
      },
    },
    async (request, reply) => {
      const { report } = await backtests.report(contextOf(request), request.params.id);
      return reply.type('text/csv; charset=utf-8').send(csvOf(report));
    },
  );

  app.get(
    '/v1/backtests/:id/report.svg',
    {
      config: { scope: 'policies:read' },
      schema: {
        operationId: 'getBacktestSvg',
        tags,
        summary: 'A backtest’s figures as a picture',
        description:
          'The ROC curve with the flags of each rule on it, and how well scores told what happened.',
        produces: ['image/svg+xml'],
        params,
        response: responses({ 200: BacktestSvg }, 404, 409),
      },
    },
    async (request, reply) => {
      const { backtest, report } = await backtests.report(contextOf(request), request.params.id);
      return reply.type('image/svg+xml').send(chartOf(report, backtest));
    },
  );
}
