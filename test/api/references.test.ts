import fc from 'fast-check';
import t from 'tap';
import { PATTERNS } from '../../src/api/patterns.js';
import { parseRef } from '../../src/api/references.js';
import { refusalOf } from './refusal.js';

t.test('an id comes out in lower case', async (t) => {
  t.same(parseRef('0190AAAA-0000-7000-8000-00000000000F'), {
    kind: 'id',
    id: '0190aaaa-0000-7000-8000-00000000000f',
  });
});

t.test('an external id may hold anything that can be printed, colons and slashes too', async (t) => {
  t.same(parseRef('ext:shopify:8812'), { kind: 'external', namespace: 'shopify', id: '8812' });
  t.same(parseRef('ext:my_shop.eu-1:a:b/c?d e%20客户 🙂'), {
    kind: 'external',
    namespace: 'my_shop.eu-1',
    id: 'a:b/c?d e%20客户 🙂',
  });
});

t.test('what is neither is refused', async (t) => {
  const samples = [
    '',
    'ext',
    'ext:',
    'ext:shop',
    'ext:shop:',
    'ext::1',
    'ext:Shop:1',
    'ext:-shop:1',
    `ext:${'n'.repeat(64)}:1`,
    `ext:shop:${'1'.repeat(257)}`,
    'ext:shop:a\u0000',
    'ext:shop:a\nb',
    'ext:shop:a\u0085b',
    '0190aaaa-0000-7000-8000-00000000000',
    '0190aaaa000070008000000000000000',
    'x0190aaaa-0000-7000-8000-000000000000',
  ];
  for (const sample of samples) {
    t.equal(refusalOf(() => parseRef(sample)).code, 'invalid_reference', JSON.stringify(sample));
  }
});

t.test('whatever passes the schema is read without a failure, and nothing of it is lost', async (t) => {
  const pattern = new RegExp(PATTERNS.reference, 'u');
  const namespace = fc.stringMatching(/^[a-z0-9][a-z0-9_.-]{0,62}$/);
  const id = fc.string({ minLength: 1, maxLength: 256, unit: 'binary' });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(namespace, id, (namespace, id) => {
        const ref = `ext:${namespace}:${id}`;
        fc.pre(pattern.test(ref));
        const parsed = parseRef(ref);
        if (parsed.kind !== 'external' || parsed.namespace !== namespace || parsed.id !== id) {
          throw new Error(JSON.stringify(parsed));
        }
      }),
    ),
  );
});
