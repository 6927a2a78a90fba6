// Owns the routes of policies: the live one, its versions, calibrations and the walks they ask for.

import { cursorScope, decodeCursor, encodeCursor } from '../api/cursor.js';
import { expectedVersion, sendVersioned } from '../api/etag.js';
import { Empty, responses } from '../api/responses.js';
import { type App, ref } from '../api/schema.js';
import { PAGE_LIMIT_DEFAULT } from '../api/shapes.js';
import { contextOf } from '../plugins/context.js';
import {
  Calibration,
  CalibrationPage,
  fromApiActivation,
  LivePolicy,
  listQuery,
  POLICY_SCHEMAS,
  PolicyActivation,
  PolicyPage,
  PolicyVersion,
  RecomputationPage,
  toApiCalibration,
  toApiLive,
  toApiPolicy,
  toApiRecomputation,
  versionPath,
} from './schemas.js';
import type { CalibrationRow, PoliciesService } from './service.js';

const POLICIES = cursorScope('policies', ['integer']);
const CALIBRATIONS = cursorScope('calibrations', ['integer']);
const RECOMPUTATIONS = cursorScope('recomputations', ['uuid']);
/** Walks that are worth looking at: the list is of the newest and has no second page. */

export function policyRoutes(policies: PoliciesService) {
  return (app: App): void => {
    for (const schema of POLICY_SCHEMAS) app.addSchema(schema);
    live(app, policies);
    versions(app, policies);
    calibrations(app, policies);
  };
}

function live(app: App, policies: PoliciesService): void {
  app.get(
    '/v1/policies/live',
    {
      config: { scope: 'policies:read' },
      schema: {
        operationId: 'getLivePolicy',
        tags: ['Policies'],
        summary: 'The policy in force, with its calibration',
        response: responses({ 200: ref(LivePolicy), 304: Empty }, 404),
      },
    },
    async (request, reply) =>
      sendVersioned(request, reply, 200, toApiLive(await policies.live(contextOf(request)))),
  );
  app.put(
    '/v1/policies/live',
    {
      config: { scope: 'policies:write' },
      schema: {
        operationId: 'putLivePolicy',
        tags: ['Policies'],
        summary: 'Put a policy into force as a new version',
        description: 'Everybody is decided anew by it; see `/v1/recomputations` for how far that is.',
        body: ref(PolicyActivation),
        response: responses({ 200: ref(LivePolicy) }, 409, 412),
      },
    },
    async (request, reply) => {
      const context = contextOf(request);
      const activation = fromApiActivation(request.body, expectedVersion(request), context.now);
      return sendVersioned(request, reply, 200, toApiLive(await policies.activate(context, activation)));
    },
  );
}

function versions(app: App, policies: PoliciesService): void {
  app.get(
    '/v1/policies',
    {
      config: { scope: 'policies:read' },
      schema: {
        operationId: 'listPolicies',
        tags: ['Policies'],
        summary: 'All policy versions, newest first',
        querystring: listQuery,
        response: responses({ 200: ref(PolicyPage) }),
      },
    },
    async (request) => {
      const { limit = PAGE_LIMIT_DEFAULT, cursor } = request.query;
      const before = cursor === undefined ? null : decodeCursor(POLICIES, {}, cursor)[0];
      const rows = await policies.list(contextOf(request), before, limit + 1);
      const data = rows.slice(0, limit).map(toApiPolicy);
      const last = rows.length > limit ? data.at(-1) : undefined;
      return { data, nextCursor: last === undefined ? null : encodeCursor(POLICIES, {}, [last.version]) };
    },
  );
  app.get(
    '/v1/policies/:version',
    {
      config: { scope: 'policies:read' },
      schema: {
        operationId: 'getPolicy',
        tags: ['Policies'],
        summary: 'One policy version',
        params: versionPath,
        response: responses({ 200: ref(PolicyVersion), 304: Empty }, 404),
      },
    },
    async (request, reply) => {
      const row = await policies.get(contextOf(request), request.params.version);
      return sendVersioned(request, reply, 200, toApiPolicy(row));
    },
  );
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
          'The new version takes effect now, and everybody is decided anew where the policy reads it.',
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
