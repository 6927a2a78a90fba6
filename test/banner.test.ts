import t from 'tap';
import { visitableUrl, writeBanner } from '../src/banner.js';

const url = 'http://127.0.0.1:3000';

t.test('a new key is shown, with where it is kept', async (t) => {
  const firstKey = { key: 'pk_new', keyFile: '.perennial/api-key' };
  const text = writeBanner({ role: 'all', url, firstKey, dataDir: '.perennial' });
  t.match(text, /listens on http:\/\/127\.0\.0\.1:3000\n/);
  t.match(text, /http:\/\/127\.0\.0\.1:3000\/docs/);
  t.match(text, /pk_new\n.*shown this once.*\.perennial\/api-key\n/);
});

t.test('later only where the key is, and nothing of it where it is the operator’s own', async (t) => {
  const later = writeBanner({ role: 'api', url, firstKey: { keyFile: 'x/api-key' }, dataDir: 'x' });
  t.match(later, /API key {3}in x\/api-key\n/);
  t.notMatch(writeBanner({ role: 'all', url, firstKey: {}, dataDir: undefined }), /key/);
});

t.test('a worker has no docs to show', async (t) => {
  const text = writeBanner({ role: 'worker', url, firstKey: {}, dataDir: undefined });
  t.match(text, /works; its health is at http:\/\/127\.0\.0\.1:3000\/health\/ready/);
  t.notMatch(text, /docs/);
});

t.test('the address is one that can be visited', async (t) => {
  t.equal(visitableUrl('127.0.0.1', 80), 'http://127.0.0.1:80');
  t.equal(visitableUrl('0.0.0.0', 3000), 'http://localhost:3000');
  t.equal(visitableUrl('::', 3000), 'http://localhost:3000');
  t.equal(visitableUrl('::1', 3000), 'http://[::1]:3000');
});
