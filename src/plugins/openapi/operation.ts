// Owns how one route reads in the document. Does not own the route.

import type { ProblemStatus } from '../../api/responses.js';
import type { RouteScope } from '../context.js';
import { headerReferences, PROBLEM_RESPONSES } from './components.js';
import type { JsonObject } from './references.js';

export interface DocumentedRoute {
  method: string;
  url: string;
  scope: RouteScope;
  schema: RouteSchema;
}

export interface RouteSchema {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  params?: JsonObject;
  querystring?: JsonObject;
  body?: JsonObject;
  response: Record<string, JsonObject>;
}

export function pathOf(url: string): string {
  return url.replaceAll(/:([A-Za-z]+)/g, '{$1}');
}

export function operationOf(
  { method, url, scope, schema }: DocumentedRoute,
  shared: Record<string, unknown>,
): JsonObject {
  const codes = Object.keys(schema.response).map(Number);
  const operation: JsonObject = {
    operationId: schema.operationId,
    tags: schema.tags,
    summary: schema.summary,
    description: [schema.description ?? `${schema.summary}.`, needs(scope)].join('\n\n').trim(),
    security: securityOf(scope),
  };
  const parameters = [
    ...parametersOf('path', schema.params, shared),
    ...parametersOf('query', schema.querystring, shared),
    ...conditionsOf(method, codes),
  ];
  if (parameters.length > 0) operation.parameters = parameters;
  if (schema.body !== undefined) operation.requestBody = requestBodyOf(method, schema.body);
  operation.responses = responsesOf(method, url, schema);
  return operation;
}

function securityOf(scope: RouteScope): JsonObject[] {
  if (scope === 'public') return [];
  return scope === 'admin' ? [{ adminKey: [] }] : [{ apiKey: [] }, { jwt: [] }];
}

/** In words: a list of scopes beside a scheme that is not OAuth is allowed by OpenAPI 3.1, and by few tools. */
function needs(scope: RouteScope): string {
  return scope === 'public' || scope === 'admin' ? '' : `Needs the scope \`${scope}\`.`;
}

function parametersOf(
  place: 'path' | 'query',
  schema: JsonObject | undefined,
  shared: Record<string, unknown>,
): JsonObject[] {
  const required = (schema?.required ?? []) as string[];
  const properties = Object.entries((schema?.properties ?? {}) as Record<string, JsonObject>);
  return properties.map(([name, { description, ...property }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    description: description ?? describedBy(property, shared) ?? name,
    schema: property,
  }));
}

function describedBy({ $ref }: JsonObject, shared: Record<string, unknown>): unknown {
  if (typeof $ref !== 'string') return undefined;
  return (shared[$ref.replace(/#$/, '')] as JsonObject | undefined)?.description;
}

function conditionsOf(method: string, codes: number[]): JsonObject[] {
  const names: string[] = [];
  if (method === 'POST') names.push('IdempotencyKey');
  if (codes.includes(412)) names.push('IfMatch');
  if (codes.includes(304)) names.push('IfNoneMatch');
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
}

function requestBodyOf(method: string, schema: JsonObject): JsonObject {
  const types =
    method === 'PATCH' ? ['application/merge-patch+json', 'application/json'] : ['application/json'];
  return { required: true, content: Object.fromEntries(types.map((type) => [type, { schema }])) };
}

/** What the route lists, and what every route of its kind can answer besides. */
function responsesOf(method: string, url: string, schema: RouteSchema): JsonObject {
  const implied: ProblemStatus[] = [400, 401, 403, 429, 500, 503];
  if (url.includes(':')) implied.push(404);
  if (schema.body !== undefined) implied.push(413, 415);
  // A key that is used by another request at this moment, or was used for another body.
  if (method === 'POST') implied.push(409, 422, 413, 415);
  const responses: JsonObject = {};
  for (const [code, response] of Object.entries(schema.response)) {
    if (Number(code) < 400) responses[code] = successOf(Number(code), method, response, schema);
    else implied.push(Number(code) as ProblemStatus);
  }
  for (const code of [...new Set(implied)].sort((a, b) => a - b)) {
    responses[code] = { $ref: `#/components/responses/${PROBLEM_RESPONSES[code].name}` };
  }
  return responses;
}

const SUCCESSES: Record<number, string> = {
  200: 'Done.',
  201: 'Created.',
  202: 'Accepted; the work goes on.',
  204: 'Done; there is nothing to show.',
  207: 'Each item has a status of its own.',
  304: 'Not modified.',
};

function successOf(code: number, method: string, response: JsonObject, schema: RouteSchema): JsonObject {
  const headers: string[] = [];
  if (schema.response[304] !== undefined || schema.response[412] !== undefined) headers.push('ETag');
  if (method === 'POST') headers.push('Idempotency-Replayed');
  const success: JsonObject = {
    description:
      typeof response.description === 'string' ? response.description : (SUCCESSES[code] ?? 'Done.'),
    headers: headerReferences(headers),
  };
  if (response.type !== 'null') success.content = { 'application/json': { schema: response } };
  return success;
}
