// Owns finding what is wrong with a value that a compiled check has refused, one fault for each place. Does
// not own the check itself, which is the library's. The library's own search tells of every branch of a union,
// and goes on through the whole document however much it has found: one large bad body could hold up the
// process for seconds. This one stops at 20, and does not look into an array that is too long.

import Format from 'typebox/format';
import { pointerToken } from '../../api/pointer.js';
import type { Fault } from '../../errors.js';
import type { JsonSchema, Registry } from './json-schema.js';
import { allowed, amount, forbiddenPattern, typeWords } from './words.js';

const FAULTS_MAX = 20;
const POINTER_LENGTH_MAX = 1900;

export interface Subject {
  schema: JsonSchema;
  value: unknown;
  pointer: string;
}

/** Empty only where the library and this search differ, which its caller must not rely on. */
export function findFaults(subject: Subject, recursive: Registry): Fault[] {
  const search = new Search(recursive);
  search.look(subject);
  return search.faults;
}

class Search {
  readonly faults: Fault[] = [];

  constructor(
    private readonly recursive: Registry,
    private readonly faultsMax = FAULTS_MAX,
  ) {}

  look(subject: Subject): void {
    if (this.faults.length >= this.faultsMax || subject.pointer.length > POINTER_LENGTH_MAX) return;
    const schema = this.#resolve(subject.schema);
    const { value, pointer } = subject;
    const union = (schema.anyOf ?? schema.oneOf) as JsonSchema[] | undefined;
    if (union !== undefined) this.#lookInUnion(union, subject);
    for (const part of (schema.allOf ?? []) as JsonSchema[]) this.look({ schema: part, value, pointer });
    if (schema.type !== undefined && !hasType(value, schema.type)) {
      this.#add(pointer, `must be ${typeWords([schema.type].flat() as string[])}`);
    } else if ('const' in schema && value !== schema.const) {
      this.#add(pointer, `must be ${JSON.stringify(schema.const)}`);
    } else if (schema.enum !== undefined && !(schema.enum as unknown[]).includes(value)) {
      this.#add(pointer, allowed(schema.enum as unknown[]));
    } else if (typeof value === 'string') {
      this.#lookAtString(schema, value, pointer);
    } else if (typeof value === 'number') {
      this.#lookAtNumber(schema, value, pointer);
    } else if (Array.isArray(value)) {
      this.#lookAtArray(schema, value, pointer);
    } else if (typeof value === 'object' && value !== null) {
      this.#lookAtObject(schema, value as Record<string, unknown>, pointer);
    }
  }

