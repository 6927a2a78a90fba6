// How requests end before their answer: given up by their sender, or with the transport.

import t from 'tap';
import { createConnector } from '../../src/webhooks/connector.js';
import { listenTcp } from '../helpers/raw-server.js';
import { createReceiver } from '../helpers/receiver.js';
import { gate, send, transportFor } from '../helpers/transport.js';

t.test('a request can be given up, before and while it is sent', async (t) => {
  const receiver = await createReceiver(t, { respond: () => null });
  const transport = transportFor(t);
  const controller = new AbortController();
  const { signal } = controller;
  const pending = transport.send({ url: receiver.url, headers: {}, body: '{}', signal });
  await receiver.waitFor(1);
  controller.abort();
  t.match(await pending, { status: null, error: { code: 'aborted' } });
  t.match(await transport.send({ url: receiver.url, headers: {}, body: '{}', signal }), {
    error: { code: 'aborted' },
  });
  t.equal(receiver.requests.length, 1);
});

t.test('a request that is given up while it waits for a connection is never sent', async (t) => {
  const { opened, open } = gate();
  const receiver = await createReceiver(t, { respond: () => opened.then(() => ({ status: 200 })) });
  const transport = transportFor(t, { connections: 1 });
  const controller = new AbortController();
  const first = send(transport, `${receiver.url}/first`);
  const { signal } = controller;
  const second = transport.send({ url: `${receiver.url}/second`, headers: {}, body: '{}', signal });
  const third = send(transport, `${receiver.url}/third`);
  await receiver.waitFor(1);
  controller.abort();
  t.equal((await second).error?.code, 'aborted');
  open();
  t.strictSame([(await first).status, (await third).status], [200, 200]);
  t.strictSame(
    receiver.requests.map(({ path }) => path),
    ['/first', '/third'],
  );
});

t.test('many requests share one signal without a warning of a leak', async (t) => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  t.teardown(() => process.off('warning', onWarning));
  const { signal } = new AbortController();
  const receiver = await createReceiver(t);
  const transport = transportFor(t, { lookup: async () => [{ address: '127.0.0.1' }] });
  const sends = Array.from({ length: 24 }, (_, index) => {
    const url = `http://hook${index}.example.com:${receiver.port}/`;
    return transport.send({ url, headers: {}, body: '{}', signal });
  });
  t.strictSame(
    (await Promise.all(sends)).map(({ status }) => status),
    Array(24).fill(200),
  );
  t.strictSame(warnings, []);
});

t.test('close ends everything: what is sent, what waits, what connects, and what comes after', async (t) => {
  const receiver = await createReceiver(t, { respond: () => null });
  const { opened, open } = gate();
  const lookup = () => {
    open();
    return new Promise<never>(() => {});
  };
  const transport = transportFor(t, { connections: 1, lookup });
  const pending = [
    send(transport, `${receiver.url}/sent`),
    send(transport, `${receiver.url}/waits`),
    send(transport, 'http://hooks.example.com/connects'),
  ];
  await Promise.all([receiver.waitFor(1), opened]);
  await transport.close();
  await transport.close();
  const results = [...(await Promise.all(pending)), await send(transport, receiver.url)];
  t.strictSame(
    results.map(({ error }) => error?.code),
    Array(4).fill('aborted'),
  );
  t.equal(receiver.requests.length, 1);
});

t.test('a connection that is being made is given up when its transport closes', async (t) => {
  const closing = new AbortController();
  const { signal } = closing;
  const silent = await listenTcp(t, (socket) => {
    socket.resume();
    closing.abort();
  });
  const lookup = () => Promise.reject(new Error('a literal is not to be looked up'));
  const connector = createConnector({
    allowPrivate: true,
    allowHttp: true,
    connectTimeoutMs: 10_000,
    lookup,
    signal,
  });
  const target = { hostname: '127.0.0.1', protocol: 'https:', port: new URL(silent).port };
  for (const when of ['while it is made', 'before it is begun']) {
    const error = await new Promise((resolve) => connector(target, (...outcome) => resolve(outcome[0])));
    t.match(error, { code: 'aborted' }, when);
  }
});
