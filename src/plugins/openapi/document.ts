// Owns the OpenAPI document: it is put together from the schemas that the routes are checked by, so that the
// two cannot differ. Our schemas are JSON Schema 2020-12, which OpenAPI 3.1 takes as it is: only references
// are renamed. (The usual generator rewrites schemas for 3.0 on the way and loses `patternProperties` and
// whatever stands beside a `$ref`.) Does not own the serving (plugin.ts).

import { HEADERS, PARAMETERS, problemResponses, SECURITY_SCHEMES } from './components.js';
import { INFO, SERVERS, TAGS } from './info.js';
import { type DocumentedRoute, operationOf, pathOf } from './operation.js';
import { collectReferences, type JsonObject, toDocument } from './references.js';
import { type WebhookEntry, webhookOf } from './webhooks.js';

export interface DocumentSource {
  routes: readonly DocumentedRoute[];
  /** All registered shared schemas by id; only those that are referred to appear. */
  schemas: Record<string, unknown>;
  webhooks: readonly WebhookEntry[];
}

export function buildDocument({ routes, schemas, webhooks }: DocumentSource): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const route of [...routes].sort(byPathAndMethod)) {
    const path = pathOf(route.url);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, schemas) };
  }
  assertUniqueOperationIds(routes);
  const webhookItems = Object.fromEntries(webhooks.map((entry) => [entry.type, webhookOf(entry)]));
  const content = toDocument({ paths, webhooks: webhookItems }) as JsonObject;
  return {
    openapi: '3.1.0',
    info: INFO,
    servers: SERVERS,
    tags: tagsOf(routes, webhooks.length > 0),
    security: [{ apiKey: [] }, { jwt: [] }],
    ...content,
    components: componentsOf(content, schemas),
  };
}

/** What nothing refers to is left out: a client generator would make dead code of it. */
function componentsOf(content: JsonObject, schemas: Record<string, unknown>): JsonObject {
  const known: Record<string, JsonObject> = {
    schemas: toDocument(schemas) as JsonObject,
    responses: toDocument(problemResponses()) as JsonObject,
    parameters: PARAMETERS,
    headers: HEADERS,
  };
  const components: JsonObject = { securitySchemes: SECURITY_SCHEMES };
  const wanted = [...collectReferences(content, known)].sort();
  for (const reference of wanted) {
    const [section, name] = reference.split('/').slice(2) as [string, string];
    components[section] = { ...(components[section] as JsonObject), [name]: known[section]?.[name] };
  }
  return Object.fromEntries(Object.entries(components).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const METHOD_ORDER = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

function byPathAndMethod(a: DocumentedRoute, b: DocumentedRoute): number {
  if (a.url !== b.url) return pathOf(a.url) < pathOf(b.url) ? -1 : 1;
  return METHOD_ORDER.indexOf(a.method) - METHOD_ORDER.indexOf(b.method);
}

function assertUniqueOperationIds(routes: readonly DocumentedRoute[]): void {
  const seen = new Set<string>();
  for (const { schema } of routes) {
    if (seen.has(schema.operationId))
      throw new Error(`two routes have the operationId '${schema.operationId}'`);
    seen.add(schema.operationId);
  }
}

/** Known tags in the order of their list, which is the order to read them in; a new one goes last. */
function tagsOf(routes: readonly DocumentedRoute[], hasWebhooks: boolean): JsonObject[] {
  const used = new Set(routes.flatMap(({ schema }) => schema.tags));
  if (hasWebhooks) used.add('Webhooks');
  const known = TAGS.filter(({ name }) => used.has(name));
  const others = [...used].filter((name) => !TAGS.some((tag) => tag.name === name)).sort();
  return [...known, ...others.map((name) => ({ name, description: `${name}.` }))];
}
