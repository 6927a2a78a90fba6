// Owns the renaming of references: `Id#`, as the routes write it, to its place in the document; and which
// places are referred to. Does not own what stands there.

import { ITEMWISE } from '../../api/batch.js';

export type JsonObject = { [key: string]: unknown };

/** A copy for the document. Ids go, a schema's place being its name, and so do notes to our own validator. */
export function toDocument(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toDocument);
  if (typeof value !== 'object' || value === null) return value;
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

/** Every component that `content` refers to, directly or through other components. */
export function collectReferences(content: unknown, components: Record<string, JsonObject>): Set<string> {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { $ref } = value as { $ref?: unknown };
    if (typeof $ref === 'string' && !found.has($ref)) {
      found.add($ref);
      const [section = '', name = ''] = $ref.split('/').slice(2);
      const target = components[section]?.[name];
      if (target === undefined) throw new Error(`nothing is registered as ${$ref}`);
      visit(target);
    }
    for (const part of Object.values(value)) visit(part);
  };
  visit(content);
  return found;
}
