// Which certificates to trust is settled when a process starts, so the sender of the first test is a
// process of its own that trusts the test's certificate, as one with a private authority would.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { createTransport } from '../../src/webhooks/transport.js';
import { CERTIFICATE, CERTIFICATE_NAME, PRIVATE_KEY } from '../helpers/certificate.js';

interface SecureReceiver {
  port: number;
  /** The names that clients asked for while they said hello, whether or not they went on. */
  names: string[];
  hosts: (string | undefined)[];
}

async function listen(t: Test): Promise<SecureReceiver> {
  const credentials = { key: PRIVATE_KEY, cert: CERTIFICATE };
  const [names, hosts]: [string[], (string | undefined)[]] = [[], []];
  const server = createServer(
    {
      ...credentials,
      SNICallback: (name, callback) => {
        names.push(name);
        callback(null, createSecureContext(credentials));
      },
    },
    (request, response) => {
      hosts.push(request.headers.host);
      response.end('over TLS');
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, names, hosts };
}

t.test('a checked address is asked for the name’s certificate and verified against the name', async (t) => {
  const { port, names, hosts } = await listen(t);
  const directory = mkdtempSync(join(tmpdir(), 'perennial-tls-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const authority = join(directory, 'authority.pem');
  writeFileSync(authority, CERTIFICATE);
  const sender = `
    import { createTransport } from ${JSON.stringify(new URL('../../src/webhooks/transport.js', import.meta.url).href)};
    const lookup = async () => [{ address: '127.0.0.1' }];
    const transport = createTransport({ allowPrivate: true, allowHttp: false, lookup, connections: 1 });
    const results = [];
    for (const host of ['${CERTIFICATE_NAME}', '${CERTIFICATE_NAME}', 'other.example.test', '127.0.0.1']) {
      results.push(await transport.send({ url: 'https://' + host + ':${port}/', headers: {}, body: '{}' }));
    }
    await transport.close();
    console.log(JSON.stringify(results));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', sender], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: authority, NODE_OPTIONS: '' },
  });
  t.match(JSON.parse(stdout), [
    { status: 200, responseBody: 'over TLS', error: null },
    { status: 200, error: null },
    { status: null, error: { code: 'tls', message: /other\.example\.test/ } },
    { status: null, error: { code: 'tls', message: /127\.0\.0\.1/ } },
  ]);
  t.strictSame(
    names,
    [CERTIFICATE_NAME, 'other.example.test'],
    'one handshake a host, and none names a literal',
  );
  t.strictSame(
    hosts,
    Array(2).fill(`${CERTIFICATE_NAME}:${port}`),
    'nothing is sent where the certificate is wrong',
  );
});

t.test('a certificate that nobody vouches for is refused before anything is sent', async (t) => {
  const { port, names, hosts } = await listen(t);
  const lookup = async () => [{ address: '127.0.0.1' }];
  const transport = createTransport({ allowPrivate: true, allowHttp: false, lookup });
  t.teardown(() => transport.close());
  const url = `https://${CERTIFICATE_NAME}:${port}/`;
  const result = await transport.send({ url, headers: {}, body: '{}' });
  t.match(result, { status: null, error: { code: 'tls', message: /self.signed/ } });
  t.strictSame([names, hosts], [[CERTIFICATE_NAME], []]);
});
