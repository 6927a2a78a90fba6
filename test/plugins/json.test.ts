import fc from 'fast-check';
import t from 'tap';
import { parseJson } from '../../src/plugins/json/parser.js';
import { locateSyntaxFault } from '../../src/plugins/json/syntax.js';
import { refusalOf } from '../api/refusal.js';
import { bearer, startFixture } from './http-fixture.js';

const json = { ...bearer, 'content-type': 'application/json' };
const refused = (text: string) => refusalOf(() => parseJson(Buffer.from(text)));

t.test('a document that is not JSON is told where it stops being it', async (t) => {
  const samples: [string, number, number, string][] = [
    ['{"a": 1,\n "b": }', 2, 7, "'}'"],
    ['{"a": 1,}', 1, 9, "'}'"],
    ['[1, 2', 1, 6, 'the end of the text'],
    ['', 1, 1, 'the end of the text'],
    ['{"a" 1}', 1, 6, "'1'"],
    ["{'a': 1}", 1, 2, "'''"],
    ['[01]', 1, 2, "'0'"],
    ['[1.]', 1, 2, "'1'"],
    ['[1] 2', 1, 5, "'2'"],
    ['{"a": nul}', 1, 7, "'n'"],
    ['["a\nb"]', 1, 4, 'a character'],
    ['["\\x"]', 1, 3, "'\\'"],
    ['[1}', 1, 3, "'}'"],
    ['\ufeff{}', 1, 1, 'a character'],
    [`${'['.repeat(100_000)}x`, 1, 100_001, "'x'"],
  ];
  for (const [text, line, column, found] of samples) {
    const { code, message, faults } = refused(text);
    t.equal(code, 'malformed_json', text.slice(0, 20));
    t.equal(faults?.[0]?.detail, `unexpected ${found} at line ${line}, column ${column}`, text.slice(0, 20));
    t.match(message, `line ${line}, column ${column}`);
  }
});

t.test('the place that is told is right: everything before it could have become JSON', async (t) => {
  const property = fc.property(
    fc.jsonValue(),
    fc.nat(),
    fc.constantFrom(...'{}[],:"x1\\ \n'),
    (value, at, char) => {
      const valid = JSON.stringify(value);
      const text = valid.slice(0, at % (valid.length + 1)) + char + valid.slice(at % (valid.length + 1));
      try {
        JSON.parse(text);
        return;
      } catch {
        const { line, column } = locateSyntaxFault(text);
        const offset =
          text
            .split('\n')
            .slice(0, line - 1)
            .join('\n').length +
          (line > 1 ? 1 : 0) +
          column -
          1;
        // What was inserted is the first thing that can be wrong.
        if (offset < 0 || offset > text.length)
          throw new Error(`${offset} is outside of ${JSON.stringify(text)}`);
        if (locateSyntaxFault(text.slice(0, offset)).found !== 'the end of the text') {
          throw new Error(`something before ${offset} is wrong already in ${JSON.stringify(text)}`);
        }
      }
    },
  );
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }));
});

t.test('what cannot be kept as it was sent is refused with its place', async (t) => {
  const samples: [string, string, RegExp][] = [
    ['{"a":[0,9007199254740992]}', '/a/1', /2\^53/],
    ['{"a":9007199254740993}', '/a', /2\^53/],
    ['{"a":-9007199254740993}', '/a', /2\^53/],
    ['{"a":1e400}', '/a', /2\^53/],
    ['{"a":-1e400}', '/a', /2\^53/],
    ['{"a":"x\\u0000y"}', '/a', /NUL/],
    ['{"a":{"x\\u0000/y":1}}', '/a/x\ufffd~1y', /NUL/],
    ['{"a":"\\ud83d"}', '/a', /surrogates/],
    ['{"a":"\\ude00\\ud83d"}', '/a', /surrogates/],
    ['{"a":{"__proto__":{}}}', '/a/__proto__', /not a permitted field name/],
    ['{"\\u005f_proto__":1}', '/__proto__', /not a permitted field name/],
    ['{"constructor":{"prototype":{}}}', '/constructor', /not a permitted field name/],
    [`${'['.repeat(33)}${']'.repeat(33)}`, '/0'.repeat(32), /deeper than 32/],
    [`${'{"a":'.repeat(33)}1${'}'.repeat(33)}`, '/a'.repeat(32), /deeper than 32/],
  ];
  for (const [text, pointer, detail] of samples) {
    const { code, faults } = refused(text);
    t.equal(code, 'unacceptable_json', text.slice(0, 40));
    t.equal(faults?.[0]?.pointer, pointer, text.slice(0, 40));
    t.match(faults?.[0]?.detail, detail, text.slice(0, 40));
  }
  t.equal(refused(`[${'9007199254740993,'.repeat(50)}1]`).faults?.length, 20, 'twenty faults are enough');
});

