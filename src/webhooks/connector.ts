// Owns the one way in which a webhook's connection is opened: resolve once, judge every answer, connect
// to the judged addresses and to nothing else. Does not own what is sent over it, nor pooling.

import { lookup as lookupByDns } from 'node:dns/promises';
import { isIP, connect as netConnect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { classifyAddress, isAllowedClass } from './addresses.js';

export interface ResolvedAddress {
  address: string;
}
/** All addresses of a host name. */
export type Lookup = (hostname: string) => Promise<readonly ResolvedAddress[]>;

export type ConnectErrorCode =
  | 'refused_address'
  | 'dns'
  | 'connect_timeout'
  | 'tls'
  | 'connection'
  | 'aborted';

export class ConnectError extends Error {
  override readonly name = 'ConnectError';
  constructor(
    readonly code: ConnectErrorCode,
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

export interface ConnectorOptions {
  allowPrivate: boolean;
  /** Plain http to public addresses. */
  allowHttp: boolean;
  /** For the whole of it: resolving, TCP and TLS. */
  connectTimeoutMs: number;
  lookup: Lookup;
  /** Gives up whatever is being connected. */
  signal: AbortSignal;
}

/** What the pool asks for; `hostname` without the brackets of an IPv6 literal. */
export interface ConnectTarget {
  hostname: string;
  protocol: string;
  port: string;
}

export type ConnectCallback = (...outcome: [null, Socket] | [Error, null]) => void;
export type Connector = (target: ConnectTarget, callback: ConnectCallback) => void;

/**
 * Node offers a second address when the first has not answered within this. Its own 250 ms would cut
 * off a receiver on the other side of the world.
 */
const NEXT_ADDRESS_AFTER_MS = 1000;
const KEEP_ALIVE_PROBE_AFTER_MS = 60_000;

export const dnsLookup: Lookup = (hostname) => lookupByDns(hostname, { all: true });

/**
 * A connector for a connection pool. There is no window for a name that is rebound between a check and
 * its use: the addresses that were judged are the ones that are connected to.
 */
export function createConnector(options: ConnectorOptions): Connector {
  const guard = { ...options, lookup: shareLookups(options.lookup) };
  return (target, callback) => open(target, guard, callback);
}

function open(target: ConnectTarget, guard: ConnectorOptions, callback: ConnectCallback): void {
  let socket: Socket | undefined;
  let isSettled = false;
  const settle = (error: ConnectError | null): void => {
    if (isSettled) return;
    isSettled = true;
    clearTimeout(timer);
    guard.signal.removeEventListener('abort', giveUp);
    if (error === null && socket !== undefined) {
      callback(null, socket);
    } else {
      socket?.destroy();
      callback(error ?? new ConnectError('connection', 'no connection was made'), null);
    }
  };
  const giveUp = (): void => settle(new ConnectError('aborted', 'the transport is closed'));
  const timer = setTimeout(() => {
    settle(new ConnectError('connect_timeout', `no connection within ${guard.connectTimeoutMs} ms`));
  }, guard.connectTimeoutMs);
  if (guard.signal.aborted) {
    giveUp();
    return;
  }
  guard.signal.addEventListener('abort', giveUp);
  checkedAddresses(target, guard)
    .then((addresses) => {
      if (!isSettled) socket = openSocket(target, addresses, settle);
    })
    .catch((error: unknown) => settle(asConnectError(error, 'connection')));
}

/** The addresses behind a host, each of them allowed: one that is not condemns them all. */
async function checkedAddresses(
  { hostname, protocol }: ConnectTarget,
  guard: ConnectorOptions,
): Promise<readonly string[]> {
  const { allowPrivate, allowHttp } = guard;
  const allowed = { allowPrivate, allowPublic: protocol === 'https:' || allowHttp };
  // A literal never reaches a resolver, so it is judged here, not in the lookup.
  if (isIP(hostname) !== 0) {
    judge(hostname, hostname, allowed);
    return [hostname];
  }
  const answers = await guard.lookup(hostname).catch((error: unknown) => {
    throw asConnectError(error, 'dns');
  });
  if (answers.length === 0) throw new ConnectError('dns', `${hostname} has no address`);
  for (const { address } of answers) judge(address, hostname, allowed);
  return answers.map(({ address }) => address);
}

function judge(address: string, hostname: string, allowed: Parameters<typeof isAllowedClass>[1]): void {
  const addressClass = classifyAddress(address);
  if (isAllowedClass(addressClass, allowed)) return;
  // The class, not the address: whoever registers names must not learn the inside of our network.
  throw new ConnectError('refused_address', `${hostname} leads to a ${addressClass} address`);
}

function openSocket(
  { hostname, protocol, port }: ConnectTarget,
  addresses: readonly string[],
  settle: (error: ConnectError | null) => void,
): Socket {
  const isTls = protocol === 'https:';
  const options: TcpNetConnectOpts = {
    host: hostname,
    port: Number(port === '' ? (isTls ? 443 : 80) : port),
    lookup: answerWith(addresses),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER_MS,
  };
  // The name stays the host, so that TLS asks for it and verifies the certificate against it.
  const servername = isIP(hostname) === 0 ? hostname : '';
  const socket = isTls
    ? tlsConnect({ ...options, servername, ALPNProtocols: ['http/1.1'] })
    : netConnect(options);
  let failure: ConnectErrorCode = 'connection';
  if (isTls) {
    socket.once('connect', () => {
      failure = 'tls';
    });
  }
  socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_PROBE_AFTER_MS);
  socket.once(isTls ? 'secureConnect' : 'connect', () => settle(null));
  // Stays for the life of the socket: an error that nobody listens to would end the process.
  socket.on('error', (error) => settle(asConnectError(error, failure)));
  socket.on('close', () => settle(new ConnectError(failure, 'the connection was closed')));
  return socket;
}

/** A `lookup` for node:net that resolves nothing: it hands out what has been judged. */
function answerWith(addresses: readonly string[]): NonNullable<TcpNetConnectOpts['lookup']> {
  const answers = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostname, options, callback) => {
    const [first] = answers;
    if (options.all === true) callback(null, answers);
    else callback(null, first?.address ?? '', first?.family);
  };
}

/**
 * Connections that open at once to one host share its lookup: `dns.lookup` has four threads for the whole
 * process, and one slow name must not hold them all. Nothing is kept once it has been answered.
 */
function shareLookups(lookup: Lookup): Lookup {
  const running = new Map<string, Promise<readonly ResolvedAddress[]>>();
  return (hostname) => {
    const shared = running.get(hostname);
    if (shared !== undefined) return shared;
    const started = (async () => lookup(hostname))().finally(() => running.delete(hostname));
    running.set(hostname, started);
    return started;
  };
}

function asConnectError(error: unknown, code: ConnectErrorCode): ConnectError {
  if (error instanceof ConnectError) return error;
  // When every address has failed, Node's error has no message of its own.
  const cause: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return new ConnectError(code, cause instanceof Error ? cause.message : String(cause), error);
}
