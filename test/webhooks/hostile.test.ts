// Whatever leads to the canary, or to any other address that is not public, must end without one connection being
// attempted: urls, literals, redirects and proxies here, names in hostile-names.test.ts.

import { isIP } from 'node:net';
import t from 'tap';
import { createConnector } from '../../src/webhooks/connector.js';
import { createTransport, type Lookup } from '../../src/webhooks/transport.js';
import { createReceiver } from '../helpers/receiver.js';
import { send, startCanary } from './canary.js';

const canary = await startCanary(t);
const { port } = canary;

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
  canary.reset();
  for (const url of urls) {
    const { status, error } = await send(transport, url);
    t.equal(status, null, url);
    t.match(error?.code, /^refused_(url|address)$/, url);
  }
  await transport.close();
  t.strictSame(asked, [], 'no name was resolved');
  t.equal(canary.attempts, 0, 'no connection was attempted');
  t.equal(await canary.countTaken(), 0, 'the canary saw none');
});

t.test('the connector refuses a literal by itself, should a url ever come to it unchecked', async (t) => {
  const lookup: Lookup = () => Promise.reject(new Error('a literal is not to be looked up'));
  const { signal } = new AbortController();
  const connector = createConnector({
    allowPrivate: false,
    allowHttp: true,
    connectTimeoutMs: 5000,
    lookup,
    signal,
  });
  const literals = HOSTS.map((host) => host.replace(/^\[(.*)\]$/, '$1')).filter((host) => isIP(host) !== 0);
  t.ok(literals.length >= 40, `${literals.length} literals`);
  canary.reset();
  for (const hostname of literals) {
    for (const protocol of ['http:', 'https:']) {
      const outcome = await new Promise<unknown>((resolve) => {
        connector({ hostname, protocol, port: String(port) }, (error, socket) => resolve(error ?? socket));
      });
      t.match(outcome, { name: 'ConnectError', code: 'refused_address' }, `${protocol}//${hostname}`);
    }
  }
  t.equal(canary.attempts, 0, 'no connection was attempted');
});

t.test('without WEBHOOK_ALLOW_HTTP plain http goes nowhere, by whatever name or port', async (t) => {
  const lookup: Lookup = () => Promise.reject(new Error('nothing is to be looked up'));
  const transport = createTransport({ allowPrivate: false, allowHttp: false, lookup });
  canary.reset();
  for (const host of ['hook.example.com', 'hook.example.com:80', `hook.example.com:${port}`, '8.8.8.8']) {
    for (const scheme of ['http', 'HTTP', 'hTtp']) {
      const { status, error } = await send(transport, `${scheme}://${host}/`);
      t.strictSame([status, error?.code], [null, 'refused_url'], `${scheme}://${host}/`);
    }
  }
  await transport.close();
  t.equal(canary.attempts, 0, 'no connection was attempted');
});

t.test('ports at which no receiver lives are refused, whoever it is that has them', async (t) => {
  const lookup: Lookup = () => Promise.reject(new Error('nothing is to be looked up'));
  const transport = createTransport({ allowPrivate: true, allowHttp: true, lookup });
  canary.reset();
  for (const at of [
    0, 1, 21, 22, 23, 25, 53, 79, 81, 110, 111, 143, 389, 442, 444, 445, 465, 514, 587, 873, 1023,
  ]) {
    for (const url of [`http://hook.example.com:${at}/`, `https://127.0.0.1:${at}/`]) {
      const { status, error } = await send(transport, url);
      t.strictSame([status, error?.code], [null, 'refused_url'], url);
    }
  }
  await transport.close();
  t.equal(canary.attempts, 0, 'no connection was attempted');
});

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
  canary.reset();
  for (const status of [300, 301, 302, 303, 305, 307, 308]) {
    for (const location of targets) {
      answer = { status, location };
      const result = await send(transport, `${receiver.url}/hook`);
      t.strictSame([result.status, result.error], [status, null], `${status} to ${location}`);
    }
  }
  await transport.close();
  t.equal(receiver.requests.length, 7 * targets.length, 'one request each');
  t.equal(await canary.countTaken(), 0, 'the canary saw none');
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
  canary.reset();
  t.equal((await send(transport, receiver.url)).status, 200);
  await transport.close();
  t.equal(await canary.countTaken(), 0, 'the canary saw none');
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
  canary.reset();
  for (const host of hosts) t.equal((await send(transport, `http://${host}:${port}/`)).status, 204, host);
  t.equal(
    (await send(transport, `https://hook.example.com:${port}/`)).error?.code,
    'tls',
    'over TLS as well',
  );
  await transport.close();
  t.equal(canary.attempts, hosts.length + 1);
  t.equal(await canary.countTaken(), hosts.length + 1);
});
