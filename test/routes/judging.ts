// Whether an answer is one that the document promises: what is wrong with it, in words.

import type { LightMyRequestResponse } from 'fastify';
import type { Api, Operation } from './operations.js';

/** Faults of the address, for which there is no place to point at. */
const POINTLESS = ['malformed_url'];
const PROBLEM = { $ref: '#/components/schemas/Problem' };

interface Problem {
  status: number;
  code: string;
  detail: string;
  errors?: { pointer: string; detail: string }[];
}

export interface Judged {
  api: Api;
  operation: Operation;
  answer: LightMyRequestResponse;
  /** What was sent as a JSON value; undefined for what was none. */
  sent: unknown;
}

export function faultsIn({ api, operation, answer, sent }: Judged): string[] {
  const { statusCode: status } = answer;
  if (status >= 500) return [`${status}: ${answer.body}`];
  if (!operation.responses.has(status)) return [`${status} is not documented: ${answer.body.slice(0, 300)}`];
  if (answer.headers['x-request-id'] === undefined) return ['an answer without a request id'];
  return status >= 400 ? problemFaults(api, answer, sent) : successFaults(api, operation, answer);
}

function successFaults(api: Api, { responses }: Operation, answer: LightMyRequestResponse): string[] {
  const documented = responses.get(answer.statusCode);
  if (documented === null || documented === undefined)
    return answer.body === '' ? [] : ['a body where none is documented'];
  const faults: string[] = [];
  const type = String(answer.headers['content-type']);
  if (!type.startsWith(documented.contentType)) faults.push(`${type} instead of ${documented.contentType}`);
  // What is no JSON is text.
  const body: unknown = /[/+]json/.test(type) ? answer.json() : answer.body;
  const misfit = api.fault(documented.schema, body);
  if (misfit !== undefined) faults.push(`does not fit its schema: ${misfit}: ${answer.body.slice(0, 500)}`);
  for (const [index, { problem }] of itemsOf(body).entries()) {
    if (problem !== undefined)
      faults.push(...pointless(problem, (pointer) => pointer.startsWith(`/items/${index}`)));
  }
  return faults;
}

function problemFaults(api: Api, answer: LightMyRequestResponse, sent: unknown): string[] {
  if (answer.headers['content-type'] !== 'application/problem+json')
    return [`a problem as ${answer.headers['content-type']}`];
  const problem = answer.json() as Problem;
  const misfit = api.fault(PROBLEM, problem);
  if (misfit !== undefined) return [`no problem document: ${misfit}: ${answer.body}`];
  const faults: string[] = [];
  if (problem.status !== answer.statusCode) faults.push(`says ${problem.status} and is ${answer.statusCode}`);
  const isOfRequest = problem.status === 400 && !POINTLESS.includes(problem.code);
  if (isOfRequest) faults.push(...pointless(problem, (pointer) => leadsSomewhere(pointer, sent)));
  return faults;
}

/** A fault of a body names its place, and that is one that the sender can find. */
function pointless({ code, errors = [] }: Problem, isPlace: (pointer: string) => boolean): string[] {
  if (errors.length === 0) return [`${code} points at nothing`];
  return errors
    .filter(({ pointer }) => !isPlace(pointer))
    .map(({ pointer }) => `${code} points at '${pointer}'`);
}

function leadsSomewhere(pointer: string, sent: unknown): boolean {
  if (/^\/(?:query|path|header)\//.test(pointer)) return true;
  const keys = pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  let value = sent;
  // The last one may be what is missing.
  for (const key of keys.slice(0, -1)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false;
    value = (value as Record<string, unknown>)[key];
  }
  return keys.length === 0 || (typeof value === 'object' && value !== null);
}

function itemsOf(body: unknown): { status: number; problem?: Problem }[] {
  const { results } = (body ?? {}) as { results?: { status: number; problem?: Problem }[] };
  return Array.isArray(results) ? results : [];
}
