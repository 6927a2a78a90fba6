import t from 'tap';
import { newSecret, webhookHeaders } from '../../src/webhooks/sign.js';
import type { SendResult } from '../../src/webhooks/transport.js';
import { listenTcp } from '../helpers/raw-server.js';
import { createReceiver } from '../helpers/receiver.js';
import { gate, send, transportFor } from '../helpers/transport.js';

t.test('a signed delivery arrives byte for byte and verifies', async (t) => {
  const secret = newSecret(Buffer.alloc(32, 7));
  const receiver = await createReceiver(t, {
    secret,
    respond: () => ({ status: 202, body: 'thanks 谢谢', headers: { 'retry-after': '7' } }),
  });
  const body = JSON.stringify({ type: 'customer.churned', data: { name: '顾客 \u{1f600}' } });
  const timestampS = Math.floor(Date.now() / 1000);
  const extra = { 'x-team': 'retention' };
  const headers = webhookHeaders({ id: 'evt-1', timestampS, body, secrets: [secret], extra });
  const result = await transportFor(t).send({ url: `${receiver.url}/hook?tenant=a%20b`, headers, body });
  t.match(result, {
    status: 202,
    error: null,
    responseBody: 'thanks 谢谢',
    responseHeaders: { 'retry-after': '7' },
  });
  t.ok(
    (result.connectMs ?? -1) >= 0 && result.durationMs >= (result.connectMs ?? Number.NaN),
    'durations are in order',
  );
  const [request] = receiver.requests;
  t.match(request, {
    method: 'POST',
    path: '/hook?tenant=a%20b',
    body,
    json: JSON.parse(body),
    verified: true,
  });
  t.match(request?.headers, {
    ...headers,
    host: `127.0.0.1:${receiver.port}`,
    'content-length': String(Buffer.byteLength(body)),
  });
});

t.test('the receiver of the helpers does not verify what is not signed with its secret', async (t) => {
  const [mine, theirs] = [newSecret(Buffer.alloc(24, 1)), newSecret(Buffer.alloc(24, 2))];
  const receiver = await createReceiver(t, { secret: mine });
  const input = { id: 'evt', timestampS: Math.floor(Date.now() / 1000), body: '{}' };
  const transport = transportFor(t);
  await transport.send({
    url: receiver.url,
    body: '{}',
    headers: webhookHeaders({ ...input, secrets: [theirs] }),
  });
  await transport.send({
    url: receiver.url,
    body: '{ }',
    headers: webhookHeaders({ ...input, secrets: [mine] }),
  });
  await transport.send({
    url: receiver.url,
    body: '{}',
    headers: webhookHeaders({ ...input, secrets: [mine] }),
  });
  t.strictSame(
    receiver.requests.map(({ verified }) => verified),
    [false, false, true],
  );
});

t.test('every status is a result, and only an answer that is none has a null', async (t) => {
  let status = 200;
  const receiver = await createReceiver(t, { respond: () => ({ status }) });
  const transport = transportFor(t);
  for (status of [200, 204, 301, 400, 404, 410, 429, 500, 503]) {
    const result = await send(transport, receiver.url);
    t.strictSame([result.status, result.error, result.responseHeaders], [status, null, {}], `${status}`);
  }
});

t.test('a name is resolved once, keeps its Host, and its connection is used again', async (t) => {
  const receiver = await createReceiver(t);
  const asked: string[] = [];
  const lookup = async (name: string) => {
    asked.push(name);
    return [{ address: '127.0.0.1' }];
  };
  // One connection: a pool that may have more opens a second for what follows in the same turn.
  const transport = transportFor(t, { lookup, connections: 1 });
  const results: SendResult[] = [];
  for (let index = 0; index < 3; index += 1) {
    results.push(await send(transport, `http://Hooks.Example.com.:${receiver.port}/${index}`));
  }
  t.strictSame(
    results.map(({ status }) => status),
    [200, 200, 200],
  );
  t.strictSame(asked, ['hooks.example.com']);
  t.equal(receiver.connections, 1);
  t.strictSame(
    receiver.requests.map(({ headers }) => headers.host),
    Array(3).fill(`hooks.example.com:${receiver.port}`),
  );
});

t.test('when the first address of a name does not answer, the next one is tried', async (t) => {
  const receiver = await createReceiver(t);
  const lookup = async () => [{ address: '127.0.0.2' }, { address: '127.0.0.3' }, { address: '127.0.0.1' }];
  const result = await send(transportFor(t, { lookup }), `http://hooks.example.com:${receiver.port}/`);
  t.equal(result.status, 200);
});

t.test('connections that open together share one lookup, and later ones ask again', async (t) => {
  const { opened, open } = gate();
  const receiver = await createReceiver(t);
  let lookups = 0;
  const lookup = async () => {
    lookups += 1;
    await opened;
    return [{ address: '127.0.0.1' }];
  };
  const transport = transportFor(t, { lookup });
  const url = `http://hooks.example.com:${receiver.port}/`;
  const sends = [send(transport, url), send(transport, url), send(transport, url)];
  open();
  t.strictSame(
    (await Promise.all(sends)).map(({ status }) => status),
    [200, 200, 200],
  );
  t.equal(lookups, 1);
  const other = await createReceiver(t);
  t.equal((await send(transport, `http://hooks.example.com:${other.port}/`)).status, 200);
  t.equal(lookups, 2, 'an answer is never kept');
});

t.test('an origin has no more connections than allowed, and the requests that wait are sent', async (t) => {
  const { opened, open } = gate();
  const receiver = await createReceiver(t, { respond: () => opened.then(() => ({ status: 200 })) });
  const transport = transportFor(t, { connections: 2 });
  const sends = Array.from({ length: 6 }, (_, index) => send(transport, `${receiver.url}/${index}`));
  await receiver.waitFor(2);
  t.equal(receiver.connections, 2);
  open();
  t.strictSame(
    (await Promise.all(sends)).map(({ status }) => status),
    Array(6).fill(200),
  );
  t.equal(receiver.connections, 2);
  t.equal(receiver.requests.length, 6);
});

t.test('beyond originsMax, the connections that have been idle longest are closed', async (t) => {
  const closed: string[] = [];
  const closing = new Map<string, Promise<unknown>>();
  const urls: string[] = [];
  for (const name of ['a', 'b', 'c']) {
    const url = await listenTcp(t, (socket) => {
      closing.set(
        name,
        new Promise((resolve) => socket.once('close', resolve)).then(() => closed.push(name)),
      );
      socket.on('data', () => socket.write('HTTP/1.1 204 No Content\r\n\r\n'));
    });
    urls.push(url);
  }
  const transport = transportFor(t, { originsMax: 2 });
  const [a = '', b = '', c = ''] = urls;
  for (const url of [a, b, a, c]) t.equal((await send(transport, url)).status, 204);
  await closing.get('b');
  t.strictSame(closed, ['b'], 'a was used after b');
  t.equal((await send(transport, a)).status, 204);
  t.equal((await send(transport, b)).status, 204, 'an origin that was dropped can be used again');
  await closing.get('c');
  t.ok(closed.includes('c'));
});
