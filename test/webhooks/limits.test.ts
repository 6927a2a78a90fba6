// How an answer is bounded, in size and in time, and how each failure is told.

import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { listenHttp, listenTcp, unusedUrl } from '../helpers/raw-server.js';
import { createReceiver } from '../helpers/receiver.js';
import { send, transportFor } from '../helpers/transport.js';

const KIB = 1024;

/** Answers without an end, as fast as it is read. */
function answerForEver(socket: Socket): void {
  socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
  const more = (): void => {
    while (!socket.destroyed && socket.write(`3e8\r\n${'x'.repeat(1000)}\r\n`));
    if (!socket.destroyed) socket.once('drain', more);
  };
  more();
}

t.test('an answer beyond the cap is cut, and the connection that carries it is ended', async (t) => {
  const closings: Promise<unknown>[] = [];
  const url = await listenTcp(t, (socket) => {
    closings.push(new Promise((resolve) => socket.once('close', resolve)));
    socket.once('data', () => answerForEver(socket));
  });
  const result = await send(transportFor(t), url);
  t.strictSame([result.status, result.error], [200, null]);
  t.equal(result.responseBody, 'x'.repeat(16 * KIB));
  await closings[0];
  t.equal(closings.length, 1, 'and no other is opened in its place');
});

t.test('an answer up to the cap is kept whole, and its connection too', async (t) => {
  const bodies = ['', 'y'.repeat(16 * KIB), 'z'.repeat(16 * KIB - 1)];
  let body = '';
  const receiver = await createReceiver(t, { respond: () => ({ status: 200, body }) });
  const transport = transportFor(t, { connections: 1 });
  for (body of bodies) t.equal((await send(transport, receiver.url)).responseBody, body);
  t.equal(receiver.connections, 1);
});

t.test('what is kept of an answer is text that a database takes', async (t) => {
  const cases: [Buffer, string][] = [
    [Buffer.from('é'.repeat(8)), 'ééé'],
    [Buffer.from('a\0b'), 'a\u{fffd}b'],
    [Buffer.from([0x61, 0xff, 0x62]), 'a\u{fffd}b'],
  ];
  let body: Buffer = Buffer.alloc(0);
  const receiver = await createReceiver(t, { respond: () => ({ status: 200, body }) });
  const transport = transportFor(t, { responseBytesMax: 7 });
  for (const [bytes, expected] of cases) {
    body = bytes;
    t.equal((await send(transport, receiver.url)).responseBody, expected);
  }
});

t.test('a receiver that never answers is a timeout', async (t) => {
  const receiver = await createReceiver(t, { respond: () => null });
  const result = await send(transportFor(t, { requestTimeoutMs: 400 }), receiver.url);
  t.match(result, { status: null, responseBody: '', error: { code: 'timeout' } });
  t.equal(receiver.requests.length, 1, 'nothing is sent again by itself');
});

t.test('an answer that begins and never ends is a timeout with what there was of it', async (t) => {
  const url = await listenHttp(t, (_request, response) => {
    response.writeHead(200, { 'content-length': '100', 'retry-after': '3' }).write('some');
  });
  const result = await send(transportFor(t, { requestTimeoutMs: 400 }), url);
  t.match(result, {
    status: 200,
    responseBody: 'some',
    responseHeaders: { 'retry-after': '3' },
    error: { code: 'timeout' },
  });
});

t.test('a connection whose answer is overdue is let go, and its origin works again', async (t) => {
  const receiver = await createReceiver(t, {
    respond: ({ path }) => (path === '/hangs' ? null : { status: 200 }),
  });
  const transport = transportFor(t, { connections: 1, requestTimeoutMs: 400 });
  t.equal((await send(transport, `${receiver.url}/hangs`)).error?.code, 'timeout');
  t.equal((await send(transport, `${receiver.url}/later`)).status, 200);
  t.strictSame(
    receiver.requests.map(({ path }) => path),
    ['/hangs', '/later'],
  );
});

