// Owns the HTTP face of the models: schemas and one call to the service each.

import { responses } from '../api/responses.js';
import { closed, type RouteModule, ref } from '../api/schema.js';
import { pageQuery, Uuid } from '../api/shapes.js';
import { contextOf } from '../plugins/context.js';
import { CurrentModels, Fit, FitPage, MODEL_SCHEMAS } from './schemas.js';
import type { ModelsService } from './service.js';

export type ModelUses = Pick<ModelsService, 'fit' | 'get' | 'list' | 'current'>;

const tags = ['Models'];
const read = { scope: 'policies:read' } as const;

export function modelRoutes(models: ModelUses): RouteModule {
  return (app) => {
    for (const schema of MODEL_SCHEMAS) app.addSchema(schema);
    fitRoutes(app, models);
    app.get(
      '/v1/models/current',
      {
        config: read,
        schema: {
          operationId: 'getCurrentModels',
          tags,
          summary: 'What is fitted to the tenant’s orders, and how surely',
          description:
            'Parameters, standard errors and log-likelihoods of the cadence, BG/NBD, MBG/NBD and gamma-gamma ' +
            'models, what they were fitted to, and whether each may be used.',
          response: responses({ 200: ref(CurrentModels) }, 404),
        },
      },
      (request) => models.current(contextOf(request)),
    );
  };
}

function fitRoutes(app: Parameters<RouteModule>[0], models: ModelUses): void {
  app.post(
    '/v1/models/fits',
    {
      config: { scope: 'policies:write' },
      schema: {
        operationId: 'fitModels',
        tags,
        summary: 'Fit all models to the tenant’s orders now',
        description:
          'Goes on in the background: ask for the fit to see how far it is. What comes of it is a new ' +
          'calibration version, in force from then on; everybody is decided anew where the policy reads what ' +
          'has moved. While a fit waits to begin, whoever asks for one is answered with that one.',
        response: responses({ 202: ref(Fit) }),
      },
    },
    async (request, reply) => reply.code(202).send(await models.fit(contextOf(request, 202))),
  );
  app.get(
    '/v1/models/fits',
    {
      config: read,
      schema: {
        operationId: 'listModelFits',
        tags,
        summary: 'The fits that were asked for, newest first',
        querystring: closed(pageQuery),
        response: responses({ 200: ref(FitPage) }),
      },
    },
    (request) => models.list(contextOf(request), request.query),
  );
  app.get(
    '/v1/models/fits/:id',
    {
      config: read,
      schema: {
        operationId: 'getModelFit',
        tags,
        summary: 'Show a fit and how far it is',
        params: closed({ id: ref(Uuid) }),
        response: responses({ 200: ref(Fit) }, 404),
      },
    },
    (request) => models.get(contextOf(request), request.params.id),
  );
}
