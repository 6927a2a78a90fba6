// Where an operation takes the name of something, by its schemas: a path parameter, a reference, an id, an
// external id, an e-mail address or a phone number.

import { type Api, type JsonSchema, type Operation, parametersIn } from './operations.js';

/** Into a call: `body`, `query` or `params`, then keys; `*` for any item of a list. */
export type Place = readonly string[];

const NAMING_SCHEMAS = ['CustomerRef', 'OrderRef', 'Uuid', 'ExternalId', 'Namespace'];
const NAMING_FIELDS = /^(?:email|phone|.*Ids?|.*Refs?)$/;

export function referencesOf(api: Api, operation: Operation): Place[] {
  // What is chosen from a list that everybody has is no name.
  const found: Place[] = parametersIn(operation, 'path')
    .filter(({ schema }) => api.resolve(schema).enum === undefined)
    .map(({ name }) => ['params', name]);
  for (const { name, schema } of parametersIn(operation, 'query')) {
    if (isNaming(schema, name)) found.push(['query', name]);
  }
  if (operation.body !== null) collect(api, { schema: operation.body, place: ['body'], seen: [] }, found);
  return found;
}

export function valuesAt(value: unknown, [key, ...rest]: Place): unknown[] {
  if (key === undefined) return value === undefined ? [] : [value];
  if (typeof value !== 'object' || value === null) return [];
  if (key === '*') return Array.isArray(value) ? value.flatMap((item) => valuesAt(item, rest)) : [];
  return valuesAt((value as Record<string, unknown>)[key], rest);
}

interface Visit {
  schema: JsonSchema;
  place: Place;
  /** References on the way here: a schema may contain itself. */
  seen: readonly string[];
}

function collect(api: Api, { schema, place, seen }: Visit, found: Place[]): void {
  const key = place.findLast((part) => part !== '*') ?? '';
  if (isNaming(schema, key) && !isContainer(api.resolve(schema))) {
    found.push(place);
    return;
  }
  const { $ref } = schema;
  if (typeof $ref === 'string') {
    if (NAMING_SCHEMAS.some((name) => $ref.endsWith(`/${name}`))) found.push(place);
    else if (!seen.includes($ref))
      collect(api, { schema: api.resolve(schema), place, seen: [...seen, $ref] }, found);
    return;
  }
  for (const branch of [schema.anyOf, schema.oneOf, schema.allOf].flat()) {
    if (branch !== undefined) collect(api, { schema: branch as JsonSchema, place, seen }, found);
  }
  if (schema.items !== undefined)
    collect(api, { schema: schema.items as JsonSchema, place: [...place, '*'], seen }, found);
  for (const [name, property] of Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>)) {
    collect(api, { schema: property, place: [...place, name], seen }, found);
  }
}

function isNaming({ $ref }: JsonSchema, key: string): boolean {
  if (typeof $ref === 'string') return NAMING_SCHEMAS.some((name) => $ref.endsWith(`/${name}`));
  return NAMING_FIELDS.test(key);
}

/** What holds names is looked into; only what is itself a name is one. */
function isContainer({ anyOf, oneOf, allOf, items, properties }: JsonSchema): boolean {
  return [anyOf, oneOf, allOf, items, properties].some((part) => part !== undefined);
}
