// Owns the step from the strings of a query or a path to the types that their schema asks for. Does not own
// the check: what cannot be converted stays a string, and the check then names it.

import type { JsonSchema } from './json-schema.js';

type Convert = (value: unknown) => unknown;

const INTEGER = /^(?:0|-?[1-9]\d{0,15})$/;
const NUMBER = /^-?(?:0|[1-9]\d{0,15})(?:\.\d{1,15})?$/;

const CONVERTERS: Record<string, Convert> = {
  integer: (value) => (typeof value === 'string' && INTEGER.test(value) ? Number(value) : value),
  number: (value) => (typeof value === 'string' && NUMBER.test(value) ? Number(value) : value),
  boolean: (value) => (value === 'true' ? true : value === 'false' ? false : value),
};

/**
 * Converts the named parameters in place: the parsed query belongs to this request alone. Undefined where
 * the schema wants strings only, which is every path so far.
 */
export function queryConverter(schema: JsonSchema): Convert | undefined {
  const properties = (schema.properties ?? {}) as Record<string, JsonSchema>;
  const conversions: [string, Convert][] = [];
  for (const [name, property] of Object.entries(properties)) {
    const convert = converterOf(property);
    const fallback = property.default;
    if (convert === undefined && fallback === undefined) continue;
    conversions.push([
      name,
      (value) => (value === undefined ? fallback : convert === undefined ? value : convert(value)),
    ]);
  }
  if (conversions.length === 0) return undefined;
  return (received) => {
    const query = received as Record<string, unknown>;
    for (const [name, convert] of conversions) {
      const value = convert(query[name]);
      if (value !== undefined) query[name] = value;
    }
    return query;
  };
}

function converterOf(schema: JsonSchema): Convert | undefined {
  if (schema.type !== 'array') return CONVERTERS[String(schema.type)];
  const item = CONVERTERS[String((schema.items as JsonSchema | undefined)?.type)];
  // One value of a parameter that may be repeated arrives as a plain string.
  return (value) => {
    if (value === undefined) return undefined;
    const values = Array.isArray(value) ? value : [value];
    return item === undefined ? values : values.map(item);
  };
}
