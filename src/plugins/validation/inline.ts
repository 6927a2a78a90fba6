// Owns putting referred schemas in the place of their references, before a check is compiled. Does not own
// the document, where references stay. The library resolves a reference anew each time it looks for faults
// (40 µs, for every failing item of a batch), and compiles slowly with them: a second for all routes.

import type { JsonSchema, Registry } from './json-schema.js';

export interface Inliner {
  /** What `schema` means, without references but for those of a schema to itself. `where` is for errors. */
  inline(schema: unknown, where: string): JsonSchema;
  /** The schemas that lead back to themselves, by their references; all else in them is written out. */
  recursive: Registry;
}

/** Throws, also later in `inline`, where nothing is registered under a name: that is a slip of ours. */
export function createInliner(registry: Registry): Inliner {
  const recursive: Registry = {};
  const written = new Map<string, JsonSchema>();
  const inline = (part: unknown, where: string): unknown => {
    if (Array.isArray(part)) return part.map((item) => inline(item, where));
    if (typeof part !== 'object' || part === null) return part;
    const { $ref } = part as { $ref?: unknown };
    if (typeof $ref !== 'string') return mapValues(part, (value) => inline(value, where));
    if (registry[$ref] === undefined)
      throw new Error(`${where}: no shared schema is registered as '${$ref}'`);
    if ($ref in recursive) return { $ref };
    const known = written.get($ref);
    if (known !== undefined) return known;
    const { $id: _, ...content } = registry[$ref];
    const inlined = inline(content, where) as JsonSchema;
    written.set($ref, inlined);
    return inlined;
  };
  const names = namesThatLeadBack(registry);
  // All names first: where two lead to each other, each must be known for what it is.
  for (const name of names) recursive[name] = {};
  for (const name of names) recursive[name] = inline(registry[name], name) as JsonSchema;
  return { inline: (schema, where) => inline(schema, where) as JsonSchema, recursive };
}

function namesThatLeadBack(registry: Registry): string[] {
  const targets = new Map(Object.entries(registry).map(([name, schema]) => [name, referencesIn(schema)]));
  const reachable = (name: string, seen: Set<string>): Set<string> => {
    for (const target of targets.get(name) ?? []) {
      if (seen.has(target)) continue;
      seen.add(target);
      reachable(target, seen);
    }
    return seen;
  };
  return [...targets.keys()].filter((name) => reachable(name, new Set()).has(name));
}

function referencesIn(schema: unknown, found = new Set<string>()): Set<string> {
  if (typeof schema !== 'object' || schema === null) return found;
  const { $ref } = schema as { $ref?: unknown };
  if (typeof $ref === 'string') found.add($ref);
  for (const part of Object.values(schema)) referencesIn(part, found);
  return found;
}

function mapValues(record: object, map: (value: unknown) => unknown): JsonSchema {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
