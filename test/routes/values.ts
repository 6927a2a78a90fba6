// Values that fit a JSON schema, drawn at random; where names are asked for, often ones that exist.

import fc from 'fast-check';
import type { Api, JsonSchema } from './operations.js';
import type { Things } from './things.js';

type Value = fc.Arbitrary<unknown>;

/** What the schema alone cannot know, by the name of a shared schema or a field. */
export type Hints = Record<string, Value>;

const LENGTH_USUAL = 24;
const ITEMS_USUAL = 3;
/** A schema that contains itself is followed this far. */
const DEPTH_MAX = 3;

export function hintsOf(things: Things, now: Date): Hints {
  const id = fc.constantFrom('a', 'b', 'c', things.fresh, things.identityId);
  const namespace = fc.constantFrom('crm', 'shop', 'phone-log', things.identityNamespace);
  const past = fc
    .integer({ min: 0, max: 900 * 86_400_000 })
    .map((ms) => new Date(now.getTime() - ms).toISOString());
  return {
    CustomerRef: fc.constantFrom(
      things.customerId,
      things.customerRef,
      `ext:email:${things.email}`,
      'ext:crm:nobody',
    ),
    OrderRef: fc.constantFrom(
      things.orderId,
      things.orderRef,
      'ext:shop:a',
      'ext:shop:b',
      'ext:shop:nothing',
    ),
    ExternalId: fc.record({ namespace, id }),
    Namespace: namespace,
    Tag: fc.constantFrom(things.tag, 'vip', ' vip ', '会员', 'cafe\u0301'),
    TimestampInput: fc.oneof(
      { weight: 4, arbitrary: past },
      fc.constantFrom('1970-01-01T00:00:00Z', '2099-12-31T23:59:59.999999999+13:59'),
    ),
    email: fc.constantFrom(things.email, 'a@example.com', ' B@Example.COM ', 'ä@例え.jp'),
    phone: fc.constantFrom(things.phone, '+49 30 23125 500', '030 23125 501', '911'),
    url: fc.constantFrom(
      'https://127.0.0.1/a',
      'https://127.0.0.1:8443/b?c=d',
      'https://example.com/',
      'http://[::1]:9000/',
    ),
    timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Apia'),
    stage: fc.constantFrom('prospect', 'new', 'mature', 'declining', 'churned'),
    to: fc.constantFrom('prospect', 'new', 'mature', 'declining', 'churned'),
    Filter: fc.constantFrom(
      { field: 'stage', op: 'eq', value: 'mature' },
      {
        any: [
          { field: 'attributes.a', op: 'gte', value: 1 },
          { field: 'owner', op: 'exists' },
        ],
      },
      { not: { field: 'amountMinor', op: 'lt', value: 900, currency: 'EUR' } },
      { field: 'country', op: 'in', values: ['DE', 'XX'] },
    ),
    otherwise: fc.constantFrom('prospect', 'new'),
  };
}

export function valuesOf(api: Api, schema: JsonSchema, hints: Hints): Value {
  return new Drawing(api, hints).of(schema, '', []);
}

class Drawing {
  constructor(
    private readonly api: Api,
    private readonly hints: Hints,
  ) {}

  of(schema: JsonSchema, field: string, path: readonly string[]): Value {
    const { $ref } = schema;
    const shared = typeof $ref === 'string' ? ($ref.split('/').at(-1) ?? '') : '';
    const plain = this.#plain(this.api.resolve(schema), field, shared === '' ? path : [...path, shared]);
    const hint = this.hints[shared] ?? (isText(this.api.resolve(schema)) ? this.hints[field] : undefined);
    return hint === undefined ? plain : fc.oneof({ weight: 5, arbitrary: hint }, plain);
  }

