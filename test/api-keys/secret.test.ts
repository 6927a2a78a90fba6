import { createHash } from 'node:crypto';
import t from 'tap';
import { hashKey, hintOf, makeKey } from '../../src/api-keys/secret.js';

t.test('keys are pk_ and 43 characters of base 62, and never the same twice', async (t) => {
  const keys = Array.from({ length: 500 }, makeKey);
  for (const key of keys) t.match(key, /^pk_[0-9A-Za-z]{43}$/);
  t.equal(new Set(keys).size, keys.length);
  const seen = new Set(keys.flatMap((key) => [...key.slice(3)]));
  t.equal(seen.size, 62, 'every character of the alphabet comes up');
});

t.test('what is kept of a key is its SHA-256 and its last four characters', async (t) => {
  const key = makeKey();
  t.same(hashKey(key), createHash('sha256').update(key).digest());
  t.equal(hintOf(key), key.slice(42));
});
