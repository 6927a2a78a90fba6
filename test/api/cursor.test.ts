import fc from 'fast-check';
import t, { type Test } from 'tap';
import { cursorScope, decodeCursor, encodeCursor } from '../../src/api/cursor.js';
import { refusalOf } from './refusal.js';

const orders = cursorScope('orders', ['time', 'uuid']);
const filter = { status: 'placed', limit: 10, cursor: 'whatever' };
const keys: [string, string] = ['2026-01-02T03:04:05.678Z', '0190aaaa-0000-7000-8000-000000000001'];

function isRefused(t: Test, decode: () => unknown, name: string): void {
  const { code, faults } = refusalOf(decode);
  t.equal(code, 'invalid_cursor', name);
  t.equal(faults?.[0]?.pointer, '/query/cursor', `${name}: points at the cursor`);
}

t.test('what was encoded comes back, whatever limit the next page asks for', async (t) => {
  const cursor = encodeCursor(orders, filter, keys);
  t.match(cursor, /^[A-Za-z0-9_-]+$/, 'it needs no escaping in a URL');
  t.same(decodeCursor(orders, { status: 'placed', limit: 200 }, cursor), keys);
  t.same(decodeCursor(orders, { limit: 1, until: undefined, status: 'placed' }, cursor), keys);
});

t.test('a cursor serves its own list and its own filter only', async (t) => {
  const cursor = encodeCursor(orders, filter, keys);
  const others = cursorScope('touchpoints', ['time', 'uuid']);
  isRefused(t, () => decodeCursor(others, filter, cursor), 'another list');
  isRefused(t, () => decodeCursor(orders, { status: 'pending' }, cursor), 'another filter');
  isRefused(t, () => decodeCursor(orders, {}, cursor), 'no filter');
});

t.test('what is not a cursor is refused and never reaches a store', async (t) => {
  const sealed = (content: unknown) => Buffer.from(JSON.stringify(content)).toString('base64url');
  const [tag] = JSON.parse(Buffer.from(encodeCursor(orders, filter, keys), 'base64url').toString());
  const samples: Record<string, string> = {
    'no base64': '%%%',
    'no JSON': Buffer.from('hello').toString('base64url'),
    'no array': sealed({ tag }),
    'other keys': sealed([tag, keys[0], '0190aaaa-0000-7000-8000-000000000002']),
    'too few keys': sealed([tag, keys[0]]),
    'an id that is none': sealed([tag, keys[0], "'; DROP"]),
    'a day that does not exist': sealed([tag, '2026-13-02T03:04:05.678Z', keys[1]]),
  };
  for (const [name, cursor] of Object.entries(samples)) {
    isRefused(t, () => decodeCursor(orders, filter, cursor), name);
  }
});

t.test('the kinds of keys are checked even where the checksum fits', async (t) => {
  const numbers = cursorScope('numbers', ['integer']);
  const texts = cursorScope('texts', ['text']);
  const forge = (scope: typeof numbers, value: number) => encodeCursor(scope, {}, [value]);
  isRefused(t, () => decodeCursor(numbers, {}, forge(numbers, 1.5)), 'a fraction');
  isRefused(t, () => decodeCursor(texts, {}, encodeCursor(texts, {}, ['a\u0000'])), 'a NUL character');
  isRefused(t, () => decodeCursor(texts, {}, encodeCursor(texts, {}, ['\ud800'])), 'half a surrogate pair');
  t.same(decodeCursor(texts, {}, encodeCursor(texts, {}, ['Zoë 客户 🙂'])), ['Zoë 客户 🙂']);
});

t.test('no change of a single character goes unnoticed', async (t) => {
  const cursor = encodeCursor(orders, filter, keys);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const property = fc.property(
    // The last character of base64 can hold bits that mean nothing.
    fc.integer({ min: 0, max: cursor.length - 2 }),
    fc.constantFrom(...alphabet),
    (at, char) => {
      if (cursor[at] === char) return;
      const tampered = `${cursor.slice(0, at)}${char}${cursor.slice(at + 1)}`;
      refusalOf(() => decodeCursor(orders, filter, tampered));
    },
  );
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }));
});
