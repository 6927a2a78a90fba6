// A canary listens on every loopback address. Whatever leads to it, or to any other address that is not
// public, must end without one connection being attempted.

import { createHook } from 'node:async_hooks';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, isIP } from 'node:net';
import t from 'tap';
import { createConnector } from '../../src/webhooks/connector.js';
import { createTransport, type Lookup, type SendResult } from '../../src/webhooks/transport.js';
import { createReceiver } from '../helpers/receiver.js';

/** Public by every registry but assigned to nobody, so that no packet to it reaches anyone. */
const PUBLIC = '2d00::1';

/** TCP connections that this process has begun through any module, counted before they can be answered. */
let attempts = 0;
createHook({
  init(_id, type) {
    if (type === 'TCPCONNECTWRAP') attempts += 1;
  },
}).enable();

let accepted = 0;
const canary = createServer((socket) => {
  accepted += 1;
  socket.on('error', () => {});
  socket.end('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n');
});
await new Promise<void>((resolve) => {
  // Where the machine has no IPv6, on IPv4 alone.
  canary.once('error', () => canary.listen(0, '0.0.0.0', resolve));
  canary.listen(0, '::', () => resolve());
});
const { port } = canary.address() as AddressInfo;
t.teardown(() => canary.close());

/** A connection of ours: when the canary has taken it, it has taken every one that was made before it. */
async function connectToCanary(): Promise<void> {
  const taken = once(canary, 'connection');
  const probe = connect(port, '127.0.0.1').on('error', () => {});
  await taken;
  probe.destroy();
}

const send = (transport: ReturnType<typeof createTransport>, url: string): Promise<SendResult> =>
  transport.send({ url, headers: { 'content-type': 'application/json' }, body: '{}' });

const words = (text: string): string[] => text.trim().split(/\s+/);

/** Hosts that are or become a literal, each tried on the canary's port over http and https. */
const HOSTS = words(`
  127.0.0.1 127.0.0.1. 127.1 127.0.1 127.255.255.254 2130706433 0x7f000001 0x7f.1 0X7f.0.0.1 0177.0.0.1
  017700000001 0177.0x0.0.01 00000000000000000177.1 １２７.０.０.１ 127。0。0。1 %31%32%37.0.0.1 0 0.0.0.0 0x0 [::1]
  [0:0:0:0:0:0:0:1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] [::ffff:0:127.0.0.1]
  [64:ff9b::127.0.0.1] [64:ff9b:1::7f00:1] [2002:7f00:1::] [2001:0:7f00:1::80ff:fffe]
  [2606:4700::5efe:7f00:1] 10.0.0.1 10.1 172.16.0.1 172.31.255.255 192.168.0.1 192.168.257 3232235521
  100.64.0.1 100.100.100.200 169.254.169.254 0xa9fea9fe 2852039166 169.254.170.2 168.63.129.16 192.0.0.192
  [fd00:ec2::254] [fd20:ce::254] [fc00::1] [fd12:3456::1] [fe80::1] [fe80::a9fe:a9fe] [fec0::1] [ff02::1]
  224.0.0.1 239.255.255.250 255.255.255.255 240.0.0.1 192.0.2.1 198.51.100.1 203.0.113.1 198.18.0.1
  [2001:db8::1] [3fff::1] [100::1] [2001:2::1] [2001:10::1] [5f00::1]
`);
const NAMES = words(`
  localhost LOCALHOST localhost. foo.localhost foo.localhost. ⓛocalhost %6c%6fcalhost localhost.localdomain
  metadata.google.internal METADATA.google.internal. metadata.goog db.internal printer.local router.lan
  kubernetes.default.svc nas.home.arpa postgres
`);
const URLS = [
  ...words(`
    file:///etc/passwd gopher://127.0.0.1:${port}/_x ftp://127.0.0.1:${port}/ ws://127.0.0.1:${port}/ data:text/plain,x
    http:\\\\127.0.0.1:${port}\\ http://127.0.0.1:${port}\\@example.com/ http://example.com@127.0.0.1:${port}/
    http://user:pass@example.com:${port}/ http://127.0.0.1:${port}#.example.com http:127.0.0.1:${port}
    http:///127.0.0.1:${port} http://example.com:22/ http://example.com:25/ http://example.com:0/
    http://[::1%25lo]:${port}/ http://a..example.com/ //127.0.0.1:${port} http://example.com/${'a'.repeat(3000)}
  `),
  ...[
    '',
    `http://example.com\t@127.0.0.1:${port}/`,
    `http://127.0.0.1:${port}\n`,
    ` http://127.0.0.1:${port}`,
  ],
];

