// The operations of the OpenAPI document, as the tests see them that no route can escape: whatever is
// documented is walked, and a route that is not documented does not start.

import type { FastifyInstance } from 'fastify';
import { Compile } from 'typebox/compile';
import { SCOPES, type Scope } from '../../src/context.js';

export type JsonSchema = { [keyword: string]: unknown };
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  schema: JsonSchema;
}

export interface Operation {
  id: string;
  method: Method;
  /** With `{name}` for its parameters. */
  path: string;
  scope: Scope | 'admin' | 'public';
  parameters: Parameter[];
  /** Null where it takes no body. */
  body: JsonSchema | null;
  /** By status; null for an answer without a body. */
  responses: Map<number, Documented | null>;
}

export interface Documented {
  contentType: string;
  schema: JsonSchema;
}

export interface Api {
  operations: Operation[];
  /** The body that a webhook has, by type of event. */
  webhooks: Map<string, JsonSchema>;
  /** Follows references until the schema itself. */
  resolve(schema: JsonSchema): JsonSchema;
  /** What is wrong with a value; undefined where it fits. */
  fault(schema: JsonSchema, value: unknown): string | undefined;
}

const REFERENCE = '#/components/';
const METHODS: Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

export function apiOf(app: FastifyInstance): Api {
  const document = app.openapi() as JsonSchema;
  const at = (reference: string): JsonSchema => {
    const [section = '', name = ''] = reference.slice(REFERENCE.length).split('/');
    const found = part(part(document.components)[section])[name];
    if (found === undefined) throw new Error(`the document has nothing at ${reference}`);
    return part(found);
  };
  const resolve = (schema: JsonSchema): JsonSchema => {
    return typeof schema.$ref === 'string'
      ? resolve({ ...at(schema.$ref), ...without(schema, '$ref') })
      : schema;
  };
  const operations = Object.entries(part(document.paths)).flatMap(([path, item]) =>
    METHODS.filter((method) => part(item)[method.toLowerCase()] !== undefined).map((method) =>
      operationOf({ method, path, item: part(part(item)[method.toLowerCase()]), resolve }),
    ),
  );
  const webhooks = Object.entries(part(document.webhooks)).map(([type, item]) => {
    return [type, bodyOf(part(part(item).post))] as const;
  });
  return {
    operations,
    webhooks: new Map(webhooks),
    resolve,
    fault: faultFinder(part(part(document.components).schemas)),
  };
}

/** The documented query and path parameters; the header ones are the same everywhere. */
export function parametersIn(operation: Operation, place: Parameter['in']): Parameter[] {
  return operation.parameters.filter((parameter) => parameter.in === place);
}

interface Source {
  method: Method;
  path: string;
  item: JsonSchema;
  resolve: (schema: JsonSchema) => JsonSchema;
}

function operationOf({ method, path, item, resolve }: Source): Operation {
  const parameters = (item.parameters ?? []) as JsonSchema[];
  const responses = Object.entries(part(item.responses)).map(([status, response]) => {
    return [Number(status), documented(resolve(part(response)))] as const;
  });
  return {
    id: String(item.operationId),
    method,
    path,
    scope: scopeOf(item),
    parameters: parameters.map((parameter) => resolve(parameter) as unknown as Parameter),
    body: item.requestBody === undefined ? null : bodyOf(item),
    responses: new Map(responses),
  };
}

function bodyOf({ requestBody }: JsonSchema): JsonSchema {
  return part(part(part(part(requestBody).content)['application/json']).schema);
}

function documented(response: JsonSchema): Documented | null {
  const [entry] = Object.entries(part(response.content ?? {}));
  return entry === undefined ? null : { contentType: entry[0], schema: part(part(entry[1]).schema) };
}

/** The document says it in words, a list of scopes beside a bearer scheme being read by few tools. */
function scopeOf({ operationId, security, description }: JsonSchema): Operation['scope'] {
  const schemes = (security as JsonSchema[]).flatMap((entry) => Object.keys(entry));
  if (schemes.length === 0) return 'public';
  if (schemes.includes('adminKey')) return 'admin';
  const named = /Needs the scope `([a-z_:]+)`\./.exec(String(description))?.[1];
  const scope = SCOPES.find((known) => known === named);
  if (scope === undefined) throw new Error(`${String(operationId)} does not say which scope it needs`);
  return scope;
}

/** Schemas are compiled once each: the fuzz asks thousands of times. */
function faultFinder(schemas: JsonSchema): Api['fault'] {
  const context = Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [`${REFERENCE}schemas/${name}`, part(schema)]),
  );
  const compiled = new Map<JsonSchema, ReturnType<typeof Compile>>();
  return (schema, value) => {
    const known = compiled.get(schema);
    const validator = known ?? Compile(context, schema);
    if (known === undefined) compiled.set(schema, validator);
    if (validator.Check(value)) return undefined;
    const faults = validator.Errors(value).slice(0, 3);
    return (
      faults.map(({ instancePath, message }) => `${instancePath || '/'} ${message}`).join('; ') ||
      'does not fit'
    );
  };
}

function part(value: unknown): JsonSchema {
  if (typeof value !== 'object' || value === null)
    throw new Error('the document is not shaped like OpenAPI 3.1');
  return value as JsonSchema;
}

function without(schema: JsonSchema, keyword: string): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== keyword));
}