t.test('what looks alike but is harmless passes', async (t) => {
  for (const text of [
    '{"a":9007199254740991,"b":-9007199254740991,"c":1e15}',
    '{"a":"9007199254740993 and 1e400"}',
    '{"a":"\\\\u0000"}',
    '{"a":"\\ud83d\\ude00"}',
    '{"constructor":"Renault","prototype":1}',
    `${'['.repeat(32)}${']'.repeat(32)}`,
    ' \t\r\n{"a" : [ ] }\n',
  ]) {
    t.same(parseJson(Buffer.from(text)), JSON.parse(text), text);
  }
});

t.test('any JSON passes that a double and UTF-8 can hold', async (t) => {
  const property = fc.property(fc.jsonValue({ maxDepth: 8, stringUnit: 'grapheme' }), (value) => {
    const text = JSON.stringify(value);
    const { code } = refusalOf(() => {
      t.same(parseJson(Buffer.from(text)), JSON.parse(text));
      throw refused('');
    });
    // Numbers beyond 2^53 are in the nature of arbitrary JSON.
    return code === 'malformed_json' || /e\+|\d{16}/.test(text);
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }));
});

t.test('bytes that are not UTF-8 are refused', async (t) => {
  for (const bytes of [
    [0x22, 0xff, 0x22],
    [0x22, 0xc3, 0x22],
    [0x22, 0xed, 0xa0, 0x80, 0x22],
  ]) {
    t.equal(refusalOf(() => parseJson(Buffer.from(bytes))).code, 'invalid_utf8');
  }
});

t.test('over HTTP: sizes and types of bodies', async (t) => {
  const app = await startFixture(t, { bodyLimitBytes: 200 });
  const post = async (payload: string, headers: Record<string, string> = {}) => {
    const response = await app.inject({
      method: 'POST',
      url: '/v1/things',
      headers: { ...json, ...headers },
      payload,
    });
    t.match(
      response.headers['content-type'],
      response.statusCode < 400 ? 'application/json' : 'application/problem+json',
    );
    return response;
  };
  t.equal((await post('{}')).statusCode, 201);
  t.equal((await post('{}', { 'content-type': 'application/json; charset=UTF-8' })).statusCode, 201);
  const large = await post(JSON.stringify({ attributes: { a: 'x'.repeat(200) } }));
  t.equal(large.statusCode, 413);
  t.equal(large.json().code, 'body_too_large');
  const types: Record<string, string>[] = [
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/x-www-form-urlencoded' },
    { 'content-type': 'application/merge-patch+json' },
    { 'content-type': 'application/json; charset=latin1' },
    { 'content-type': 'nonsense' },
    { 'content-encoding': 'gzip' },
  ];
  for (const headers of types) {
    const response = await post('{}', headers);
    t.equal(response.statusCode, 415, JSON.stringify(headers));
    t.equal(response.json().code, 'unsupported_media_type');
  }
  const malformed = await post('{"a":');
  t.equal(malformed.statusCode, 400);
  t.same(malformed.json().errors, [
    { pointer: '', detail: 'unexpected the end of the text at line 1, column 6' },
  ]);
});

t.test('a name that is there twice is refused where it is, at any depth', async (t) => {
  const samples: [string, string][] = [
    ['{"a":1,"a":2}', '/a'],
    ['{"a":{"b":[{},{"c":1,"\\u0063":2}]}}', '/a/b/1/c'],
    ['[{"x/y~":1,"x/y~":1}]', '/0/x~1y~0'],
    ['{"a":"{\\"b\\":1,\\"b\\":1}","b":{"a":1},"b":2}', '/b'],
    ['{"":1,"":2}', '/'],
  ];
  for (const [text, pointer] of samples) {
    const { code, faults } = refused(text);
    t.equal(code, 'unacceptable_json', text);
    t.same(faults, [{ pointer, detail: 'is there twice in one object' }], text);
  }
  const fine = '{"a":{"a":{"a":[":","\\"a\\":",{"a":1},{"a":1}]}}, "b" : 1}';
  t.same(parseJson(Buffer.from(fine)), JSON.parse(fine));
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), (document) => {
      const text = JSON.stringify(document);
      if (Object.hasOwn(document, '__proto__') || /__proto__|\\u|constructor/.test(text)) return;
      // Numbers that are refused for their size.
      if (/\d{16}|\de\+/.test(text)) return;
      parseJson(Buffer.from(text));
    }),
  );
});
