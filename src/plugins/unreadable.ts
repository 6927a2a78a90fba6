// Owns the answer to what is not HTTP, or comes too slowly or too large to become a request: there is no
// route and no hook, only a socket. Does not own any failure of a request (errors.ts).

import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { describeProblem } from '../api/problem.js';

const FAULTS: Record<string, { status: number; code: string; detail: string }> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, code: 'request_timeout', detail: 'The request came too slowly.' },
  HPE_HEADER_OVERFLOW: { status: 431, code: 'headers_too_large', detail: 'The header fields are too large.' },
};
const MALFORMED = {
  status: 400,
  code: 'malformed_request',
  detail: 'This is not a request that can be read.',
};

export function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  // A connection that was reset has nobody at its other end.
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const { status, code, detail } = FAULTS[error.code ?? ''] ?? MALFORMED;
  const requestId = randomUUID();
  const problem = { ...describeProblem(status, code, detail), requestId };
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${status} ${problem.title}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'cache-control: no-store',
    'connection: close',
  ].join('\r\n');
  if (socket.writable) socket.write(`${head}\r\n\r\n${body}`);
  socket.destroySoon();
}
