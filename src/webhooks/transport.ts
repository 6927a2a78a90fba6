// Owns the only way out to the network: pooled HTTP/1.1 to receivers, every connection opened by the
// guarded connector. Does not own what is sent (sign.ts), whether it is sent again (outbox/retry.ts), or
// how many requests run at once: its caller bounds those.

import { setMaxListeners } from 'node:events';
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { Pool } from 'undici';
import { checkUrl, type UrlPolicy } from './addresses.js';
import { createConnector, dnsLookup, type Lookup } from './connector.js';
import { Exchange, notSent, type SendResult } from './exchange.js';

export type { Lookup, ResolvedAddress } from './connector.js';
export { SEND_ERRORS, type SendError, type SendErrorCode, type SendResult } from './exchange.js';

export interface TransportOptions extends UrlPolicy {
  /** Resolving, TCP and TLS together; 5 s. */
  connectTimeoutMs?: number;
  /** From the call of `send` to the last byte of the answer; 15 s. */
  requestTimeoutMs?: number;
  /** How much of an answer is read and kept; 16 KiB. */
  responseBytesMax?: number;
  lookup?: Lookup;
  /** Connections to one origin at most, 32; further requests to it wait, within their time. */
  connections?: number;
  /** Origins whose connections are kept while nothing is sent to them, at most; 256. */
  originsMax?: number;
}

export interface SendInput {
  url: string;
  /** Sent as they are; those that steer the connection are refused. */
  headers: Readonly<Record<string, string>>;
  body: string | Buffer;
  signal?: AbortSignal;
}

export interface Transport {
  /** One POST. Never throws and never follows a redirect: whatever happens is in the result. */
  send(input: SendInput): Promise<SendResult>;
  /** Ends every connection. What is still being sent resolves as `aborted`, so a caller drains first. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 5000;
const REQUEST_TIMEOUT_MS = 15_000;
const RESPONSE_BYTES_MAX = 16_384;
const RESPONSE_HEADER_BYTES_MAX = 16_384;
const CONNECTIONS_PER_ORIGIN = 32;
const ORIGINS_MAX = 256;
/** Idle connections close before the five seconds after which common servers close theirs. */
const IDLE_CONNECTION_MS = 4000;
/** A receiver's own `Keep-Alive: timeout=` is believed up to this. */
const IDLE_CONNECTION_MAX_MS = 60_000;

export function createTransport(options: TransportOptions): Transport {
  const closing = new AbortController();
  allowManyListeners(closing.signal);
  const origins = createOrigins(options, closing.signal);
  const requestTimeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  const responseBytesMax = options.responseBytesMax ?? RESPONSE_BYTES_MAX;

  return {
    send({ url, headers, body, signal }) {
      const startedAtMs = performance.now();
      const refusal = refusalOf({ url, headers, signal }, closing.signal);
      if (refusal !== null) return Promise.resolve(refusal);
      const checked = checkUrl(url, options);
      if (!checked.ok) {
        const isAddress = checked.reason === 'address_not_allowed' || checked.reason === 'name_not_allowed';
        return Promise.resolve(notSent(isAddress ? 'refused_address' : 'refused_url', checked.detail));
      }
      if (signal !== undefined) allowManyListeners(signal);
      const { origin, pathname, search } = checked.url;
      return new Promise((resolve) => {
        const { pool, release } = origins.acquire(origin);
        const done = (result: SendResult): void => {
          release();
          resolve(result);
        };
        const exchange = new Exchange({ startedAtMs, requestTimeoutMs, responseBytesMax, signal, done });
        pool.dispatch({ path: pathname + search, method: 'POST', headers, body }, exchange);
      });
    },
    async close() {
      closing.abort();
      await origins.close();
    },
  };
}

/** One signal gives up whatever is in flight, and Node would take its eleventh listener for a leak. */
function allowManyListeners(signal: AbortSignal): void {
  setMaxListeners(0, signal);
}

/**
 * Headers that steer the connection or frame the message. `host` would choose the name that the
 * certificate is held against, and so let one server answer for another.
 */
const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]);

/** What can be told before anything is opened. */
function refusalOf(input: Omit<SendInput, 'body'>, closing: AbortSignal): SendResult | null {
  if (closing.aborted) return notSent('aborted', 'the transport is closed');
  if (input.signal?.aborted === true) return notSent('aborted', 'the request was given up');
  // Before the pool sees them: one that throws while it takes a request in never uses that connection
  // again, so a single bad header could use up what an origin's other endpoints need.
  for (const [name, value] of Object.entries(input.headers)) {
    if (!isHeader(name, value)) return notSent('invalid_request', `the header ${name} cannot be sent`);
  }
  return null;
}

function isHeader(name: string, value: string): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  } catch {
    return false;
  }
  return !CONNECTION_HEADERS.has(name.toLowerCase());
}

interface Origin {
  pool: Pool;
  inFlight: number;
}

interface Origins {
  acquire(origin: string): { pool: Pool; release: () => void };
  close(): Promise<void>;
}

/**
 * A pool for each origin. Idle ones go when their last connection does, or when there are too many, the
 * one that has been idle longest first. Busy ones are never refused: the caller's concurrency bounds them.
 */
function createOrigins(options: TransportOptions, signal: AbortSignal): Origins {
  const { allowPrivate, allowHttp, lookup = dnsLookup, connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
  const connect = createConnector({ allowPrivate, allowHttp, lookup, connectTimeoutMs, signal });
  const originsMax = options.originsMax ?? ORIGINS_MAX;
  const origins = new Map<string, Origin>();

  const drop = (name: string, origin: Origin): void => {
    if (origins.get(name) === origin) origins.delete(name);
    void origin.pool.destroy();
  };
  const dropIfUnused = (name: string, origin: Origin): void => {
    if (origin.inFlight === 0 && origin.pool.stats.connected === 0) drop(name, origin);
  };
  const open = (name: string): Origin => {
    for (const [other, origin] of origins) {
      if (origins.size < originsMax) break;
      if (origin.inFlight === 0) drop(other, origin);
    }
    const pool = new Pool(name, {
      connect,
      connections: options.connections ?? CONNECTIONS_PER_ORIGIN,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: IDLE_CONNECTION_MS,
      keepAliveMaxTimeout: IDLE_CONNECTION_MAX_MS,
      maxHeaderSize: RESPONSE_HEADER_BYTES_MAX,
      // The exchange has one deadline for everything.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const origin: Origin = { pool, inFlight: 0 };
    pool.on('disconnect', () => dropIfUnused(name, origin));
    pool.on('connectionError', () => dropIfUnused(name, origin));
    return origin;
  };

  return {
    acquire(name) {
      const origin = origins.get(name) ?? open(name);
      // A map keeps the order of insertion, so the first is the one that was used longest ago.
      origins.delete(name);
      origins.set(name, origin);
      origin.inFlight += 1;
      const release = (): void => {
        origin.inFlight -= 1;
        dropIfUnused(name, origin);
      };
      return { pool: origin.pool, release };
    },
    async close() {
      const pools = [...origins.values()].map(({ pool }) => pool);
      origins.clear();
      await Promise.all(pools.map((pool) => pool.destroy()));
    },
  };
}
