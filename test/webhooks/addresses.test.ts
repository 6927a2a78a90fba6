import fc from 'fast-check';
import t from 'tap';
import {
  ADDRESS_CLASSES,
  type AddressClass,
  checkUrl,
  classifyAddress,
  isAllowedClass,
  type UrlRefusal,
} from '../../src/webhooks/addresses.js';

const STRICT = { allowPrivate: false, allowHttp: false };
const PRIVATE = { allowPrivate: true, allowHttp: false };

const words = (text: string): string[] => text.trim().split(/\s+/);

/** Both ends of every range, so that a prefix that is one bit off fails. */
const CLASSES: Record<AddressClass, string> = {
  public: `
    1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255
    169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0 198.17.255.255
    198.20.0.0 223.255.255.255 8.8.8.8 0x08.8.0x808 134744072 168.63.129.15 2001:200::1
    2001:4860:4860::8888 2606:4700:4700::1111 2001:db7:ffff::1 2003::1 3ffe:ffff::1 2a00:1450:4001::5efe:1
  `,
  loopback: `
    127.0.0.0 127.0.0.1 127.255.255.255 127.1 127.0.1 2130706433 0x7f000001 0x7f.1 0X7F.0.0.1 0177.0.0.1
    017700000001 0177.0x0.0.01 ::1 0:0:0:0:0:0:0:1 ::0001
  `,
  private: `
    10.0.0.0 10.255.255.255 10.1 167772161 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255
    0300.0250.1 fc00:: fd12:3456:789a::1 fdff:ffff::1 fec0::1 feff::1
  `,
  shared: '100.64.0.0 100.127.255.255',
  link_local: '169.254.0.0 169.254.255.255 fe80::1 febf:ffff::1 fe80::1%eth0 2001:4860::1%eth0',
  metadata: `
    169.254.169.254 0xa9fea9fe 2852039166 169.254.43518 169.254.170.2 169.254.170.23 100.100.100.200
    192.0.0.192 168.63.129.16 fd00:ec2::254 fd00:ec2::23 fd20:ce::254 fd00:42::42
  `,
  multicast: '224.0.0.0 239.255.255.255 ff00:: ff02::1 ffff::1',
  unspecified: '0.0.0.0 0 0x0 0.255.255.255 :: 0::0',
  broadcast: '255.255.255.255 4294967295 0xffffffff',
  documentation: '192.0.2.0 198.51.100.255 203.0.113.7 2001:db8::1 2001:db8:ffff::1 3fff::1 3fff:fff::1',
  benchmarking: '198.18.0.0 198.19.255.255 2001:2::1',
  embedded_ipv4: `
    ::ffff:8.8.8.8 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:0:127.0.0.1 ::8.8.8.8 ::7f00:1 ::2 ff::1
    64:ff9b::8.8.8.8 64:ff9b::7f00:1 64:ff9b:1::a00:1 2002:7f00:1:: 2002:808:808::1
    2001:0:4136:e378:8000:63bf:3fff:fdd2 2606:4700::5efe:7f00:1 2606:4700::200:5efe:10.0.0.1
  `,
  reserved: `
    192.0.0.0 192.0.0.255 192.31.196.1 192.52.193.1 192.88.99.1 192.175.48.1 240.0.0.0 255.255.255.254
    100::1 200::1 1fff::1 4000::1 5f00::1 8000::1 e000::1 2001:1::1 2001:10::1 2001:20::1 2001:30::1
    2001:1ff::1 2620:4f:8000::1
  `,
  invalid: `
    localhost example.com 1.2.3.4.5 256.1.1.1 1.256.1.1 4294967296 0x100000000 08.1.1.1 127.0.0.1. 127..1
    .127.1 1.16777216 1e3 -1 +1 [::1] ::: 1::2::3 12345:: 1:2:3:4:5:6:7:8:9 ::g 127.0.0.1:80 127.0.0.1/8
    fe80::1%
  `,
};
/** Those of them that a list of words cannot hold. */
const INVALID = ['', ' ', ' 127.0.0.1', '127.0.0.1 ', '127.0.0.1\n', '127.0.0.1\0'];

t.test('every range, to its ends and in every spelling, has its class', async (t) => {
  t.strictSame(Object.keys(CLASSES).sort(), [...ADDRESS_CLASSES].sort(), 'every class has samples');
  for (const [expected, samples] of Object.entries(CLASSES)) {
    for (const ip of words(samples)) t.equal(classifyAddress(ip), expected, ip);
  }
  for (const ip of INVALID) t.equal(classifyAddress(ip), 'invalid', JSON.stringify(ip));
});

