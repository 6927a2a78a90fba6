// A canary that listens on every loopback address, and a count of the TCP connections that this process begins:
// whatever leads to it, or to any other address that is not public, must end without one being attempted.

import { createHook } from 'node:async_hooks';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import type { Test } from 'tap';
import type { createTransport, SendResult } from '../../src/webhooks/transport.js';

/** Public by every registry but assigned to nobody, so that no packet to it reaches anyone. */
export const PUBLIC = '2d00::1';

let attempts = 0;
createHook({
  init(_id, type) {
    // Through any module, counted before they can be answered.
    if (type === 'TCPCONNECTWRAP') attempts += 1;
  },
}).enable();

export interface Canary {
  port: number;
  /** Counts from here on. */
  reset(): void;
  /** Connections that were begun since, whoever they were meant for. */
  readonly attempts: number;
  /** Connections that it has taken since; asks for one of its own, before which it has taken all others. */
  countTaken(): Promise<number>;
}

export async function startCanary(t: Pick<Test, 'teardown'>): Promise<Canary> {
  let taken = 0;
  const server = createServer((socket) => {
    taken += 1;
    socket.on('error', () => {});
    socket.end('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n');
  });
  await new Promise<void>((resolve) => {
    // Where the machine has no IPv6, on IPv4 alone.
    server.once('error', () => server.listen(0, '0.0.0.0', resolve));
    server.listen(0, '::', () => resolve());
  });
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return {
    port,
    reset() {
      attempts = 0;
      taken = 0;
    },
    get attempts() {
      return attempts;
    },
    async countTaken() {
      const probed = once(server, 'connection');
      const probe = connect(port, '127.0.0.1').on('error', () => {});
      await probed;
      probe.destroy();
      return taken - 1;
    },
  };
}

export const send = (transport: ReturnType<typeof createTransport>, url: string): Promise<SendResult> =>
  transport.send({ url, headers: { 'content-type': 'application/json' }, body: '{}' });
