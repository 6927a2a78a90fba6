// Owns a local receiver of webhooks that notes when each request began to arrive. It answers at once and verifies
// nothing: what is measured is the sender.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Lifetime } from '../lifetime.js';

export interface Receipt {
  /** Epoch milliseconds with fractions, of this machine's clock. */
  atMs: number;
  body: string;
}

export interface Receiver {
  url: string;
  receipts: Receipt[];
  /** Resolves once so many have come; rejects when none has come for a while. */
  waitFor(count: number): Promise<void>;
}

const SILENCE_MAX_MS = 20_000;

export async function startReceiver(lifetime: Lifetime): Promise<Receiver> {
  const receipts: Receipt[] = [];
  let onReceipt: () => void = () => undefined;
  const server = createServer((request, response) => {
    const receipt: Receipt = { atMs: performance.timeOrigin + performance.now(), body: '' };
    request.setEncoding('utf8').on('data', (text: string) => {
      receipt.body += text;
    });
    request.on('end', () => {
      response.writeHead(204).end();
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
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`,
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
