// Requests to one operation, drawn at random: good ones, and ones with one thing wrong in one of their parts.

import fc from 'fast-check';
import { RAW_BODIES, RAW_HEADERS, RAW_NAMES, RAW_QUERIES } from './junk.js';
import { spoiled } from './mutations.js';
import { type Api, type Operation, parametersIn } from './operations.js';
import { type Call, recipeOf, urlOf } from './recipes.js';
import type { Things } from './things.js';
import { hintsOf, valuesOf } from './values.js';

export interface Asked {
  url: string;
  /** A string or a buffer is sent as it stands. */
  body?: unknown;
  headers: Record<string, string>;
}

export interface AskingOptions {
  api: Api;
  operation: Operation;
  things: Things;
  now: Date;
}

export function requestsTo({ api, operation, things, now }: AskingOptions): fc.Arbitrary<Asked> {
  const hints = hintsOf(things, now);
  const usual = fc
    .nat({ max: 999 })
    .chain((number) => fc.constantFrom(...recipeOf(operation)({ ...things, fresh: `fresh-${number}` })));
  const params = Object.fromEntries(
    parametersIn(operation, 'path').map(({ name, schema }) => [
      name,
      valuesOf(api, schema, hints).map(String),
    ]),
  );
  const query = Object.fromEntries(
    parametersIn(operation, 'query').map(({ name, schema }) => [name, valuesOf(api, schema, hints)]),
  );
  const body = operation.body === null ? fc.constant(undefined) : valuesOf(api, operation.body, hints);
  const drawn = fc.record({
    params: fc.record(params),
    query: fc.record(query, { requiredKeys: [] }),
    body,
  });
  const good: fc.Arbitrary<Drawn> = fc.oneof(usual, drawn);
  const asked = (call: Drawn): Asked => ({ url: addressOf(operation, call), body: call.body, headers: {} });
  return fc.oneof(
    { weight: 4, arbitrary: good.map(asked) },
    { weight: operation.body === null ? 0 : 5, arbitrary: withBody(good, asked) },
    { weight: 1, arbitrary: withQuery(good, asked) },
    { weight: Object.keys(params).length === 0 ? 0 : 2, arbitrary: withName(operation, good) },
    { weight: operation.method === 'GET' ? 0 : 1, arbitrary: withRaw(good, asked) },
  );
}

/** A good request with each of the headers that may matter to it. */
export function withHeaders(operation: Operation, things: Things): Asked[] {
  const headers = RAW_HEADERS[operation.method === 'GET' ? 'reading' : 'changing'];
  return headers.map((extra, index) => {
    const [call] = recipeOf(operation)({ ...things, fresh: `fresh-${operation.id.toLowerCase()}-${index}` });
    return { url: urlOf(operation, call), body: call.body, headers: extra };
  });
}

interface Drawn {
  params?: Call['params'];
  query?: Record<string, unknown>;
  body?: unknown;
}

type Ask = (call: Drawn) => Asked;

function withBody(good: fc.Arbitrary<Drawn>, asked: Ask): fc.Arbitrary<Asked> {
  return good.chain((call) => spoiled(fc.constant(call.body)).map((body) => asked({ ...call, body })));
}

function withRaw(good: fc.Arbitrary<Drawn>, asked: Ask): fc.Arbitrary<Asked> {
  return fc.tuple(good, fc.constantFrom(...RAW_BODIES)).map(([call, body]) => ({ ...asked(call), body }));
}

function withQuery(good: fc.Arbitrary<Drawn>, asked: Ask): fc.Arbitrary<Asked> {
  return fc.tuple(good, fc.constantFrom(...RAW_QUERIES)).map(([call, text]) => {
    const whole = asked(call);
    return { ...whole, url: `${whole.url}${whole.url.includes('?') ? '&' : '?'}${text}` };
  });
}

function withName({ path }: Operation, good: fc.Arbitrary<Drawn>): fc.Arbitrary<Asked> {
  return fc.tuple(good, fc.constantFrom(...RAW_NAMES)).map(([{ body, params = {} }, name]) => {
    const [wrong] = Object.keys(params);
    const url = Object.entries(params).reduce((whole, [key, value]) => {
      return whole.replace(`{${key}}`, () => (key === wrong ? name : encodeURIComponent(value)));
    }, path);
    return { url, body, headers: {} };
  });
}

/** A list is sent by repeating its parameter. */
function addressOf(operation: Operation, { params, query = {} }: Drawn): string {
  const search = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((one) => `${encodeURIComponent(name)}=${encodeURIComponent(String(one))}`),
  );
  const url = urlOf(operation, { params });
  return search.length === 0 ? url : `${url}?${search.join('&')}`;
}
