import t from 'tap';
import { expectedVersion } from '../../src/api/etag.js';
import { bearer, startFixture } from '../plugins/http-fixture.js';
import { refusalOf } from './refusal.js';

const withIfMatch = (value: string) => ({ method: 'PATCH', headers: { 'if-match': value } });

t.test('If-Match names a version, any version, or none', async (t) => {
  t.equal(expectedVersion({ method: 'PATCH', headers: {} }), undefined);
  t.equal(expectedVersion(withIfMatch('*')), null);
  t.equal(expectedVersion(withIfMatch('"7"')), 7);
  t.equal(expectedVersion(withIfMatch(' "2147483647" ')), 2_147_483_647);
});

t.test('a tag that cannot match is a failed precondition, what is no tag is a bad request', async (t) => {
  for (const value of ['W/"7"', '"seven"', '"07"', '"0"', '""', '"99999999999"']) {
    t.equal(refusalOf(() => expectedVersion(withIfMatch(value))).kind, 'precondition_failed', value);
  }
  for (const value of ['7', '"7', '"1", "2"', '', 'W/7']) {
    const { kind, faults } = refusalOf(() => expectedVersion(withIfMatch(value)));
    t.equal(kind, 'invalid', value);
    t.equal(faults?.[0]?.pointer, '/header/if-match');
  }
});

t.test('a read answers with its tag, and 304 to who has it already', async (t) => {
  const app = await startFixture(t);
  const read = (headers: Record<string, string> = {}) =>
    app.inject({ url: '/v1/versioned', headers: { ...bearer, ...headers } });
  const first = await read();
  t.equal(first.statusCode, 200);
  t.equal(first.headers.etag, '"3"');
  t.equal(first.headers['cache-control'], 'private, no-cache');
  for (const known of ['"3"', 'W/"3"', '"1", "3"', '*']) {
    const again = await read({ 'if-none-match': known });
    t.equal(again.statusCode, 304, known);
    t.equal(again.body, '');
    t.equal(again.headers.etag, '"3"');
  }
  for (const other of ['"2"', '"33"', 'garbage']) {
    t.equal((await read({ 'if-none-match': other })).statusCode, 200, other);
  }
});

t.test('a write that asks for a version is told it', async (t) => {
  const app = await startFixture(t);
  const patch = (ifMatch: string) =>
    app.inject({
      method: 'PATCH',
      url: '/v1/versioned',
      headers: { ...bearer, 'content-type': 'application/merge-patch+json', 'if-match': ifMatch },
      payload: '{"owner":null}',
    });
  t.same((await patch('"4"')).json().received, { expected: 4, body: { owner: null } });
  t.equal((await patch('W/"4"')).statusCode, 412);
  t.equal((await patch('4')).statusCode, 400);
});