t.test('a connection that is not made in time is a connect timeout, and is given up', async (t) => {
  const closings: Promise<unknown>[] = [];
  const silent = await listenTcp(t, (socket) => {
    closings.push(new Promise((resolve) => socket.resume().once('close', resolve)));
  });
  const transport = transportFor(t, { connectTimeoutMs: 200, lookup: () => new Promise<never>(() => {}) });
  const unanswered = await send(transport, silent.replace('http:', 'https:'));
  t.match(
    unanswered,
    { status: null, connectMs: null, error: { code: 'connect_timeout' } },
    'TLS in silence',
  );
  t.equal(closings.length, 1);
  await closings[0];
  const unresolved = await send(transport, 'http://hooks.example.com/');
  t.match(
    unresolved,
    { status: null, connectMs: null, error: { code: 'connect_timeout' } },
    'DNS in silence',
  );
});

/** A server that answers every first packet with these bytes. */
const answering = (t: Test, bytes: string): Promise<string> =>
  listenTcp(t, (socket) => socket.once('data', () => socket.write(bytes)));

t.test('each way to fail has its code', async (t) => {
  const garbage = await answering(t, 'no http at all\r\n\r\n');
  const upgrade = await answering(t, 'HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n');
  const early = await answering(t, 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n');
  const hinted = await listenTcp(t, (socket) =>
    socket.once('data', () => socket.end('HTTP/1.1 103 Early Hints\r\n\r\n')),
  );
  const large = await answering(t, `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(20 * KIB)}\r\n\r\n`);
  const reset = await listenTcp(t, (socket) => socket.once('data', () => socket.resetAndDestroy()));
  const cut = await listenHttp(t, (_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('some', () => response.destroy());
  });
  const cases: [url: string, status: number | null, code: string | undefined][] = [
    [garbage, null, 'protocol'],
    [large, null, 'protocol'],
    [reset, null, 'connection'],
    [cut, 200, 'connection'],
    [upgrade, null, 'connection'],
    [early, 204, undefined],
    [hinted, null, 'connection'],
    [garbage.replace('http:', 'https:'), null, 'tls'],
    [await unusedUrl(), null, 'connection'],
    ['http://hooks.example.com', null, 'dns'],
    ['ftp://hooks.example.com', null, 'refused_url'],
    ['http://169.254.169.254', null, 'refused_address'],
  ];
  const lookup = () => Promise.reject(new Error('getaddrinfo ENOTFOUND hooks.example.com'));
  const transport = transportFor(t, { lookup });
  for (const [url, status, code] of cases) {
    const { error, ...result } = await send(transport, url);
    t.strictSame([result.status, error?.code], [status, code], `${url} ${error?.message}`);
    t.equal(error?.message.length === 0, false, 'and says what happened');
  }
});

t.test(
  'headers that cannot be sent or that steer the connection are refused and cost the origin nothing',
  async (t) => {
    const receiver = await createReceiver(t);
    const transport = transportFor(t, { connections: 1 });
    const first = send(transport, receiver.url);
    const bad = [
      ['x-a', 'a\r\nx-b: c'],
      ['x a', 'b'],
      ['', 'b'],
      ['x-a', 'a\u{1f600}'],
      ['Host', 'elsewhere.example'],
      ['connection', 'close'],
      ['content-length', '1'],
      ['transfer-encoding', 'chunked'],
      ['expect', '100-continue'],
      ['upgrade', 'h2c'],
      ['keep-alive', 'x'],
    ];
    for (const [name = '', value = ''] of bad) {
      const result = await transport.send({ url: receiver.url, headers: { [name]: value }, body: '{}' });
      t.equal(result.error?.code, 'invalid_request', JSON.stringify([name, value]));
    }
    t.equal((await first).status, 200);
    t.equal((await send(transport, receiver.url)).status, 200);
    t.equal(receiver.requests.length, 2);
  },
);
