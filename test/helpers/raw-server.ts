// Owns servers that the receiver would not be: ones that break HTTP, never end, or never begin.

import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';

interface Teardown {
  teardown(close: () => void): unknown;
}

/** An HTTP server whose every byte is the listener's; its url. */
export function listenHttp(t: Teardown, listener: RequestListener): Promise<string> {
  return listen(t, createHttpServer(listener));
}

/** A server that gets plain sockets; its url. */
export function listenTcp(t: Teardown, listener: (socket: Socket) => void): Promise<string> {
  return listen(t, createTcpServer(listener));
}

/** A url at which nobody listens. */
export async function unusedUrl(): Promise<string> {
  const server = createTcpServer();
  const url = await listen({ teardown: () => {} }, server);
  await new Promise((resolve) => server.close(resolve));
  return url;
}

async function listen(t: Teardown, server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  // What a sender does to its connection is what the tests are about, and no error of the server's.
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
