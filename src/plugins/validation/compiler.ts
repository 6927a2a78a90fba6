// Owns the step from a route's schemas to its checks, which happens once, at the start. Does not own the
// shapes (api/) or how faults read (faults.ts). Nothing is coerced in a body and nothing is ever dropped.

import { Compile } from 'typebox/compile';
import { ITEMWISE } from '../../api/batch.js';
import { InvalidError } from '../../errors.js';
import { queryConverter } from './convert.js';
import { findFaults, type Subject } from './faults.js';
import { assertFormatsKnown, registerFormats } from './formats.js';
import { createInliner, type Inliner } from './inline.js';
import type { JsonSchema, Registry } from './json-schema.js';

interface ValidationRoute {
  schema: unknown;
  method?: string;
  url?: string;
  /** Null where a route compiles a schema for a part of its body. */
  httpPart?: string | null;
}

type Outcome = { value: unknown } | { error: InvalidError };
type Check = (value: unknown) => Outcome;

const POINTER_PREFIXES: Record<string, string> = {
  body: '',
  querystring: '/query',
  params: '/path',
  headers: '/header',
};

/** For Fastify's `compilersFactory.buildValidator`. */
export function createValidatorBuilder() {
  registerFormats();
  const inlinerOf = createInlinerCache();
  return (sharedSchemas: unknown) => {
    const inliner = inlinerOf(sharedSchemas);
    return (route: ValidationRoute): Check => checkFor(route, inliner);
  };
}

/**
 * Fastify asks for a compiler anew at every route, though all schemas are registered by then, and to read them
 * takes 5 ms. They are only ever added, so their number says whether they are still the same.
 */
export function createInlinerCache(): (sharedSchemas: unknown) => Inliner {
  let known: { size: number; inliner: Inliner } | undefined;
  return (sharedSchemas) => {
    const size = Object.keys(sharedSchemas as Registry).length;
    if (known?.size !== size) known = { size, inliner: createInliner(registryOf(sharedSchemas as Registry)) };
    return known.inliner;
  };
}

/** References name a schema as `Id#`, which is the key they are found by. */
function registryOf(sharedSchemas: Registry): Registry {
  const registry: Registry = {};
  for (const [id, schema] of Object.entries(sharedSchemas)) {
    assertFormatsKnown(schema, id);
    registry[`${id}#`] = leaveItems(schema);
  }
  return registry;
}

/** The items of a batch are left to its route, which checks them one by one (api/batch). */
function leaveItems(schema: JsonSchema): JsonSchema {
  const properties = schema.properties as Record<string, JsonSchema> | undefined;
  if (properties === undefined) return schema;
  const left = Object.entries(properties).map(([name, property]) => {
    return [name, property[ITEMWISE] === true ? { ...property, items: {} } : property];
  });
  return { ...schema, properties: Object.fromEntries(left) };
}

/** A compiled check of one schema. */
export function compile(schema: unknown, inliner: Inliner, where: string) {
  return Compile(inliner.recursive, inliner.inline(schema, where));
}

function checkFor({ schema, method, url, ...route }: ValidationRoute, inliner: Inliner): Check {
  const httpPart = route.httpPart ?? 'body';
  const where = `${method} ${url} ${httpPart}`;
  assertFormatsKnown(schema, where);
  const validator = compile(schema, inliner, where);
  const inlined = inliner.inline(schema, where);
  const pointer = POINTER_PREFIXES[httpPart] ?? '';
  const convert = httpPart === 'body' ? undefined : queryConverter(inlined);
  return (received) => {
    const value = convert === undefined ? received : convert(received);
    if (validator.Check(value)) return { value };
    if (received === null && httpPart === 'body') return { error: bodyRequired() };
    return { error: invalid({ schema: inlined, value, pointer }, inliner) };
  };
}

function invalid(subject: Subject, { recursive }: Inliner): InvalidError {
  const found = findFaults(subject, recursive);
  const faults = found.length > 0 ? found : [{ pointer: subject.pointer, detail: 'does not fit its schema' }];
  const [first] = faults;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  return new InvalidError('invalid_request', `${first?.pointer || 'The body'} ${first?.detail}${more}.`, {
    faults,
  });
}

function bodyRequired(): InvalidError {
  const detail = 'must be a JSON document';
  return new InvalidError('body_required', 'This needs a JSON body.', { faults: [{ pointer: '', detail }] });
}
