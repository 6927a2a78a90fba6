// Owns one request from its start to its result: the deadline, the cap on the answer, and the mapping of
// every way to fail onto a stable code. Does not own connections; it is told of their events.

import type { IncomingHttpHeaders } from 'node:http';
import { ConnectError } from './connector.js';

export const SEND_ERRORS = [
  'refused_url',
  'refused_address',
  'dns',
  'connect_timeout',
  'tls',
  'connection',
  'protocol',
  'timeout',
  'aborted',
  'invalid_request',
] as const;
export type SendErrorCode = (typeof SEND_ERRORS)[number];

export interface SendError {
  code: SendErrorCode;
  message: string;
}

/** What one attempt came to. With an error beside it, a status was received but the answer broke off. */
export interface SendResult {
  status: number | null;
  durationMs: number;
  /** Until the request had a connection (waiting, DNS, TCP, TLS): near 0 on an open one, null without. */
  connectMs: number | null;
  responseHeaders: { 'retry-after'?: string };
  /** The beginning of the body as UTF-8, without NUL, which no text column takes. */
  responseBody: string;
  error: SendError | null;
}

export interface ExchangeOptions {
  startedAtMs: number;
  requestTimeoutMs: number;
  responseBytesMax: number;
  signal: AbortSignal | undefined;
  done: (result: SendResult) => void;
}

interface Controller {
  abort(reason: Error): void;
}

const MESSAGE_LENGTH_MAX = 500;
const RETRY_AFTER_LENGTH_MAX = 100;

/** The handler of one dispatched request. `done` is called exactly once, whatever happens in what order. */
export class Exchange {
  private controller: Controller | undefined;
  private isSettled = false;
  private status: number | null = null;
  private connectMs: number | null = null;
  private retryAfter: string | undefined;
  private readonly chunks: Buffer[] = [];
  private bytes = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly options: ExchangeOptions) {
    const { requestTimeoutMs, signal } = options;
    this.timer = setTimeout(() => {
      this.fail({ code: 'timeout', message: `no complete answer within ${requestTimeoutMs} ms` });
    }, requestTimeoutMs);
    signal?.addEventListener('abort', this.onAbort);
  }

  onRequestStart(controller: Controller): void {
    // The request waited for a connection until after its end: it must not be sent now.
    if (this.isSettled) {
      controller.abort(new Error('the request has ended'));
      return;
    }
    this.controller = controller;
    this.connectMs = performance.now() - this.options.startedAtMs;
  }

  onResponseStart(_controller: Controller, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.status = status;
    // A header that is sent twice arrives as a list, whatever the type says.
    const retryAfter: unknown = headers['retry-after'];
    const first: unknown = Array.isArray(retryAfter) ? retryAfter[0] : retryAfter;
    if (typeof first === 'string') this.retryAfter = first.slice(0, RETRY_AFTER_LENGTH_MAX);
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    if (this.isSettled) return;
    const room = this.options.responseBytesMax - this.bytes;
    // Copied: a small piece must not keep the socket's whole buffer alive.
    this.chunks.push(Buffer.from(chunk.subarray(0, room)));
    this.bytes += Math.min(chunk.length, room);
    if (chunk.length <= room) return;
    this.settle(null);
    // To read on only to throw it away would let a receiver feed us for ever.
    this.controller?.abort(new Error('the answer is longer than what is kept'));
  }

  onResponseEnd(): void {
    this.settle(null);
  }

  onResponseError(_controller: Controller | undefined, error: Error): void {
    this.settle(asSendError(error));
  }

  private readonly onAbort = (): void => {
    this.fail({ code: 'aborted', message: 'the request was given up' });
  };

  private fail(error: SendError): void {
    if (this.isSettled) return;
    this.settle(error);
    this.controller?.abort(new Error(error.message));
  }

  private settle(error: SendError | null): void {
    if (this.isSettled) return;
    this.isSettled = true;
    clearTimeout(this.timer);
    const { done, signal, startedAtMs } = this.options;
    signal?.removeEventListener('abort', this.onAbort);
    done({
      status: this.status,
      durationMs: performance.now() - startedAtMs,
      connectMs: this.connectMs,
      responseHeaders: this.retryAfter === undefined ? {} : { 'retry-after': this.retryAfter },
      responseBody: asText(Buffer.concat(this.chunks)),
      error,
    });
  }
}

/** The result of a request that never got as far as a connection. */
export function notSent(code: SendErrorCode, message: string): SendResult {
  return {
    status: null,
    durationMs: 0,
    connectMs: null,
    responseHeaders: {},
    responseBody: '',
    error: { code, message },
  };
}

function asText(bytes: Buffer): string {
  // `stream` leaves out a character that the cap has cut in two.
  return new TextDecoder().decode(bytes, { stream: true }).replaceAll('\0', '\u{fffd}');
}

const INVALID_REQUEST_CODES = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
]);
const PROTOCOL_CODES = new Set(['UND_ERR_HEADERS_OVERFLOW', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH']);
/** Known by its name: its code is missing as often as not. */
const PARSER_ERROR = 'HTTPParserError';
const CLOSED_CODES = new Set(['UND_ERR_DESTROYED', 'UND_ERR_CLOSED']);

function asSendError(error: Error): SendError {
  const message = error.message.slice(0, MESSAGE_LENGTH_MAX);
  if (error instanceof ConnectError) return { code: error.code, message };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (CLOSED_CODES.has(code)) return { code: 'aborted', message: 'the transport is closed' };
  if (INVALID_REQUEST_CODES.has(code)) return { code: 'invalid_request', message };
  if (PROTOCOL_CODES.has(code) || error.name === PARSER_ERROR) return { code: 'protocol', message };
  return { code: 'connection', message };
}
