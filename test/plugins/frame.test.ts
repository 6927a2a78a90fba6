import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import t from 'tap';
import type { App } from '../../src/api/schema.js';
import { bearer, startFixture } from './http-fixture.js';

t.test('every response has its request id, and a sane one that was sent is kept', async (t) => {
  const app = await startFixture(t);
  const idOf = async (sent?: string, url = '/v1/things') => {
    const headers = sent === undefined ? bearer : { ...bearer, 'x-request-id': sent };
    return (await app.inject({ url, headers })).headers['x-request-id'];
  };
  t.equal(await idOf('trace-1:a/b'), 'trace-1:a/b');
  t.equal(await idOf('x'.repeat(128)), 'x'.repeat(128));
  t.equal(await idOf('trace-2', '/nothing'), 'trace-2');
  t.equal(await idOf('trace-3', '/v1/things/%ff'), 'trace-3');
  for (const sent of [undefined, '', 'x'.repeat(129), 'a b', 'a\u007f']) {
    t.match(await idOf(sent), /^[0-9a-f-]{36}$/, JSON.stringify(sent));
  }
  t.not(await idOf(), await idOf());
});

t.test('responses are not sniffed, not kept, and do not name what serves them', async (t) => {
  const app = await startFixture(t);
  for (const url of ['/v1/things', '/nothing', '/health/live', '/v1/things/%ff']) {
    const { headers } = await app.inject({ url, headers: bearer });
    t.equal(headers['x-content-type-options'], 'nosniff', url);
    t.equal(headers['cache-control'], 'no-store', url);
    t.notOk(headers['x-powered-by'] ?? headers.server, url);
  }
});

t.test('a URL that cannot be read is refused with its place', async (t) => {
  const app = await startFixture(t);
  const get = async (url: string) => (await app.inject({ url, headers: bearer })).json();
  t.match(await get('/v1/things?q=a%00b'), { code: 'nul_character', errors: [{ pointer: '/query/q' }] });
  t.match(await get('/v1/things?tag=a&tag=%00'), {
    code: 'nul_character',
    errors: [{ pointer: '/query/tag' }],
  });
  t.match(await get('/v1/things/ext:shop:%00'), {
    code: 'nul_character',
    errors: [{ pointer: '/path/ref' }],
  });
  for (const url of [
    '/v1/things?q=%ff',
    '/v1/things?q=%',
    '/v1/things?q=%zz',
    '/v1/things/%ff',
    '/v1/things/%',
  ]) {
    t.match(await get(url), { code: 'malformed_url', status: 400 }, url);
  }
  t.match(await get(`/v1/things/${'a'.repeat(1100)}`), { code: 'malformed_url', status: 400 });
});

t.test('every route under /v1 says who may call it, or the start fails', async (t) => {
  const forgetful = (app: App) => {
    app.get('/v1/open', { schema: { hide: true } }, () => 'open');
  };
  await t.rejects(startFixture(t, { modules: [forgetful] }), /GET \/v1\/open declares no scope/);
});

t.test('what is not HTTP is answered with a problem as well', async (t) => {
  const app = await startFixture(t);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const exchange = (bytes: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
      let answer = '';
      socket.setEncoding('utf8');
      socket.on('data', (chunk) => {
        answer += chunk;
      });
      socket.on('end', () => resolve(answer));
      socket.on('error', reject);
    });
  const malformed = await exchange('HELLO\r\n\r\n');
  t.match(malformed, /^HTTP\/1\.1 400 Bad Request\r\n/);
  t.match(malformed, 'content-type: application/problem+json');
  t.match(malformed, '"code":"malformed_request"');
  const overflow = await exchange(`GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`);
  t.match(overflow, /^HTTP\/1\.1 431 /);
  t.match(overflow, '"code":"headers_too_large"');
});

t.test('a request that is under way when the service stops is still answered', async (t) => {
  let release: () => void = () => undefined;
  let entered: () => void = () => undefined;
  const inside = new Promise<void>((resolve) => {
    entered = resolve;
  });
  const slow = (app: App) => {
    app.get('/slow', { schema: { hide: true } }, async () => {
      entered();
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return { done: true };
    });
  };
  const app = await startFixture(t, { modules: [slow] });
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  const answer = fetch(`${address}/slow`);
  await inside;
  const closed = app.close();
  release();
  const response = await answer;
  t.equal(response.status, 200);
  t.same(await response.json(), { done: true });
  await closed;
});
