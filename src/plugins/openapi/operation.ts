// Owns what an operation has beyond what its route says: the headers of its answers, the conditions that it
// takes, and the problems that every operation of its kind can answer with. Does not own the route (route.ts).

import type { ProblemStatus } from '../../api/responses.js';
import { headerReferences, PROBLEM_RESPONSES } from './components.js';
import type { JsonObject } from './sealing.js';

/** An operation as the generator makes it. */
export interface Operation extends JsonObject {
  operationId: string;
  parameters?: { in: string; name: string }[];
  responses: Record<string, JsonObject>;
}

export function completeOperation(method: string, operation: Operation): JsonObject {
  const { parameters = [], responses } = operation;
  const at = (place: string) => parameters.filter((parameter) => parameter.in === place);
  const all = [...at('path'), ...at('query'), ...conditionsOf(method, responses)];
  return {
    ...operation,
    parameters: all.length > 0 ? all : undefined,
    responses: { ...successesOf(method, responses), ...problemsOf(method, operation) },
  };
}

function conditionsOf(method: string, responses: JsonObject): JsonObject[] {
  const names: string[] = [];
  if (method === 'post') names.push('IdempotencyKey');
  if ('412' in responses) names.push('IfMatch');
  if ('304' in responses) names.push('IfNoneMatch');
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
}

function successesOf(method: string, responses: Record<string, JsonObject>): JsonObject {
  const isVersioned = '304' in responses || '412' in responses;
  const successes = Object.entries(responses).filter(([code]) => Number(code) < 400);
  const completed = successes.map(([code, response]) => {
    const names: string[] = [];
    // What is deleted has no version any more.
    if (isVersioned && code !== '204') names.push('ETag');
    if (method === 'post') names.push('Idempotency-Replayed');
    return [code, { ...response, headers: headerReferences(names) }];
  });
  return Object.fromEntries(completed);
}

/** What the route lists, and what every route of its kind can answer besides. */
function problemsOf(method: string, { parameters = [], responses }: Operation): JsonObject {
  const codes = new Set([400, 401, 403, 429, 500, 503, ...Object.keys(responses).map(Number)]);
  if (parameters.some((parameter) => parameter.in === 'path')) codes.add(404);
  // A key that is used by another request at this moment, or was used for another body.
  const fromKey = method === 'post' ? [409, 422] : [];
  // A body is read wherever one is sent, but with a GET.
  const fromBody = method === 'get' ? [] : [413, 415];
  const problems = [...codes, ...fromKey, ...fromBody].filter((code) => code >= 400) as ProblemStatus[];
  return Object.fromEntries(problems.map((code) => [code, { $ref: referenceOf(code) }]));
}

function referenceOf(code: ProblemStatus): string {
  return `#/components/responses/${PROBLEM_RESPONSES[code].name}`;
}
