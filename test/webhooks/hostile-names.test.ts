// Names that look innocent: whatever their resolver answers, and however it changes its mind, no connection is
// attempted unless every address that it gave for it is public.

import t from 'tap';
import { createTransport, type Lookup } from '../../src/webhooks/transport.js';
import { openOutbox } from '../outbox/fixture.js';
import { PUBLIC, send, startCanary } from './canary.js';

const canary = await startCanary(t);
const { port } = canary;

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
    canary.reset();
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
    t.equal(canary.attempts, 0, 'no connection was attempted');
    t.equal(await canary.countTaken(), 0, 'the canary saw none');
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
    canary.reset();
    for (const [index, address] of answers.entries()) {
      const { status, error } = await send(transport, `http://rebinding.example.com:${port}/`);
      t.equal(lookups, index + 1, 'one lookup for one connection');
      t.equal(status, null);
      // Nobody has the public address: refused by the routing here, or silence.
      const expected = address === PUBLIC ? /^(connection|connect_timeout)$/ : /^refused_address$/;
      t.match(error?.code, expected, address);
    }
    await transport.close();
    t.equal(await canary.countTaken(), 0, 'the canary saw none');
  },
);

/** Names that are bound anew at each question, always to somewhere else within. */
function rebind(): { lookup: Lookup; asked: () => number } {
  const others = ['127.0.0.1', '::1', '10.0.0.1', '169.254.169.254', '::ffff:127.0.0.1', 'fd00:ec2::254'];
  const times = new Map<string, number>();
  let asked = 0;
  const lookup: Lookup = async (name) => {
    const time = times.get(name) ?? 0;
    times.set(name, time + 1);
    asked += 1;
    return [{ address: others[(time + name.length) % others.length] ?? '::1' }];
  };
  return { lookup, asked: () => asked };
}

t.test('deliveries to endpoints that have turned hostile since reach nobody and are recorded', async (t) => {
  const outbox = await openOutbox(t);
  const tenantId = await outbox.tenant();
  const innocent = Array.from(
    { length: 20 },
    (_, index) => `http://${'a'.repeat(index + 1)}.example.com:${port}/`,
  );
  // From when private receivers were allowed.
  const literals = ['127.0.0.1', 'localhost', '10.0.0.1', '[::1]', 'db.internal', '192.168.1.1'];
  const urls = [...innocent, ...literals.map((host) => `http://${host}:${port}/`)];
  for (const url of urls) await outbox.endpoint(tenantId, url);
  await outbox.publish(tenantId, [{}, {}]);
  const { lookup, asked } = rebind();
  const transport = createTransport({ allowPrivate: false, allowHttp: true, lookup });
  t.teardown(() => transport.close());
  const deliverer = outbox.worker(t, { transport });
  canary.reset();
  // The connections to the database are connections too: what counts here is what the canary takes.
  while ((await deliverer.pump(outbox.clock.now())) > 0) await deliverer.settled();
  t.equal(await canary.countTaken(), 0, 'the canary saw none');
  t.ok(asked() >= innocent.length, 'every name was resolved when it was sent to');
  const attempts = await outbox.sql<{ error: string; count: number }>(
    `SELECT substring(error from '^[a-z_]+') AS error, count(*)::int AS count FROM delivery_attempts GROUP BY 1`,
  );
  t.same(attempts, [{ error: 'refused_address', count: 2 * urls.length }]);
});

t.test(
  'plain http to a name goes to private addresses only, unless it is allowed to go anywhere',
  async (t) => {
    const lookup: Lookup = async () => [{ address: '93.184.215.14' }];
    const transport = createTransport({ allowPrivate: true, allowHttp: false, lookup });
    t.teardown(() => transport.close());
    for (const url of ['http://hooks.corp/x', 'http://intranet/x', 'http://hooks.example.com/x']) {
      const { error } = await transport.send({ url, headers: {}, body: '{}' });
      t.equal(error?.code, 'refused_address', url);
    }
  },
);
