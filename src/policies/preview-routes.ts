// Owns the routes of previews: asking for one, and how far it is.

import { responses } from '../api/responses.js';
import { type App, closed, ref } from '../api/schema.js';
import { Uuid } from '../api/shapes.js';
import { contextOf } from '../plugins/context.js';
import { fromApiTerms, policyPath } from './policy-schemas.js';
import { PolicyPreview, PolicyPreviewInput, PREVIEW_SCHEMAS, toApiPreview } from './preview-schemas.js';
import { type PoliciesService, type PreviewRow, parsePolicyRef } from './service.js';

const tags = ['Policies'];

export function previewRoutesOf(app: App, { previews }: PoliciesService): void {
  for (const schema of PREVIEW_SCHEMAS) app.addSchema(schema);
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
          'preview until it is done.',
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
