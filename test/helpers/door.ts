// A way to a server that a test can open and shut: what stands for a network, or a database, that goes away.

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface Door {
  port: number;
  open(): Promise<void>;
  /** Cuts every connection and refuses new ones. */
  shut(): Promise<void>;
}

interface Teardown {
  teardown(work: () => unknown): void;
}

/** Shut at first; the port stays the same however often it is opened. */
export async function makeDoor(t: Teardown, to: { host: string; port: number }): Promise<Door> {
  const sockets = new Set<Socket>();
  const server = createServer((outer) => {
    const inner = connect(to.port, to.host);
    outer.pipe(inner).pipe(outer);
    for (const [end, other] of [
      [outer, inner],
      [inner, outer],
    ] as const) {
      sockets.add(end);
      end
        .on('error', () => undefined)
        .on('close', () => {
          sockets.delete(end);
          other.destroy();
        });
    }
  });
  const port = await freePort();
  const shut = () => {
    const closed = close(server);
    for (const socket of sockets) socket.destroy();
    return closed;
  };
  t.teardown(shut);
  return { port, open: () => listen(server, port), shut };
}

export async function freePort(): Promise<number> {
  const probe = createServer();
  await listen(probe, 0);
  const { port } = probe.address() as AddressInfo;
  await close(probe);
  return port;
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve());
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
