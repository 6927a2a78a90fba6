// Owns the routes of policies as such: the live one, the list, drafts. Does not own the steps from one status to
// another (status-routes.ts) nor previews (preview-routes.ts).

import { invalidField } from '../api/batch.js';
import { cursorScope, decodeCursor, encodeCursor } from '../api/cursor.js';
import { expectedVersion, sendVersioned } from '../api/etag.js';
import { Empty, responses } from '../api/responses.js';
import { type App, ref } from '../api/schema.js';
import { PAGE_LIMIT_DEFAULT } from '../api/shapes.js';
import { TEMPLATE_POLICIES } from '../lifecycle/defaultPolicies.js';
import type { Policy } from '../lifecycle/policy.js';
import { contextOf } from '../plugins/context.js';
import { mergePatch } from './merge-patch.js';
import {
  fromApiActivation,
  LivePolicy,
  POLICY_SCHEMAS,
  PolicyActivation,
  PolicyInput,
  PolicyPage,
  PolicyPatch,
  PolicyVersion,
  policyKeyPath,
  policyQuery,
  toApiLive,
  toApiPolicy,
} from './policy-schemas.js';
import { type PoliciesService, type PolicyRow, parsePolicyRef } from './service.js';

const POLICIES = cursorScope('policies', ['time', 'uuid']);
const tags = ['Policies'];

export function policyRoutesOf(app: App, policies: PoliciesService): void {
  for (const schema of POLICY_SCHEMAS) app.addSchema(schema);
  for (const register of [live, list, create, show, change, remove]) register(app, policies);
}

type Register = (app: App, policies: PoliciesService) => void;

const live: Register = (app, policies) => {
  app.get(
    '/v1/policies/live',
    {
      config: { scope: 'policies:read' },
      schema: {
        operationId: 'getLivePolicy',
        tags,
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
        tags,
        summary: 'Put a policy into force as a new version',
        description:
          'Everybody is decided anew by it; see `/v1/recomputations` for how far that is. What it would do can ' +
          'be seen before: make a draft of it, and ask for a preview.',
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
};

const list: Register = (app, policies) =>
  app.get(
    '/v1/policies',
    {
      config: { scope: 'policies:read' },
      schema: {
        operationId: 'listPolicies',
        tags,
        summary: 'All policies, newest first',
        querystring: policyQuery,
        response: responses({ 200: ref(PolicyPage) }),
      },
    },
    async (request) => {
      const { limit = PAGE_LIMIT_DEFAULT, cursor, status } = request.query;
      const before = cursor === undefined ? null : decodeCursor(POLICIES, { status }, cursor);
      const rows = await policies.list(contextOf(request), { status, before, limit: limit + 1 });
      const data = rows.slice(0, limit).map(toApiPolicy);
      const last = rows.length > limit ? data.at(-1) : undefined;
      const nextCursor =
        last === undefined ? null : encodeCursor(POLICIES, { status }, [last.createdAt, last.id]);
      return { data, nextCursor };
    },
  );

const created = (row: PolicyRow) => ({ status: 201, body: toApiPolicy(row) });

const create: Register = (app, policies) =>
  app.post(
    '/v1/policies',
    {
      config: { scope: 'policies:write' },
      schema: {
        operationId: 'createPolicy',
        tags,
        summary: 'Draft a policy',
        description:
          'Nothing is decided by a draft. It may have faults while it is written: ask for its validation. To ' +
          'adopt a lifecycle template, begin with `fromTemplate` and edit the copy.',
        body: ref(PolicyInput),
        response: responses({ 201: ref(PolicyVersion) }, 409),
      },
    },
    async (request, reply) => {
      const { name = null, policy, fromTemplate } = request.body;
      if (policy !== undefined && fromTemplate !== undefined) {
        throw invalidField('/fromTemplate', 'must not be given beside policy');
      }
      const rules = policy ?? (fromTemplate === undefined ? undefined : TEMPLATE_POLICIES[fromTemplate]);
      if (rules === undefined) throw invalidField('/policy', 'is needed, unless fromTemplate is given');
      const row = await policies.draft(contextOf(request, 201, created), { name, policy: rules });
      return sendVersioned(request, reply, 201, toApiPolicy(row));
    },
  );

const show: Register = (app, policies) =>
  app.get(
    '/v1/policies/:id',
    {
      config: { scope: 'policies:read' },
      schema: {
        operationId: 'getPolicy',
        tags,
        summary: 'One policy, by its id or its version',
        params: policyKeyPath,
        response: responses({ 200: ref(PolicyVersion), 304: Empty }, 404),
      },
    },
    async (request, reply) => {
      const row = await policies.get(contextOf(request), parsePolicyRef(request.params.id));
      return sendVersioned(request, reply, 200, toApiPolicy(row));
    },
  );

const change: Register = (app, policies) =>
  app.patch(
    '/v1/policies/:id',
    {
      config: { scope: 'policies:write' },
      schema: {
        operationId: 'updatePolicy',
        tags,
        summary: 'Edit a draft',
        description: 'A policy that is in shadow, or is or was in force, cannot be edited: that is a 409.',
        params: policyKeyPath,
        body: ref(PolicyPatch),
        response: responses({ 200: ref(PolicyVersion) }, 404, 409, 412),
      },
    },
    async (request, reply) => {
      const { name, policy: patch } = request.body;
      // The patch keeps to the members' own schemas, and takes away only what a policy may do without.
      const row = await policies.change(contextOf(request), {
        ...{ ref: parsePolicyRef(request.params.id), expected: expectedVersion(request), name },
        change: (policy) => mergePatch(policy, patch ?? {}) as Policy,
      });
      return sendVersioned(request, reply, 200, toApiPolicy(row));
    },
  );

const remove: Register = (app, policies) =>
  app.delete(
    '/v1/policies/:id',
    {
      config: { scope: 'policies:write' },
      schema: {
        operationId: 'deletePolicy',
        tags,
        summary: 'Throw a draft away',
        params: policyKeyPath,
        response: responses({ 204: Empty }, 404, 409, 412),
      },
    },
    async (request, reply) => {
      const target = { ref: parsePolicyRef(request.params.id), expected: expectedVersion(request) };
      await policies.remove(contextOf(request), target);
      return reply.code(204).send();
    },
  );
