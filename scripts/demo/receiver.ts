// Owns the partner in the demo: a receiver on loopback that believes a webhook only when the library that
// partners use has verified its signature. Does not own anything of the sender.

import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { Lifetime } from '../lifetime.js';

export interface Received {
  received: number;
  verified: number;
  /** Requests whose `webhook-id` had been there before. */
  duplicates: number;
  /** Of those verified, by type of event. */
  byType: Map<string, number>;
}

export interface Receiver {
  url: string;
  /** What it has been given, so far. */
  figures: Received;
  /** The secret is known once the endpoint is registered, which in turn needs the address. */
  trust(secret: string): void;
}

export async function startReceiver(lifetime: Lifetime): Promise<Receiver> {
  const figures: Received = { received: 0, verified: 0, duplicates: 0, byType: new Map() };
  const seen = new Set<string>();
  let webhook: Webhook | undefined;

  const receive = async (request: IncomingMessage): Promise<number> => {
    const body = await textOf(request);
    const id = String(request.headers['webhook-id']);
    figures.received += 1;
    if (seen.has(id)) figures.duplicates += 1;
    seen.add(id);
    const type = verifiedType(webhook, body, request.headers);
    if (type === undefined) return 401;
    figures.verified += 1;
    figures.byType.set(type, (figures.byType.get(type) ?? 0) + 1);
    return 204;
  };

  const server = createServer((request, response) => {
    receive(request).then(
      (status) => response.writeHead(status).end(),
      // A request that breaks off in its middle has not been received.
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  lifetime.atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/webhooks`,
    figures,
    trust(secret) {
      webhook = new Webhook(secret);
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function verifiedType(
  webhook: Webhook | undefined,
  body: string,
  headers: IncomingMessage['headers'],
): string | undefined {
  try {
    const event = webhook?.verify(body, headers as Record<string, string>) as { type?: unknown } | undefined;
    return typeof event?.type === 'string' ? event.type : undefined;
  } catch {
    return undefined;
  }
}