t.test(
  'only public addresses are allowed; allowPrivate adds loopback, private and shared ones',
  async (t) => {
    const allowed = (allowPrivate: boolean): AddressClass[] =>
      ADDRESS_CLASSES.filter((addressClass) => isAllowedClass(addressClass, { allowPrivate }));
    t.strictSame(allowed(false), ['public']);
    t.strictSame(allowed(true), ['public', 'loopback', 'private', 'shared']);
  },
);

t.test('no spelling of an IPv4 address changes its class, alone or in a url', async () => {
  const part = (value: number) =>
    fc.constantFrom(
      String(value),
      `0x${value.toString(16)}`,
      `0${value.toString(8)}`,
      `0X0${value.toString(16)}`,
    );
  const spelled = fc
    .tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 1, max: 4 }))
    .chain(([value, count]) => {
      const octets = [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256);
      const tail = value % 2 ** (8 * (5 - count));
      const parts = [...octets.slice(0, count - 1), tail].map(part);
      return fc.tuple(fc.constant(octets.join('.')), fc.tuple(...parts));
    });
  fc.assert(
    fc.property(spelled, ([plain, parts]) => {
      const expected = classifyAddress(plain);
      if (classifyAddress(parts.join('.')) !== expected) return false;
      const checked = checkUrl(`https://${parts.join('.')}/`, STRICT);
      return checked.ok ? expected === 'public' && checked.url.hostname === plain : expected !== 'public';
    }),
    { numRuns: 5000 },
  );
});

t.test('no IPv6 address outside 2000::/3 is public, and none that hides an IPv4 address', async () => {
  const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });
  const text = (parts: number[]): string => parts.map((part) => part.toString(16)).join(':');
  fc.assert(
    fc.property(groups, (parts) => {
      const isGlobal = Math.floor((parts[0] ?? 0) / 0x2000) === 1;
      return isGlobal || classifyAddress(text(parts)) !== 'public';
    }),
    { numRuns: 5000 },
  );
  const prefixes = [
    [0, 0, 0, 0, 0, 0xffff],
    [0, 0, 0, 0, 0xffff, 0],
    [0x64, 0xff9b, 0, 0, 0, 0],
    [0x64, 0xff9b, 1, 7, 7, 7],
  ];
  fc.assert(
    fc.property(fc.constantFrom(...prefixes), groups, (prefix, parts) => {
      return classifyAddress(text([...prefix, ...parts.slice(6)])) === 'embedded_ipv4';
    }),
  );
});

/** Urls by why they are refused; what has no scheme here is tried with https. */
const REFUSED: Record<Exclude<UrlRefusal, 'too_long'>, string[]> = {
  malformed: [
    ...words(`
      /// : a..example.com .example.com example.com.. . .. 1.2.3.4.5 256.1.1.1 [::1 [::1]x [fe80::1%25eth0] [::1%lo]
      example.com:65536 example.com:x xn--a example.com\\@127.0.0.1 example.com\\.127.0.0.1 https:\\\\127.0.0.1\\
    `),
    ...[
      'https://',
      'https:// example.com',
      ' https://example.com',
      'https://example.com/\n',
      'https://exam\tple.com',
    ],
    ...['https://example.com/\0', `https://${'a'.repeat(64)}.com`, `https://${'a.'.repeat(127)}com`],
  ],
  scheme_not_allowed: words(`
    ftp://example.com file:///etc/passwd gopher://127.0.0.1:70/ ws://example.com wss://example.com javascript:alert(1)
    data:text/plain,x unix:/var/run/docker.sock mailto:a@example.com blob:https://example.com/1 localhost:8080/
  `),
  http_not_allowed: words('http://example.com HTTP://EXAMPLE.COM http://127.0.0.1 http:example.com'),
  has_credentials: words(
    'https://user:pass@example.com user@example.com https://:pass@example.com example.com@127.0.0.1',
  ),
  has_fragment: words('example.com/#x example.com#@127.0.0.1'),
  port_not_allowed: [0, 1, 22, 25, 79, 81, 442, 444, 1023].map((port) => `https://example.com:${port}`),
  name_not_allowed: words(`
    localhost LOCALHOST localhost. foo.localhost foo.localhost. ⓛocalhost %6c%6fcalhost localhost.localdomain
    db.internal metadata.google.internal METADATA.google.internal. metadata.goog printer.local
    kubernetes.default.svc router.lan nas.home nas.home.arpa wiki.corp wiki.intranet x.private postgres metadata
  `),
  address_not_allowed: words(`
    127.0.0.1 127.1 0x7f.1 0177.0.0.1 2130706433 127.0.0.1. １２７.０.０.１ 127。0。0。1 %31%32%37.1 0 [::1]
    [::ffff:127.0.0.1] [::127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::] [fe80::1] [fd00:ec2::254] 169.254.169.254
    10.1 [::ffff:8.8.8.8] /127.0.0.1
  `),
};
const withScheme = (url: string): string => (/^ ?[a-z]+:/i.test(url) ? url : `https://${url}`);

