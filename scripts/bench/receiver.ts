// Owns a local receiver of webhooks that notes when each request began to arrive. It answers at once unless told
// otherwise, and verifies nothing: what is measured is the sender.

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Lifetime } from '../lifetime.js';

export interface Receipt {
  /** Epoch milliseconds with fractions, of this machine's clock. */
  atMs: number;
  path: string;
  /** The event's. */
  id: string;
  body: string;
}

export interface Answer {
  status: number;
  delayMs?: number;
}

export interface ReceiverOptions {
  /** The answer to a request; null never answers. 204 for all when left out. */
  respond?: (receipt: Receipt) => Answer | null;
  /** An answer has left. */
  onAnswered?: () => void;
}

export interface Receiver {
  /** Without a path; any path is received. */
  url: string;
  receipts: Receipt[];
  /** Resolves once so many have come; rejects when none has come for a while. */
  waitFor(count: number): Promise<void>;
}

const SILENCE_MAX_MS = 20_000;
const DONE: Answer = { status: 204 };

export async function startReceiver(lifetime: Lifetime, options: ReceiverOptions = {}): Promise<Receiver> {
  const { respond = () => DONE, onAnswered } = options;
  const receipts: Receipt[] = [];
  let onReceipt: () => void = () => undefined;
  const server = createServer((request, response) => {
    const atMs = performance.timeOrigin + performance.now();
    const id = String(request.headers['webhook-id']);
    const receipt: Receipt = { atMs, path: request.url ?? '', id, body: '' };
    request.setEncoding('utf8').on('data', (text: string) => {
      receipt.body += text;
    });
    if (onAnswered !== undefined) response.once('finish', onAnswered);
    request.on('end', () => {
      const answer = respond(receipt);
      if (answer !== null) reply(response, answer);
      receipts.push(receipt);
      onReceipt();
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  lifetime.atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    receipts,
    waitFor: (count) =>
      new Promise((resolve, reject) => {
        const giveUp = () =>
          reject(
            new Error(`${receipts.length} of ${count} webhooks came, and then none for ${SILENCE_MAX_MS} ms`),
          );
        let timer = setTimeout(giveUp, SILENCE_MAX_MS);
        onReceipt = () => {
          clearTimeout(timer);
          if (receipts.length >= count) resolve();
          else timer = setTimeout(giveUp, SILENCE_MAX_MS);
        };
        if (receipts.length >= count) onReceipt();
      }),
  };
}

function reply(response: ServerResponse, { status, delayMs }: Answer): void {
  const send = () => void response.writeHead(status).end();
  if (delayMs === undefined) send();
  else setTimeout(send, delayMs);
}
