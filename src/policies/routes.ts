// Owns the routes of calibrations and of the walks that versions ask for, and the list of this module's other
// routes. Does not own those of policies (policy-routes.ts, status-routes.ts, preview-routes.ts) and templates.

import { cursorScope, decodeCursor, encodeCursor } from '../api/cursor.js';
import { responses } from '../api/responses.js';
import { type App, ref } from '../api/schema.js';
import { PAGE_LIMIT_DEFAULT } from '../api/shapes.js';
import { contextOf } from '../plugins/context.js';
import { policyRoutesOf } from './policy-routes.js';
import { previewRoutesOf } from './preview-routes.js';
import {
  CALIBRATION_SCHEMAS,
  Calibration,
  CalibrationPage,
  listQuery,
  RecomputationPage,
  toApiCalibration,
  toApiRecomputation,
} from './schemas.js';
import type { CalibrationRow, PoliciesService } from './service.js';
import { simulationRoutesOf } from './simulation-routes.js';
import { statusRoutesOf } from './status-routes.js';
import { templateRoutesOf } from './template-routes.js';

const CALIBRATIONS = cursorScope('calibrations', ['integer']);
const RECOMPUTATIONS = cursorScope('recomputations', ['uuid']);

export function policyRoutes(policies: PoliciesService) {
  return (app: App): void => {
    policyRoutesOf(app, policies);
    statusRoutesOf(app, policies);
    previewRoutesOf(app, policies);
    templateRoutesOf(app);
    simulationRoutesOf(app, policies);
    for (const schema of CALIBRATION_SCHEMAS) app.addSchema(schema);
    recomputations(app, policies);
    calibrations(app, policies);
  };
}

function recomputations(app: App, policies: PoliciesService): void {
  app.get(
    '/v1/recomputations',
    {
      config: { scope: 'policies:read' },
      schema: {
        operationId: 'listRecomputations',
        tags: ['Policies'],
        summary: 'The walks over all customers, newest first, and how far they are',
        querystring: listQuery,
        response: responses({ 200: ref(RecomputationPage) }),
      },
    },
    async (request) => {
      const { limit = PAGE_LIMIT_DEFAULT, cursor } = request.query;
      const before = cursor === undefined ? null : decodeCursor(RECOMPUTATIONS, {}, cursor)[0];
      const rows = await policies.recomputations(contextOf(request), before, limit + 1);
      const data = rows.slice(0, limit).map(toApiRecomputation);
      const last = rows.length > limit ? data.at(-1) : undefined;
      return { data, nextCursor: last === undefined ? null : encodeCursor(RECOMPUTATIONS, {}, [last.id]) };
    },
  );
}

function calibrations(app: App, policies: PoliciesService): void {
  app.get(
    '/v1/calibrations',
    {
      config: { scope: 'policies:read' },
      schema: {
        operationId: 'listCalibrations',
        tags: ['Policies'],
        summary: 'All calibrations, newest first',
        querystring: listQuery,
        response: responses({ 200: ref(CalibrationPage) }),
      },
    },
    async (request) => {
      const { limit = PAGE_LIMIT_DEFAULT, cursor } = request.query;
      const before = cursor === undefined ? null : decodeCursor(CALIBRATIONS, {}, cursor)[0];
      const rows = await policies.calibrations(contextOf(request), before, limit + 1);
      const data = rows.slice(0, limit).map(toApiCalibration);
      const last = rows.length > limit ? data.at(-1) : undefined;
      return { data, nextCursor: last === undefined ? null : encodeCursor(CALIBRATIONS, {}, [last.version]) };
    },
  );
  app.post(
    '/v1/calibrations',
    {
      config: { scope: 'policies:write' },
      schema: {
        operationId: 'calibrate',
        tags: ['Policies'],
        summary: 'Fit the tenant’s cadence now',
        description:
          'The new version takes effect once it is made, and everybody is decided anew where the policy reads it.',
        response: responses({ 201: ref(Calibration) }),
      },
    },
    async (request, reply) => {
      const answer = (row: CalibrationRow) => ({ status: 201, body: toApiCalibration(row) });
      const row = await policies.calibrate(contextOf(request, 201, answer));
      return reply.code(201).send(toApiCalibration(row));
    },
  );
}