t.test('every kind of url that may not receive webhooks is refused with its reason', async (t) => {
  for (const [reason, urls] of Object.entries(REFUSED)) {
    for (const url of urls.map(withScheme)) {
      t.match(checkUrl(url, STRICT), { ok: false, reason, detail: /./ }, JSON.stringify(url));
    }
  }
  for (const url of ['', 'example.com', '//example.com', '/hook', '127.0.0.1']) {
    t.match(checkUrl(url, STRICT), { reason: 'malformed' }, `${url} has no scheme`);
  }
  for (const path of ['a'.repeat(2029), 'é'.repeat(1000)]) {
    t.match(checkUrl(`https://example.com/${path}`, STRICT), { reason: 'too_long' });
  }
});

t.test('a public https url is allowed and comes back normalised', async (t) => {
  const cases: [string, string][] = [
    ['https://example.com', 'https://example.com/'],
    ['https://Hooks.Example.com./a?b=c', 'https://hooks.example.com/a?b=c'],
    ['https://example.com:443/x', 'https://example.com/x'],
    ['https://example.com:80', 'https://example.com:80/'],
    ['https://example.com:1024', 'https://example.com:1024/'],
    ['https://example.com:65535', 'https://example.com:65535/'],
    ['https://bücher.example/é', 'https://xn--bcher-kva.example/%C3%A9'],
    ['https://134744072/', 'https://8.8.8.8/'],
    ['https://[2606:4700:4700:0::1111]/', 'https://[2606:4700:4700::1111]/'],
    ['https://localhost.example.com', 'https://localhost.example.com/'],
    ['https://internal.example.com', 'https://internal.example.com/'],
    ['https://my_hooks.example.com', 'https://my_hooks.example.com/'],
    [`https://example.com/${'a'.repeat(2028)}`, `https://example.com/${'a'.repeat(2028)}`],
  ];
  for (const [text, expected] of cases) {
    const checked = checkUrl(text, STRICT);
    t.equal(checked.ok && checked.url.href, expected, text);
  }
});

t.test(
  'plain http is allowed where allowHttp says so, and to private hosts where allowPrivate does',
  async (t) => {
    const http = { allowPrivate: false, allowHttp: true };
    t.match(checkUrl('http://example.com', http), { ok: true });
    t.match(checkUrl('http://127.0.0.1', http), { ok: false, reason: 'address_not_allowed' });
    for (const url of ['http://127.0.0.1:4000', 'http://10.0.0.7', 'http://[::1]', 'http://localhost:1234']) {
      t.match(checkUrl(url, PRIVATE), { ok: true }, url);
    }
    for (const url of ['http://93.184.216.34', 'http://1.1.1.1:8080', 'http://[2606:2800:220:1::1]']) {
      t.match(checkUrl(url, PRIVATE), { ok: false, reason: 'http_not_allowed' }, url);
    }
  },
);

t.test('allowPrivate opens private receivers and nothing else', async (t) => {
  const opened = words(`
    http://127.0.0.1:8080 http://127.1 http://[::1]:9000 http://10.0.0.5 http://192.168.1.1 http://100.64.0.1
    http://[fd12::1] http://localhost:3001/hook http://receiver:8080 http://db.internal http://a.b.svc
  `);
  for (const url of opened) t.match(checkUrl(url, PRIVATE), { ok: true }, url);
  const closed = words(`
    http://169.254.169.254 http://100.100.100.200 http://168.63.129.16 http://[fd00:ec2::254] http://169.254.1.1
    http://[fe80::1] http://0.0.0.0 http://[::] http://224.0.0.1 http://255.255.255.255 http://240.0.0.1
    http://[::ffff:127.0.0.1] http://[2002:7f00:1::] http://192.0.2.1 http://metadata.google.internal
    http://metadata.google.internal. http://127.0.0.1:22 http://user@127.0.0.1 ftp://127.0.0.1
  `);
  for (const url of closed) t.match(checkUrl(url, PRIVATE), { ok: false }, url);
});
