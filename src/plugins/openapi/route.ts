// Owns how one route is told to the generator of the document: its own schema, with who may call it added, and
// with the parts that the generator would lose something of sealed. Does not own the route, nor what every
// operation answers besides (operation.ts).

import type { FastifySchema, RouteOptions } from 'fastify';
import type { RouteScope } from '../context.js';
import { SECURITY } from './info.js';
import { type JsonObject, sealed } from './sealing.js';

/** A route without a name, a summary or its answers would be a hole in the document: it stops the start. */
export function assertDocumented({ method, url, schema }: RouteOptions): void {
  if (schema?.hide === true || method === 'HEAD') return;
  const where = `${String(method)} ${url}`;
  const { operationId, tags, summary, response } = schema ?? {};
  if (operationId === undefined || tags === undefined || summary === undefined || response === undefined) {
    throw new Error(`${where} needs an operationId, tags, a summary and responses, or \`hide: true\``);
  }
  if (typeof method !== 'string') throw new Error(`${where} must have one method`);
}

/** `shared` are the registered schemas by id. */
export function describeRoute(
  { method, config, schema = {} }: Pick<RouteOptions, 'method' | 'config' | 'schema'>,
  shared: Record<string, unknown>,
): FastifySchema {
  if (schema.hide === true) return schema;
  const scope = config?.scope ?? 'public';
  return {
    ...schema,
    description: [schema.description ?? `${schema.summary}.`, needs(scope)].join('\n\n').trim(),
    security: securityOf(scope),
    consumes:
      method === 'PATCH' ? ['application/merge-patch+json', 'application/json'] : ['application/json'],
    params: parametersOf(schema.params, shared),
    querystring: parametersOf(schema.querystring, shared),
    body: schema.body && sealed(schema.body),
    response: Object.fromEntries(Object.entries(schema.response ?? {}).map(responseOf)),
  };
}

function securityOf(scope: RouteScope): typeof SECURITY {
  if (scope === 'public') return [];
  return scope === 'admin' ? [{ adminKey: [] }] : SECURITY;
}

/** In words: a list of scopes beside a scheme that is not OAuth is allowed by OpenAPI 3.1, and by few tools. */
function needs(scope: RouteScope): string {
  return scope === 'public' || scope === 'admin' ? '' : `Needs the scope \`${scope}\`.`;
}

/** A parameter's description stands beside its schema, not in it. */
function parametersOf(schema: unknown, shared: Record<string, unknown>): JsonObject | undefined {
  if (schema === undefined) return undefined;
  const { properties = {}, required = [] } = schema as {
    properties?: Record<string, JsonObject>;
  } & JsonObject;
  const entries = Object.entries(properties).map(([name, { description, ...property }]) => {
    const words = description ?? describedBy(property, shared) ?? name;
    return [name, { ...sealed(property), description: words }];
  });
  return { type: 'object', required, properties: Object.fromEntries(entries) };
}

function describedBy({ $ref }: JsonObject, shared: Record<string, unknown>): unknown {
  if (typeof $ref !== 'string') return undefined;
  return (shared[$ref.replace(/#$/, '')] as JsonObject | undefined)?.description;
}

const SUCCESSES: Record<string, string> = {
  200: 'Done.',
  201: 'Created.',
  202: 'Accepted; the work goes on.',
  204: 'Done; there is nothing to show.',
  207: 'Each item has a status of its own.',
  304: 'Not modified.',
};

function responseOf([code, schema]: [string, JsonObject]): [string, JsonObject] {
  // The type `null` is how the generator knows an answer without a body.
  const body = schema.type === 'null' ? schema : sealed(schema);
  return [code, { ...body, 'x-response-description': schema.description ?? SUCCESSES[code] ?? 'Done.' }];
}
