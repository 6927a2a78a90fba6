// Owns the last step to the OpenAPI document, from what the generator has made of the routes: operations
// completed, everything in order, shared schemas as the requests are checked by them. Pure. Does not own how
// a route reads (route.ts, operation.ts) nor the serving (plugin.ts).

import { completeOperation, type Operation } from './operation.js';
import { type JsonObject, toDocument } from './sealing.js';

export interface Generated extends JsonObject {
  paths: Record<string, Record<string, Operation>>;
  webhooks?: JsonObject;
  components: Record<string, JsonObject>;
}

/** `schemas` are all that are registered, by id; only those that are referred to appear. */
export function finishDocument(generated: Generated, schemas: Record<string, unknown>): JsonObject {
  const { paths, webhooks = {}, components, ...rest } = generated;
  assertUniqueOperationIds(paths);
  const content = toDocument({ paths: inOrder(paths), webhooks }) as JsonObject;
  const known = toDocument({ ...components, schemas }) as Record<string, JsonObject>;
  return { ...rest, ...content, components: used(known, content) };
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

function inOrder(paths: Generated['paths']): JsonObject {
  const items = Object.keys(paths)
    .sort()
    .map((path) => {
      const operations = METHODS.flatMap((method) => {
        const operation = paths[path]?.[method];
        return operation === undefined ? [] : [[method, completeOperation(method, operation)]];
      });
      return [path, Object.fromEntries(operations)];
    });
  return Object.fromEntries(items);
}

function assertUniqueOperationIds(paths: Generated['paths']): void {
  const seen = new Set<string>();
  for (const { operationId } of Object.values(paths).flatMap((item) => Object.values(item))) {
    if (seen.has(operationId)) throw new Error(`two routes have the operationId '${operationId}'`);
    seen.add(operationId);
  }
}

/** What nothing refers to is left out: a client generator would make dead code of it. */
function used(known: Record<string, JsonObject>, content: JsonObject): JsonObject {
  const components: Record<string, JsonObject> = { securitySchemes: known.securitySchemes ?? {} };
  for (const reference of [...collectReferences(content, known)].sort()) {
    const [section, name] = placeIn(reference);
    components[section] = { ...components[section], [name]: known[section]?.[name] };
  }
  return Object.fromEntries(Object.entries(components).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Every component that `content` refers to, directly or through other components. */
function collectReferences(content: unknown, known: Record<string, JsonObject>): Set<string> {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { $ref } = value as JsonObject;
    if (typeof $ref === 'string' && !found.has($ref)) {
      found.add($ref);
      const [section, name] = placeIn($ref);
      const target = known[section]?.[name];
      if (target === undefined) throw new Error(`nothing is registered as ${$ref}`);
      visit(target);
    }
    for (const part of Object.values(value)) visit(part);
  };
  visit(content);
  return found;
}

/** `#/components/<section>/<name>` */
function placeIn(reference: string): [section: string, name: string] {
  const [, , section = '', name = ''] = reference.split('/');
  return [section, name];
}
