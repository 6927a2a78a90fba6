// Ways to spoil a request: one fault in a body that was good, a body that is no document, and names, parameters
// and headers that mean nothing.

import fc from 'fast-check';

/** Nested so deep that no schema and no stack should be asked to follow. */
export function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

const JUNK: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, -0.1, 2 ** 31, 2 ** 53, -(2 ** 53), 1e21, 1e308, 5e-324],
  ...['', ' ', 'x', '0', 'null', 'a\u0000b', '\ud800', '\u202e', '\u0007', 'ä'.repeat(5_000), "' OR 1=1 --", '{{7*7}}'],
  ...['2026-02-30T00:00:00Z', '0000-01-01T00:00:00Z', '99999-01-01T00:00:00Z', '2026-06-30T23:59:60Z', 'now'],
  ...['ext:', 'ext:crm', 'ext:CRM:1', 'ext:crm:\u0000', '00000000-0000-0000-0000-000000000000'],
  ...[[], {}, [[]], [null], { a: 1 }, { constructor: { prototype: {} } }, { toString: 1, length: 3 }],
  ...[nested(31), nested(40), nested(2_000), Array.from({ length: 1_100 }, () => 0)],
];
const FIELDS = ['extra', '', 'constructor', 'toString', '\u0000', 'a'.repeat(300), 'tenantId', 'tenant_id', 'id', 'version', 'a/b~c'];

type Fault =
  | { do: 'replace' | 'nest' | 'repeat'; junk: unknown }
  | { do: 'remove' }
  | { do: 'add'; field: string; junk: unknown };

const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ do: fc.constant('replace' as const), junk: fc.constantFrom(...JUNK) }),
  fc.record({ do: fc.constant('add' as const), field: fc.constantFrom(...FIELDS), junk: fc.constantFrom(...JUNK) }),
  fc.record({ do: fc.constant('remove' as const) }),
  fc.record({ do: fc.constantFrom('nest' as const, 'repeat' as const), junk: fc.constant(null) }),
);

/** The same value with one fault somewhere in it. */
export function spoiled(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.tuple(value, fc.nat(), fault).map(([good, pick, wrong]) => {
    const places = placesIn(good, []);
    return changed(good, places[pick % places.length] ?? [], wrong);
  });
}

/** Texts of a body that are not the JSON of anything, or of something that no double can hold. */
export const RAW_BODIES: readonly (string | Buffer)[] = [
  ...['', ' ', '{', '[', '"', '{"a":}', '{"a":1,}', "{'a':1}", 'undefined', 'NaN', '{"a":1e400}', '\ufeff{}', '{}{}', '0x10'],
  ...['null', 'true', '12', '"text"', '[]', '{}', '{"__proto__":{"admin":true}}', '{"a":1,"a":2}', '{"a":"\\u0000"}'],
  ...['{"a":"\\ud800"}', '['.repeat(50_000), `${'[1,'.repeat(20_000)}1${']'.repeat(20_000)}`, '{"\u0001":1}'],
  ...[Buffer.from([0xff, 0xfe, 0x7b]), Buffer.from([0x22, 0xc3, 0x28, 0x22]), Buffer.from('{"a":"\u00e4"}', 'latin1')],
];

/** Percent-encoded by themselves, or meant not to be. */
export const RAW_NAMES: readonly string[] = [
  ...['x', '%', '%zz', '%00', 'a%00b', '%c3%28', '%ff', '%2f', '0', '-1', '1.5', '99999999999', 'ext:', 'ext:crm:'],
  ...['ext:crm:%00', 'ext:UP:1', 'ext:a:b%2Fc', `ext:crm:${'a'.repeat(256)}`, `ext:crm:${'a'.repeat(257)}`, 'a'.repeat(2_000)],
  ...['00000000-0000-0000-0000-00000000000g', '0190A000-0000-7000-8000-000000000000', '%F0%9F%98%80', 'ext:crm:%0a', 'a;b', 'a+b'],
];

export const RAW_QUERIES: readonly string[] = [
  ...['limit=', 'limit=0', 'limit=-1', 'limit=201', 'limit=1e2', 'limit=0x10', 'limit=1&limit=2', 'limit=%00', 'limit[]=1'],
  ...['cursor=', 'cursor=x', 'cursor=WyJhIl0', 'cursor=%00', `cursor=${'a'.repeat(3_000)}`, 'after=x', 'after=WyJhIiwxXQ'],
  ...['unknown=1', '=', '&', '%', '%zz=1', 'a=%c3%28', '__proto__=1', 'constructor=1', '%00=1', 'types=x', 'types=*&types=*'],
  ...['customer=x', 'customer=ext:crm:nobody', 'status=', 'superseded=maybe', 'from=1', 'stage=%0a', 'country=xx', 'phone=1'],
];

const headersOf = (name: string, values: readonly string[]) => values.map((value) => ({ [name]: value }));

const TAGS = ['"1"', '"2"', '*', '1', '', '""', 'W/"1"', '"1", W/"2"', '"99999999999"', `"${'1'.repeat(500)}"`];

/** Sent with a good request: by what is read, or changed. */
export const RAW_HEADERS: Record<'reading' | 'changing', readonly Record<string, string>[]> = {
  reading: [...headersOf('if-none-match', TAGS), ...headersOf('x-request-id', ['', 'a b', 'i'.repeat(129), 'mine'])],
  changing: [
    ...headersOf('if-match', TAGS),
    ...headersOf('idempotency-key', ['one', 'one', 'two', '', ' ', 'a b', 'k'.repeat(256), 'ü']),
    ...headersOf('content-type', ['text/plain', 'application/json; charset=latin1', 'application/xml', '', 'x']),
    ...headersOf('content-type', ['application/merge-patch+json', 'application/json; charset="UTF-8"']),
    ...headersOf('content-encoding', ['gzip', 'identity', 'x']),
  ],
};

type Path = readonly (string | number)[];

function placesIn(value: unknown, path: Path): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Array.isArray(value)
    ? value.flatMap((item, index) => placesIn(item, [...path, index]))
    : Object.entries(value).flatMap(([key, part]) => placesIn(part, [...path, key]));
  return [path, ...inner];
}

function changed(value: unknown, [key, ...rest]: Path, wrong: Fault): unknown {
  if (key === undefined) return spoil(value, wrong);
  if (Array.isArray(value)) {
    if (rest.length === 0 && wrong.do === 'remove') return value.filter((_, index) => index !== key);
    return value.map((item, index) => (index === key ? changed(item, rest, wrong) : item));
  }
  const entries = Object.entries(value as object);
  if (rest.length === 0 && wrong.do === 'remove') return Object.fromEntries(entries.filter(([name]) => name !== key));
  return Object.fromEntries(entries.map(([name, part]) => [name, name === key ? changed(part, rest, wrong) : part]));
}

function spoil(value: unknown, wrong: Fault): unknown {
  switch (wrong.do) {
    case 'replace':
      return wrong.junk;
    case 'remove':
      return undefined;
    case 'nest':
      return [value];
    case 'repeat':
      return [value, value];
    case 'add':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
        ? { ...value, [wrong.field]: wrong.junk }
        : wrong.junk;
  }
}