  #resolve(schema: JsonSchema): JsonSchema {
    return typeof schema.$ref === 'string' ? (this.recursive[schema.$ref] ?? {}) : schema;
  }

  #add(pointer: string, detail: string): void {
    const told = this.faults.some((fault) => fault.pointer === pointer && fault.detail === detail);
    if (!told && this.faults.length < this.faultsMax) this.faults.push({ pointer, detail });
  }

  #lookAtString({ minLength, maxLength, pattern, format }: JsonSchema, value: string, pointer: string): void {
    const short = typeof minLength === 'number' && [...value.slice(0, 2 * minLength)].length < minLength;
    const long = typeof maxLength === 'number' && value.length > maxLength && [...value].length > maxLength;
    if (short) this.#add(pointer, `must have at least ${amount(minLength, 'character')}`);
    else if (long) this.#add(pointer, `must have at most ${amount(maxLength, 'character')}`);
    else if (typeof format === 'string' && !Format.Test(format, value))
      this.#add(pointer, `must be a valid ${format}`);
    else if (typeof pattern === 'string' && !patternOf(pattern).test(value)) {
      this.#add(pointer, forbiddenPattern(pattern));
    }
  }

  #lookAtNumber(schema: JsonSchema, value: number, pointer: string): void {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema as Record<
      string,
      number | undefined
    >;
    if (minimum !== undefined && value < minimum) this.#add(pointer, `must be at least ${minimum}`);
    else if (maximum !== undefined && value > maximum) this.#add(pointer, `must be at most ${maximum}`);
    else if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) {
      this.#add(pointer, `must be more than ${exclusiveMinimum}`);
    } else if (exclusiveMaximum !== undefined && value >= exclusiveMaximum) {
      this.#add(pointer, `must be less than ${exclusiveMaximum}`);
    }
  }

  #lookAtArray(
    { minItems, maxItems, uniqueItems, items }: JsonSchema,
    value: unknown[],
    pointer: string,
  ): void {
    if (typeof minItems === 'number' && value.length < minItems) {
      this.#add(pointer, `must have at least ${amount(minItems, 'item')}`);
    } else if (typeof maxItems === 'number' && value.length > maxItems) {
      this.#add(pointer, `must have at most ${amount(maxItems, 'item')}`);
      return;
    }
    if (uniqueItems === true && new Set(value.map((item) => JSON.stringify(item))).size < value.length) {
      this.#add(pointer, 'must not have an item twice');
    }
    if (items === undefined) return;
    for (let index = 0; index < value.length && this.faults.length < this.faultsMax; index++) {
      this.look({ schema: items as JsonSchema, value: value[index], pointer: `${pointer}/${index}` });
    }
  }

  #lookAtObject(schema: JsonSchema, value: Record<string, unknown>, pointer: string): void {
    const { minProperties, maxProperties } = schema as Record<string, number | undefined>;
    const keys = Object.keys(value);
    if (minProperties !== undefined && keys.length < minProperties) {
      this.#add(pointer, `must have at least ${amount(minProperties, 'field')}`);
    } else if (maxProperties !== undefined && keys.length > maxProperties) {
      this.#add(pointer, `must have at most ${amount(maxProperties, 'field')}`);
      return;
    }
    for (const name of (schema.required ?? []) as string[]) {
      if (!Object.hasOwn(value, name)) this.#add(below(pointer, name), 'is required');
    }
    for (const key of keys) {
      if (this.faults.length >= this.faultsMax) return;
      for (const part of schemasOfField(schema, key)) {
        if (part === false) this.#add(below(pointer, key), 'is not a known field');
        else if (typeof part === 'object')
          this.look({ schema: part, value: value[key], pointer: below(pointer, key) });
      }
      if (schema.propertyNames !== undefined && !this.#fits(schema.propertyNames as JsonSchema, key)) {
        this.#add(below(pointer, key), 'is not a permitted field name');
      }
    }
  }

  /**
   * Of the branches, the one that was meant is looked into: its type and its discriminator tell, without
   * trying it. Trying every branch at every level would take time exponential in the depth.
   */
  #lookInUnion(branches: JsonSchema[], { value, pointer }: Subject): void {
    const resolved = branches.map((branch) => this.#resolve(branch));
    const possible = resolved.filter(({ type }) => type === undefined || hasType(value, type));
    const name = discriminatorOf(possible);
    if (possible.length === 0) {
      this.#add(pointer, `must be ${typeWords(resolved.flatMap(({ type }) => type as string | string[]))}`);
    } else if (name === undefined) {
      this.#lookIntoNearest(possible, value, pointer);
    } else {
      const given = (value as Record<string, unknown>)[name];
      const meant = possible.find((branch) => constantOf(branch, name) === given);
      if (meant !== undefined) this.look({ schema: meant, value, pointer });
      else if (given === undefined) this.#add(below(pointer, name), 'is required');
      else this.#add(below(pointer, name), allowed(possible.map((branch) => constantOf(branch, name))));
    }
  }

  #lookIntoNearest(branches: JsonSchema[], value: unknown, pointer: string): void {
    let nearest: Fault[] | undefined;
    for (const schema of branches) {
      const search = new Search(this.recursive);
      search.look({ schema, value, pointer });
      if (nearest === undefined || search.faults.length < nearest.length) nearest = search.faults;
      if (nearest.length === 0) return;
    }
    for (const { pointer: place, detail } of nearest ?? []) this.#add(place, detail);
  }

  #fits(schema: JsonSchema, value: unknown): boolean {
    const search = new Search(this.recursive, 1);
    search.look({ schema, value, pointer: '' });
    return search.faults.length === 0;
  }
}

/** The field that every branch fixes to a constant of its own, if there is one. */
function discriminatorOf(branches: JsonSchema[]): string | undefined {
  if (branches.length < 2) return undefined;
  const names = Object.keys((branches[0]?.properties ?? {}) as object);
  return names.find((name) => branches.every((branch) => constantOf(branch, name) !== undefined));
}

function constantOf(branch: JsonSchema, name: string): unknown {
  return ((branch.properties ?? {}) as Record<string, JsonSchema>)[name]?.const;
}

/** What a field has to fit; `false` where nothing provides for it. */
function schemasOfField(schema: JsonSchema, key: string): (JsonSchema | boolean)[] {
  const properties = (schema.properties ?? {}) as Record<string, JsonSchema>;
  const parts: (JsonSchema | boolean)[] = Object.hasOwn(properties, key) ? [properties[key] ?? true] : [];
  for (const [pattern, part] of Object.entries(
    (schema.patternProperties ?? {}) as Record<string, JsonSchema>,
  )) {
    if (patternOf(pattern).test(key)) parts.push(part);
  }
  return parts.length > 0 ? parts : [(schema.additionalProperties ?? true) as JsonSchema | boolean];
}

const PATTERNS = new Map<string, RegExp>();

/** Patterns come from our own schemas, so there are only so many. */
function patternOf(source: string): RegExp {
  const known = PATTERNS.get(source);
  if (known !== undefined) return known;
  const pattern = new RegExp(source, 'u');
  PATTERNS.set(source, pattern);
  return pattern;
}

function hasType(value: unknown, type: unknown): boolean {
  if (Array.isArray(type)) return type.some((one) => hasType(value, one));
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}

function below(pointer: string, key: string): string {
  return `${pointer}/${pointerToken(key)}`;
}
