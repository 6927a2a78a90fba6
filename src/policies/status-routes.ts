// Owns the routes that take a policy from one status to another, and the look at its faults before. Does not own
// what a step does (activation.ts, shadowing.ts).

import { expectedVersion, sendVersioned } from '../api/etag.js';
import { responses } from '../api/responses.js';
import { type App, ref } from '../api/schema.js';
import type { Context } from '../context.js';
import { contextOf } from '../plugins/context.js';
import {
  DraftActivation,
  fromApiTerms,
  PolicyFindings,
  PolicyVersion,
  policyPath,
  toApiFindings,
  toApiPolicy,
} from './policy-schemas.js';
import { type PoliciesService, type PolicyRow, parsePolicyRef } from './service.js';

const tags = ['Policies'];
const answer = (row: PolicyRow) => ({ status: 200, body: toApiPolicy(row) });

export function statusRoutesOf(app: App, policies: PoliciesService): void {
  validate(app, policies);
  activate(app, policies);
  for (const each of STEPS) registerStep(app, policies, each);
}

function validate(app: App, policies: PoliciesService): void {
  app.post(
    '/v1/policies/:id/validate',
    {
      config: { scope: 'policies:read' },
      schema: {
        operationId: 'validatePolicy',
        tags,
        summary: 'Name what is wrong with a policy',
        description:
          'Faults keep it from deciding: contradictions, with the parts that exclude each other; rules that never ' +
          'decide, because one of those before them does whenever they would; stages that are not there. ' +
          'Warnings do not: branches that can never hold, stages that nothing leads to, a cadence that has not ' +
          'been fitted, customers who would not be carried over, and of what decides already a model that the ' +
          'newest fit does not identify. What is said is so for every customer; not every contradiction is seen.',
        params: policyPath,
        response: responses({ 200: ref(PolicyFindings) }, 404),
      },
    },
    async (request, reply) => {
      const findings = (found: Parameters<typeof toApiFindings>[0]) => {
        return { status: 200, body: toApiFindings(found) };
      };
      const context = contextOf(request, 200, findings);
      const found = await policies.validate(context, parsePolicyRef(request.params.id));
      return reply.send(toApiFindings(found));
    },
  );
}

function activate(app: App, policies: PoliciesService): void {
  app.post(
    '/v1/policies/:id/activate',
    {
      config: { scope: 'policies:write' },
      schema: {
        operationId: 'activatePolicy',
        tags,
        summary: 'Put a draft or a shadow into force',
        description:
          'It becomes the next version, the one before it is retired, and everybody is decided anew; see ' +
          '`/v1/recomputations` for how far that is.',
        params: policyPath,
        body: ref(DraftActivation),
        response: responses({ 200: ref(PolicyVersion) }, 404, 409, 412),
      },
    },
    async (request, reply) => {
      const context = contextOf(request, 200, answer);
      const row = await policies.activateDraft(context, {
        ...{ ref: parsePolicyRef(request.params.id), expected: expectedVersion(request) },
        ...fromApiTerms(request.body, context.now),
      });
      return sendVersioned(request, reply, 200, toApiPolicy(row));
    },
  );
}

interface Step {
  path: 'shadow' | 'unshadow' | 'retire';
  operationId: string;
  summary: string;
  description: string;
}

const STEPS: readonly Step[] = [
  {
    path: 'shadow',
    operationId: 'shadowPolicy',
    summary: 'Run a draft in shadow',
    description:
      'From now on it decides beside the policy in force and tells nobody. At most three policies of a tenant ' +
      'are in shadow at a time.',
  },
  {
    path: 'unshadow',
    operationId: 'unshadowPolicy',
    summary: 'Take a policy out of shadow',
    description: 'It is a draft again, and can be edited.',
  },
  {
    path: 'retire',
    operationId: 'retirePolicy',
    summary: 'Retire a draft or a shadow',
    description: 'It stays to be looked at. The policy in force is retired by its successor alone.',
  },
];

function registerStep(app: App, policies: PoliciesService, { path, ...described }: Step): void {
  const take = (context: Context, target: Parameters<PoliciesService['shadow']>[1]) =>
    policies[path](context, target);
  app.post(
    `/v1/policies/:id/${path}`,
    {
      config: { scope: 'policies:write' },
      schema: {
        ...described,
        tags,
        params: policyPath,
        response: responses({ 200: ref(PolicyVersion) }, 404, 409, 412),
      },
    },
    async (request, reply) => {
      const target = { ref: parsePolicyRef(request.params.id), expected: expectedVersion(request) };
      const row = await take(contextOf(request, 200, answer), target);
      return sendVersioned(request, reply, 200, toApiPolicy(row));
    },
  );
}