  #plain(schema: JsonSchema, field: string, path: readonly string[]): Value {
    const branches = (schema.anyOf ?? schema.oneOf) as JsonSchema[] | undefined;
    if (branches !== undefined) return this.#oneOf(branches, field, path);
    if (schema.const !== undefined) return fc.constant(schema.const);
    if (Array.isArray(schema.enum)) return fc.constantFrom(...(schema.enum as unknown[]));
    switch (schema.type) {
      case 'string':
        return text(schema);
      case 'integer':
      case 'number':
        return number(schema);
      case 'boolean':
        return fc.boolean();
      case 'null':
        return fc.constant(null);
      case 'array':
        return this.#array(schema, field, path);
      case 'object':
        return this.#object(schema, path);
      default:
        return fc.jsonValue({ maxDepth: 2 });
    }
  }

  #oneOf(branches: JsonSchema[], field: string, path: readonly string[]): Value {
    const followed = isDeep(path) ? branches.filter((branch) => !leadsBack(branch, path)) : branches;
    return fc.oneof(...followed.map((branch) => this.of(branch, field, path)));
  }

  #array(schema: JsonSchema, field: string, path: readonly string[]): Value {
    const minLength = Number(schema.minItems ?? 0);
    const maxLength = Math.max(minLength, Math.min(Number(schema.maxItems ?? ITEMS_USUAL), ITEMS_USUAL));
    const item = this.of((schema.items ?? {}) as JsonSchema, field, path);
    return schema.uniqueItems === true
      ? fc.uniqueArray(item, { minLength, maxLength })
      : fc.array(item, { minLength, maxLength });
  }

  #object(schema: JsonSchema, path: readonly string[]): Value {
    const entries = Object.entries((schema.patternProperties ?? {}) as Record<string, JsonSchema>);
    const [pattern] = entries;
    if (pattern !== undefined) {
      return fc.dictionary(fc.stringMatching(new RegExp(pattern[0])), this.of(pattern[1], '', path), {
        maxKeys: 3,
      });
    }
    const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>);
    const requiredKeys = (schema.required ?? []) as string[];
    const followed = properties.filter(([name, property]) => {
      return !isDeep(path) || requiredKeys.includes(name) || !leadsBack(property, path);
    });
    const drawn = followed.map(([name, property]) => [name, this.of(property, name, path)] as const);
    return fc.record(Object.fromEntries(drawn), { requiredKeys });
  }
}

function isDeep(path: readonly string[]): boolean {
  return path.filter((name) => name === path.at(-1)).length > DEPTH_MAX;
}

function leadsBack(schema: JsonSchema, path: readonly string[]): boolean {
  return JSON.stringify(schema).includes(`/${path.at(-1)}"`);
}

function isText({ type, anyOf }: JsonSchema): boolean {
  return (
    type === 'string' ||
    (Array.isArray(anyOf) && anyOf.some((branch) => (branch as JsonSchema).type === 'string'))
  );
}

function text({ format, pattern, minLength = 0, maxLength = LENGTH_USUAL }: JsonSchema): Value {
  if (format === 'uuid') return fc.uuid();
  if (format === 'date-time')
    return fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date('2099-12-31') })
      .map((date) => date.toISOString());
  if (format === 'uri') return fc.webUrl();
  const bounds = { minLength: Number(minLength), maxLength: Math.min(Number(maxLength), LENGTH_USUAL) };
  const free = fc.string({ ...bounds, unit: fc.constantFrom(...'aZ09 .-_:/äß中😀e\u0301') });
  if (typeof pattern !== 'string') return free;
  const shape = new RegExp(pattern, 'u');
  // Most patterns only keep control characters out; the others are drawn by their own words.
  if (pattern.startsWith('^[^')) return free.filter((value) => shape.test(value));
  const matching = fc.stringMatching(new RegExp(pattern.replaceAll('(?:', '(')));
  return matching.filter(
    (value) => shape.test(value) && value.length >= Number(minLength) && value.length <= Number(maxLength),
  );
}

function number({ type, minimum, maximum, exclusiveMinimum }: JsonSchema): Value {
  const min = Number(minimum ?? exclusiveMinimum ?? -1e15);
  const max = Number(maximum ?? 1e15);
  const bounds = exclusiveMinimum === undefined ? [min, max] : [max];
  if (type === 'integer')
    return fc.oneof(
      fc.constantFrom(...bounds),
      fc.integer({ min, max: Math.min(max, min + 1_000) }),
      fc.integer({ min, max }),
    );
  return fc.oneof(
    fc.constantFrom(...bounds),
    fc.double({
      min,
      max: Math.min(max, min + 100),
      noNaN: true,
      minExcluded: exclusiveMinimum !== undefined,
    }),
  );
}
