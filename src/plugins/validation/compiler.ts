// Owns the step from a route's schemas to its checks, which happens once, at the start. Does not own the
// shapes (api/) or how faults read (faults.ts). Nothing is coerced in a body and nothing is ever dropped.

import { Compile } from 'typebox/compile';
import { Settings } from 'typebox/system';
import { ITEMWISE } from '../../api/batch.js';
import { InvalidError } from '../../errors.js';
import { queryConverter } from './convert.js';
import { faultsOf } from './faults.js';
import { assertFormatsKnown, registerFormats } from './formats.js';
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

/** Enough to see past the branches of nested unions to the fault that matters. */
const RAW_ERRORS_MAX = 256;

/** For Fastify's `compilersFactory.buildValidator`: it is given all shared schemas, once. */
export function buildValidator(sharedSchemas: unknown): (route: ValidationRoute) => Check {
  registerFormats();
  Settings.Set({ maxErrors: RAW_ERRORS_MAX });
  const registry = registryOf(sharedSchemas);
  return (route) => checkFor(route, registry);
}

/** References name a schema as `Id#`, which is the key they are found by. */
export function registryOf(sharedSchemas: unknown): Registry {
  const registry: Registry = {};
  for (const [id, schema] of Object.entries(sharedSchemas as Registry)) {
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

function checkFor({ schema, method, url, ...route }: ValidationRoute, registry: Registry): Check {
  const httpPart = route.httpPart ?? 'body';
  const where = `${method} ${url} ${httpPart}`;
  assertFormatsKnown(schema, where);
  assertReferencesKnown(schema, registry, where);
  const validator = Compile(registry, schema as JsonSchema);
  const prefix = POINTER_PREFIXES[httpPart] ?? '';
  const convert = httpPart === 'body' ? undefined : queryConverter(schema as JsonSchema, registry);
  return (received) => {
    const value = convert === undefined ? received : convert(received);
    if (validator.Check(value)) return { value };
    if (received === null && httpPart === 'body') return { error: bodyRequired() };
    return { error: invalid(validator.Errors(value), prefix, value) };
  };
}

/** The library takes an unknown reference for a schema that nothing fits; that is a slip of ours. */
function assertReferencesKnown(schema: unknown, registry: Registry, where: string): void {
  if (typeof schema !== 'object' || schema === null) return;
  const { $ref } = schema as { $ref?: unknown };
  if (typeof $ref === 'string' && !$ref.startsWith('#') && registry[$ref] === undefined) {
    throw new Error(`${where}: no shared schema is registered as '${$ref}'`);
  }
  for (const part of Object.values(schema)) assertReferencesKnown(part, registry, where);
}

function invalid(errors: Parameters<typeof faultsOf>[0], prefix: string, value: unknown): InvalidError {
  const faults = faultsOf(errors, prefix, value);
  const first = faults[0];
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  const detail =
    first === undefined ? 'The request does not fit.' : `${first.pointer || 'The body'} ${first.detail}`;
  return new InvalidError('invalid_request', `${detail}${more}`, { faults });
}

function bodyRequired(): InvalidError {
  const detail = 'must be a JSON document';
  return new InvalidError('body_required', 'This needs a JSON body.', { faults: [{ pointer: '', detail }] });
}
