// Owns the routes of lifecycle templates, which are the same for every tenant. Does not own the templates
// (lifecycle/) nor adopting one, which is a draft (policy-routes.ts).

import Type, { type Static } from 'typebox';
import { responses } from '../api/responses.js';
import { type App, choice, closed, ref, shared } from '../api/schema.js';
import { page } from '../api/shapes.js';
import { TEMPLATE_POLICIES } from '../lifecycle/defaultPolicies.js';
import { type Lifecycle, TEMPLATE_KEYS, type TemplateKey } from '../lifecycle/stages.js';
import { LIFECYCLE_TEMPLATES } from '../lifecycle/templates.js';
import { rules } from './policy-schemas.js';

const LifecycleTemplate = shared(
  'LifecycleTemplate',
  closed(
    {
      key: choice(TEMPLATE_KEYS),
      lifecycle: Type.Unsafe<Lifecycle>({ $ref: 'Lifecycle#' }),
      policy: rules(),
    },
    {
      description:
        'A lifecycle that ships with the product, and the policy that it begins with. To edit the lifecycle, ' +
        'give a draft of the policy a `lifecycle` of its own.',
    },
  ),
);
const LifecycleTemplatePage = shared('LifecycleTemplatePage', page(ref(LifecycleTemplate)));

const tags = ['Policies'];

export function templateRoutesOf(app: App): void {
  for (const schema of [LifecycleTemplate, LifecycleTemplatePage]) app.addSchema(schema);
  app.get(
    '/v1/lifecycle-templates',
    {
      config: { scope: 'policies:read' },
      schema: {
        operationId: 'listLifecycleTemplates',
        tags,
        summary: 'The lifecycles to choose from',
        description: 'To adopt one, draft a policy from it, edit the copy, preview it and activate it.',
        response: responses({ 200: ref(LifecycleTemplatePage) }),
      },
    },
    async () => ({ data: TEMPLATE_KEYS.map(toApiTemplate), nextCursor: null }),
  );
  app.get(
    '/v1/lifecycle-templates/:key',
    {
      config: { scope: 'policies:read' },
      schema: {
        operationId: 'getLifecycleTemplate',
        tags,
        summary: 'One lifecycle template',
        params: closed({ key: choice(TEMPLATE_KEYS) }),
        response: responses({ 200: ref(LifecycleTemplate) }),
      },
    },
    async (request) => toApiTemplate(request.params.key),
  );
}

function toApiTemplate(key: TemplateKey): Static<typeof LifecycleTemplate> {
  return { key, lifecycle: LIFECYCLE_TEMPLATES[key], policy: TEMPLATE_POLICIES[key] };
}
