// Owns the passage of schemas through the generator of the document, and their form in it. The generator
// rewrites what it can read: `patternProperties` become `additionalProperties`, and what stands beside a `$ref`
// is dropped, though both are good JSON Schema 2020-12, which is what OpenAPI 3.1 takes. So it is handed
// schemas as texts, and the texts are opened again in what it has made. Does not own what the schemas say.

import { ITEMWISE } from '../../api/batch.js';

export type JsonObject = { [key: string]: unknown };

const SEALED = 'x-sealed';

/** A schema that the generator takes for one without keywords. */
export function sealed(schema: unknown): JsonObject {
  return { [SEALED]: JSON.stringify(schema) };
}

/**
 * A copy for the document: sealed schemas are opened, references lead into the document. Ids go, a schema's
 * place being its name, and so do notes to our own validator.
 */
export function toDocument(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toDocument);
  if (typeof value !== 'object' || value === null) return value;
  const { [SEALED]: text } = value as JsonObject;
  if (typeof text === 'string') return toDocument(JSON.parse(text));
  const copy: JsonObject = {};
  for (const [key, part] of Object.entries(value)) {
    if (key === '$id' || key === ITEMWISE || part === undefined) continue;
    copy[key] = key === '$ref' && typeof part === 'string' ? placeOf(part) : toDocument(part);
  }
  return copy;
}

function placeOf(reference: string): string {
  return reference.startsWith('#') ? reference : `#/components/schemas/${reference.replace(/#$/, '')}`;
}