t.test('no hostile url or literal makes a connection, nor is a resolver ever asked', async (t) => {
  const asked: string[] = [];
  const lookup: Lookup = async (name) => {
    asked.push(name);
    return [{ address: '127.0.0.1' }];
  };
  const transport = createTransport({ allowPrivate: false, allowHttp: true, lookup });
  const authorities = [...HOSTS, ...NAMES].map((host) => `${host}:${port}/`);
  const urls = [...URLS, ...authorities.flatMap((rest) => [`http://${rest}`, `https://${rest}`])];
  t.ok(urls.length >= 60, `${urls.length} urls`);
  attempts = 0;
  accepted = 0;
  for (const url of urls) {
    const { status, error } = await send(transport, url);
    t.equal(status, null, url);
    t.match(error?.code, /^refused_(url|address)$/, url);
  }
  await transport.close();
  t.strictSame(asked, [], 'no name was resolved');
  t.equal(attempts, 0, 'no connection was attempted');
  await connectToCanary();
  t.equal(accepted, 1, 'the canary saw the probe alone');
});

t.test('the connector refuses a literal by itself, should a url ever come to it unchecked', async (t) => {
  const lookup: Lookup = () => Promise.reject(new Error('a literal is not to be looked up'));
  const { signal } = new AbortController();
  const connector = createConnector({ allowPrivate: false, connectTimeoutMs: 5000, lookup, signal });
  const literals = HOSTS.map((host) => host.replace(/^\[(.*)\]$/, '$1')).filter((host) => isIP(host) !== 0);
  t.ok(literals.length >= 40, `${literals.length} literals`);
  attempts = 0;
  for (const hostname of literals) {
    for (const protocol of ['http:', 'https:']) {
      const outcome = await new Promise<unknown>((resolve) => {
        connector({ hostname, protocol, port: String(port) }, (error, socket) => resolve(error ?? socket));
      });
      t.match(outcome, { name: 'ConnectError', code: 'refused_address' }, `${protocol}//${hostname}`);
    }
  }
  t.equal(attempts, 0, 'no connection was attempted');
});

/** What a resolver may answer for a name that looks innocent. */
const ANSWERS: [string, string[]][] = [
  ['loopback', ['127.0.0.1']],
  ['loopback IPv6', ['::1']],
  ['private', ['10.0.0.1']],
  ['public, then private', [PUBLIC, '192.168.1.1']],
  ['private, then public', ['127.0.0.1', PUBLIC]],
  ['one bad among many', [...Array<string>(50).fill(PUBLIC), '127.0.0.1', PUBLIC]],
  ['metadata', ['169.254.169.254']],
  ['metadata IPv6', ['fd00:ec2::254']],
  ['metadata at a public address', ['168.63.129.16']],
  ['mapped', ['::ffff:127.0.0.1']],
  ['mapped public', ['::ffff:8.8.8.8']],
  ['compatible', ['::127.0.0.1']],
  ['NAT64', ['64:ff9b::7f00:1']],
  ['6to4', ['2002:7f00:1::']],
  ['Teredo', ['2001:0:7f00:1::']],
  ['unspecified', ['0.0.0.0']],
  ['unspecified IPv6', ['::']],
  ['broadcast', ['255.255.255.255']],
  ['multicast', ['224.0.0.1']],
  ['link-local with a zone', ['fe80::1%lo']],
  ['a public one with a zone', [`${PUBLIC}%lo`]],
  ['octal text', ['0177.0.0.1']],
  ['short text', ['127.1']],
  ['decimal text', ['2130706433']],
  ['brackets', ['[::1]']],
  ['another name', ['localhost']],
  ['empty text', ['']],
  ['with a port', [`127.0.0.1:${port}`]],
];

