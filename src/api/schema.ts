// Owns how API schemas are written: shared ones by name, references to them, and what a route's handler
// knows of its input and output. Does not own any shape (shapes.ts) nor the checking (plugins/validation).

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import Type, { type Static, type TSchema, type TUnsafe } from 'typebox';

/** A schema that has a name of its own in the OpenAPI document. Register it once with `app.addSchema`. */
export type Shared<T extends TSchema = TSchema> = T & { $id: string };

/** Names a schema. Names are global: they become `#/components/schemas/<id>`. */
export function shared<T extends TSchema>(id: string, schema: T): Shared<T> {
  return Object.assign(schema, { $id: id });
}

/**
 * Refers to a shared schema by name and keeps its static type: a plain `$ref` would be `unknown` to the
 * compiler, since the registry is known at run time only.
 */
export function ref<T extends TSchema>(
  schema: Shared<T>,
  options: { description?: string } = {},
): TUnsafe<Static<T>> {
  return Type.Unsafe<Static<T>>({ $ref: `${schema.$id}#`, ...options });
}

export function nullable<T extends TSchema>(schema: T, options: { description?: string } = {}) {
  return Type.Union([schema, Type.Null()], options);
}

/** One of a list of strings, written as `enum`, which reads better in a document than a union of constants. */
export function choice<const T extends readonly string[]>(
  values: T,
  options: { description?: string; default?: T[number] } = {},
): TUnsafe<T[number]> {
  return Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...options });
}

/** An object that knows all its fields; what it does not know is a fault, never dropped in silence. */
export function closed<T extends Record<string, TSchema>>(
  properties: T,
  options: { description?: string } = {},
) {
  return Type.Object(properties, { additionalProperties: false, ...options });
}

/** Handlers have the static types of their schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse<IncomingMessage>,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** A module's routes. It registers its shared schemas and its routes on the one instance. */
export type RouteModule = (app: App) => void | Promise<void>;
