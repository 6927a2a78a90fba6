// Owns the routes of previews: asking for one, how far it is, and the list of them.

import { responses } from '../api/responses.js';
import { type App, closed, ref } from '../api/schema.js';
import { PAGE_LIMIT_DEFAULT, Uuid } from '../api/shapes.js';
import { contextOf } from '../plugins/context.js';
import { fromApiTerms, policyPath } from './policy-schemas.js';
import {
  PolicyPreview,
  PolicyPreviewInput,
  PolicyPreviewPage,
  PREVIEW_SCHEMAS,
  previewQuery,
  toApiPreview,
  toApiPreviewSummary,
} from './preview-schemas.js';
import { type PoliciesService, type PreviewRow, parsePolicyRef } from './service.js';

const tags = ['Policies'];

type Previews = PoliciesService['previews'];

export function previewRoutesOf(app: App, { previews }: PoliciesService): void {
  for (const schema of PREVIEW_SCHEMAS) app.addSchema(schema);
  ask(app, previews);
  list(app, previews);
  show(app, previews);
}

function ask(app: App, previews: Previews): void {
  app.post(
    '/v1/policies/:id/previews',
    {
      config: { scope: 'policies:write' },
      schema: {
        operationId: 'previewPolicy',
        tags,
        summary: 'Preview what activating a policy would do',
        description:
          'Who would move from where to where, what would be told and delivered, and where customers would go ' +
          'whom a move by hand holds. It is counted in the background and nothing of it is done: ask for the ' +
          'preview until it is done. Only a draft or a shadow can come into force: any other policy is a 409.',
        params: policyPath,
        body: ref(PolicyPreviewInput),
        response: responses({ 202: ref(PolicyPreview) }, 404, 409),
      },
    },
    async (request, reply) => {
      const answer = (row: PreviewRow) => ({ status: 202, body: toApiPreview(row) });
      const context = contextOf(request, 202, answer);
      const row = await previews.start(context, {
        ref: parsePolicyRef(request.params.id),
        ...fromApiTerms(request.body, context.now),
      });
      return reply.code(202).send(toApiPreview(row));
    },
  );
}

function list(app: App, previews: Previews): void {
  app.get(
    '/v1/policy-previews',
    {
      config: { scope: 'policies:read' },
      schema: {
        operationId: 'listPolicyPreviews',
        tags,
        summary: 'The previews that were asked for, newest first',
        description:
          'In figures, of one policy or of all: ask for one to see its moves, events and customers. A preview is ' +
          'kept for 30 days at the least, and goes when its draft is deleted.',
        querystring: previewQuery,
        response: responses({ 200: ref(PolicyPreviewPage) }),
      },
    },
    async (request) => {
      const { policyId, status, limit = PAGE_LIMIT_DEFAULT, cursor } = request.query;
      const of = policyId === undefined ? undefined : parsePolicyRef(policyId);
      const query = { ref: of, status, limit, cursor };
      const { rows, nextCursor } = await previews.list(contextOf(request), query);
      return { data: rows.map(toApiPreviewSummary), nextCursor };
    },
  );
}

function show(app: App, previews: Previews): void {
  app.get(
    '/v1/policy-previews/:id',
    {
      config: { scope: 'policies:read' },
      schema: {
        operationId: 'getPolicyPreview',
        tags,
        summary: 'A preview, and how far it is',
        params: closed({ id: ref(Uuid) }),
        response: responses({ 200: ref(PolicyPreview) }, 404),
      },
    },
    async (request, reply) => {
      const row = await previews.get(contextOf(request), request.params.id);
      return reply.send(toApiPreview(row));
    },
  );
}