t.test(
  'no answer of a resolver leads to a connection unless every one of its addresses is public',
  async (t) => {
    const transport = createTransport({
      allowPrivate: false,
      allowHttp: true,
      lookup: async (name) =>
        (ANSWERS[Number(name.split('.')[1])]?.[1] ?? []).map((address) => ({ address })),
    });
    attempts = 0;
    accepted = 0;
    for (const [index, [why]] of ANSWERS.entries()) {
      for (const scheme of ['http', 'https']) {
        const { status, error } = await send(transport, `${scheme}://hook.${index}.example.com:${port}/`);
        t.strictSame([status, error?.code], [null, 'refused_address'], why);
        t.notMatch(error?.message, /\d\.\d|::/, 'the answer does not tell what the name resolves to');
      }
    }
    const nothing = await send(transport, `https://hook.${ANSWERS.length}.example.com:${port}/`);
    t.equal(nothing.error?.code, 'dns', 'a name without an address');
    await transport.close();
    t.equal(attempts, 0, 'no connection was attempted');
    await connectToCanary();
    t.equal(accepted, 1, 'the canary saw the probe alone');
  },
);

t.test(
  'a name that is rebound after it was checked leads nowhere: it is resolved once a connection',
  async (t) => {
    const answers = [PUBLIC, '127.0.0.1', '127.0.0.1', PUBLIC, '::1'];
    let lookups = 0;
    const transport = createTransport({
      allowPrivate: false,
      allowHttp: true,
      connectTimeoutMs: 200,
      lookup: async () => [{ address: answers[lookups++] ?? '127.0.0.1' }],
    });
    accepted = 0;
    for (const [index, address] of answers.entries()) {
      const { status, error } = await send(transport, `http://rebinding.example.com:${port}/`);
      t.equal(lookups, index + 1, 'one lookup for one connection');
      t.equal(status, null);
      // Nobody has the public address: refused by the routing here, or silence.
      const expected = address === PUBLIC ? /^(connection|connect_timeout)$/ : /^refused_address$/;
      t.match(error?.code, expected, address);
    }
    await transport.close();
    await connectToCanary();
    t.equal(accepted, 1, 'the canary saw the probe alone');
  },
);

t.test('no redirect is followed, whatever its status and wherever it leads', async (t) => {
  const targets = [
    `http://127.0.0.1:${port}/`,
    `http://[::1]:${port}/`,
    `//127.1:${port}/`,
    `http://localhost:${port}/`,
  ];
  let answer = { status: 302, location: '' };
  const receiver = await createReceiver(t, {
    respond: () => {
      const { status, location } = answer;
      return { status, headers: { location, refresh: `0;url=${location}`, 'content-location': location } };
    },
  });
  // Private addresses are allowed here: what holds a redirect back must not be the address alone.
  const transport = createTransport({ allowPrivate: true, allowHttp: true });
  accepted = 0;
  for (const status of [300, 301, 302, 303, 305, 307, 308]) {
    for (const location of targets) {
      answer = { status, location };
      const result = await send(transport, `${receiver.url}/hook`);
      t.strictSame([result.status, result.error], [status, null], `${status} to ${location}`);
    }
  }
  await transport.close();
  t.equal(receiver.requests.length, 7 * targets.length, 'one request each');
  await connectToCanary();
  t.equal(accepted, 1, 'the canary saw the probe alone');
});

t.test('proxies named in the environment are not used', async (t) => {
  const receiver = await createReceiver(t);
  const names = ['http_proxy', 'https_proxy', 'all_proxy'].flatMap((name) => [name, name.toUpperCase()]);
  const before = names.map((name) => process.env[name]);
  t.teardown(() => {
    for (const [index, name] of names.entries()) {
      const value = before[index];
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  for (const name of names) process.env[name] = `http://127.0.0.1:${port}`;
  const transport = createTransport({ allowPrivate: true, allowHttp: true });
  accepted = 0;
  t.equal((await send(transport, receiver.url)).status, 200);
  await transport.close();
  await connectToCanary();
  t.equal(accepted, 1, 'the canary saw the probe alone');
});

t.test('with allowPrivate the same urls do connect, so the counts above can be believed', async (t) => {
  const lookup: Lookup = async () => [{ address: '127.0.0.1' }];
  const transport = createTransport({ allowPrivate: true, allowHttp: false, lookup });
  const hosts = [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    'localhost',
    'postgres',
    'hook.example.com',
  ];
  attempts = 0;
  accepted = 0;
  for (const host of hosts) t.equal((await send(transport, `http://${host}:${port}/`)).status, 204, host);
  t.equal(
    (await send(transport, `https://hook.example.com:${port}/`)).error?.code,
    'tls',
    'over TLS as well',
  );
  await transport.close();
  t.equal(attempts, hosts.length + 1);
  await connectToCanary();
  t.equal(accepted, hosts.length + 2, 'theirs and the probe');
});
