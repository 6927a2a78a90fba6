// What no request should hold: values, fields, texts of a body, names in a path, queries and headers.

/** In place of a value. */
export const JUNK: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, -0.1, 2 ** 31, 2 ** 53, -(2 ** 53), 1e21, 1e308, 5e-324],
  ...[
    '',
    ' ',
    'x',
    '0',
    'null',
    'a\u0000b',
    '\ud800',
    '\u202e',
    '\u0007',
    'ä'.repeat(5_000),
    "' OR 1=1 --",
    '{{7*7}}',
  ],
  ...['2026-02-30T00:00:00Z', '0000-01-01T00:00:00Z', '99999-01-01T00:00:00Z', '2026-06-30T23:59:60Z', 'now'],
  ...['ext:', 'ext:crm', 'ext:CRM:1', 'ext:crm:\u0000', '00000000-0000-0000-0000-000000000000'],
  ...[[], {}, [[]], [null], { a: 1 }, { constructor: { prototype: {} } }, { toString: 1, length: 3 }],
  ...[nested(31), nested(40), nested(2_000), Array.from({ length: 1_100 }, () => 0)],
];
/** Names of fields that nobody has. */
export const FIELDS = [
  'extra',
  '',
  'constructor',
  'toString',
  '\u0000',
  'a'.repeat(300),
  'tenantId',
  'tenant_id',
  'id',
  'version',
  'a/b~c',
];

/** Texts of a body that are not the JSON of anything, or of something that no double can hold. */
export const RAW_BODIES: readonly (string | Buffer)[] = [
  ...[
    '',
    ' ',
    '{',
    '[',
    '"',
    '{"a":}',
    '{"a":1,}',
    "{'a':1}",
    'undefined',
    'NaN',
    '{"a":1e400}',
    '\ufeff{}',
    '{}{}',
    '0x10',
  ],
  ...[
    'null',
    'true',
    '12',
    '"text"',
    '[]',
    '{}',
    '{"__proto__":{"admin":true}}',
    '{"a":1,"a":2}',
    '{"a":"\\u0000"}',
  ],
  ...['{"a":"\\ud800"}', '['.repeat(50_000), `${'[1,'.repeat(20_000)}1${']'.repeat(20_000)}`, '{"\u0001":1}'],
  ...[
    Buffer.from([0xff, 0xfe, 0x7b]),
    Buffer.from([0x22, 0xc3, 0x28, 0x22]),
    Buffer.from('{"a":"\u00e4"}', 'latin1'),
  ],
];

/** Percent-encoded by themselves, or meant not to be. */
export const RAW_NAMES: readonly string[] = [
  ...[
    'x',
    '%',
    '%zz',
    '%00',
    'a%00b',
    '%c3%28',
    '%ff',
    '%2f',
    '0',
    '-1',
    '1.5',
    '99999999999',
    'ext:',
    'ext:crm:',
  ],
  ...[
    'ext:crm:%00',
    'ext:UP:1',
    'ext:a:b%2Fc',
    `ext:crm:${'a'.repeat(256)}`,
    `ext:crm:${'a'.repeat(257)}`,
    'a'.repeat(2_000),
  ],
  ...[
    '00000000-0000-0000-0000-00000000000g',
    '0190A000-0000-7000-8000-000000000000',
    '%F0%9F%98%80',
    'ext:crm:%0a',
    'a;b',
    'a+b',
  ],
];

export const RAW_QUERIES: readonly string[] = [
  ...[
    'limit=',
    'limit=0',
    'limit=-1',
    'limit=201',
    'limit=1e2',
    'limit=0x10',
    'limit=1&limit=2',
    'limit=%00',
    'limit[]=1',
  ],
  ...[
    'cursor=',
    'cursor=x',
    'cursor=WyJhIl0',
    'cursor=%00',
    `cursor=${'a'.repeat(3_000)}`,
    'after=x',
    'after=WyJhIiwxXQ',
  ],
  ...[
    'unknown=1',
    '=',
    '&',
    '%',
    '%zz=1',
    'a=%c3%28',
    '__proto__=1',
    'constructor=1',
    '%00=1',
    'types=x',
    'types=*&types=*',
  ],
  ...[
    'customer=x',
    'customer=ext:crm:nobody',
    'status=',
    'superseded=maybe',
    'from=1',
    'stage=%0a',
    'country=xx',
    'phone=1',
  ],
];

const headersOf = (name: string, values: readonly string[]) => values.map((value) => ({ [name]: value }));

const TAGS = [
  '"1"',
  '"2"',
  '*',
  '1',
  '',
  '""',
  'W/"1"',
  '"1", W/"2"',
  '"99999999999"',
  `"${'1'.repeat(500)}"`,
];

/** Sent with a good request: by what is read, or changed. */
export const RAW_HEADERS: Record<'reading' | 'changing', readonly Record<string, string>[]> = {
  reading: [
    ...headersOf('if-none-match', TAGS),
    ...headersOf('x-request-id', ['', 'a b', 'i'.repeat(129), 'mine']),
  ],
  changing: [
    ...headersOf('if-match', TAGS),
    ...headersOf('idempotency-key', ['one', 'one', 'two', '', ' ', 'a b', 'k'.repeat(256), 'ü']),
    ...headersOf('content-type', [
      'text/plain',
      'application/json; charset=latin1',
      'application/xml',
      '',
      'x',
    ]),
    ...headersOf('content-type', ['application/merge-patch+json', 'application/json; charset="UTF-8"']),
    ...headersOf('content-encoding', ['gzip', 'identity', 'x']),
  ],
};

/** Nested so deep that no schema and no stack should be asked to follow. */
function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}
