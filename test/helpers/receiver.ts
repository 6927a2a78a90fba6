// Owns a real HTTP receiver on loopback for tests. It verifies signatures with the library that partners
// use, so that a test never trusts our own signing to judge itself.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface ReceivedRequest {
  method: string;
  path: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: string;
  /** The parsed body, undefined when it is not JSON. */
  json: unknown;
  /** Whether `standardwebhooks` accepts it; false when the receiver has no secret. */
  verified: boolean;
}

export interface Answer {
  status: number;
  body?: string | Buffer;
  headers?: Record<string, string | string[]>;
  delayMs?: number;
}

export interface ReceiverOptions {
  secret?: string;
  /** The answer to a request; null never answers. 200 for all when left out. */
  respond?: (request: ReceivedRequest) => Answer | null | Promise<Answer | null>;
}

export interface Receiver {
  /** Without a path; any path is received. */
  url: string;
  port: number;
  requests: ReceivedRequest[];
  /** Connections accepted so far. */
  readonly connections: number;
  /** The requests so far, once there are `count`. Rejects when the receiver closes before that. */
  waitFor(count: number): Promise<ReceivedRequest[]>;
  close(): Promise<void>;
}

interface Waiter {
  count: number;
  resolve: (requests: ReceivedRequest[]) => void;
  reject: (error: Error) => void;
}

/** A receiver that listens until `t` ends. */
export async function createReceiver(
  t: { teardown(close: () => Promise<void>): unknown },
  { secret, respond = () => ({ status: 200 }) }: ReceiverOptions = {},
): Promise<Receiver> {
  const webhook = secret === undefined ? undefined : new Webhook(secret);
  const requests: ReceivedRequest[] = [];
  const timers = new Set<NodeJS.Timeout>();
  let waiters: Waiter[] = [];
  let connections = 0;
  let isClosed = false;

  const receive = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await read(message, webhook);
    requests.push(request);
    for (const waiter of waiters) if (requests.length >= waiter.count) waiter.resolve(requests);
    waiters = waiters.filter(({ count }) => requests.length < count);
    const answer = await respond(request);
    if (answer === null || isClosed) return;
    const send = (): void => {
      response.writeHead(answer.status, answer.headers).end(answer.body);
    };
    if (answer.delayMs === undefined) send();
    else timers.add(setTimeout(send, answer.delayMs));
  };
  // A sender that breaks off while its body is being read is a request that never arrived.
  const server = createServer((message, response) => void receive(message, response).catch(() => {}));
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    for (const timer of timers) clearTimeout(timer);
    for (const { count, reject } of waiters) {
      reject(new Error(`closed after ${requests.length} requests, ${count} were awaited`));
    }
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  t.teardown(close);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    get connections() {
      return connections;
    },
    waitFor: (count) =>
      new Promise((resolve, reject) => {
        if (requests.length >= count) resolve(requests);
        else if (isClosed) reject(new Error('the receiver is closed'));
        else waiters.push({ count, resolve, reject });
      }),
    close,
  };
}

async function read(message: IncomingMessage, webhook: Webhook | undefined): Promise<ReceivedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString('utf8');
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headers)) headers[name] = String(value);
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    json = undefined;
  }
  const { method = '', url: path = '' } = message;
  return { method, path, headers, body, json, verified: isVerified(webhook, body, headers) };
}

function isVerified(webhook: Webhook | undefined, body: string, headers: Record<string, string>): boolean {
  try {
    webhook?.verify(body, headers, { jsonParse: false });
  } catch {
    return false;
  }
  return webhook !== undefined;
}
