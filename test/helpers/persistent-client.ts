// Owns a client as a careful partner writes one: it repeats a request until it is answered, with the same
// Idempotency-Key, and keeps count of what it met on the way. Does not own what is sent (shop.ts).

import { setTimeout as pause } from 'node:timers/promises';

export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  /** From `/v1` on. */
  path: string;
  body?: unknown;
  idempotencyKey?: string;
}

export interface Answer {
  status: number;
  json: unknown;
  /** How often it was sent. */
  tries: number;
}

export interface ClientOptions {
  key: string;
  /** Where the service can be asked at this moment; none while it is down. */
  bases: () => readonly string[];
  /** Told before each try, with where it goes. */
  onSend?: (base: string) => void;
  /** An answer that takes longer is a fault: nobody waits for a service for ever. */
  patienceMs?: number;
}

/** A caller that asks at once again and again would only take the service's time to come back. */
const BACK_OFF_MS = 20;
const PATIENCE_MS = 25_000;
/** Two minutes at the least: whatever a test does to the service, it is back before that. */
const TRIES_MAX = 6_000;

export class PersistentClient {
  /** How often each status was met. */
  readonly statuses = new Map<number, number>();
  /** Tries whose connection was refused or broke off. */
  unanswered = 0;
  /** What no client should ever meet. */
  readonly faults: string[] = [];
  #turn = 0;
  #isClosed = false;

  constructor(private readonly options: ClientOptions) {}

  /** Answers with the first answer that is one: not a 503, not `in flight`, not a broken connection. */
  async send(call: Call): Promise<Answer> {
    for (let tries = 1; tries <= TRIES_MAX && !this.#isClosed; tries += 1) {
      const response = await this.#try(call);
      if (response !== undefined) {
        const json = await jsonOf(response);
        if (json !== undefined && this.#isFinal(call, response, json)) {
          return { status: response.status, json: json.value, tries };
        }
      }
      await pause(BACK_OFF_MS);
    }
    throw new Error(`${call.method} ${call.path} was never answered: ${this.faults.slice(0, 3).join('; ')}`);
  }

  /** Whoever still waits for an answer is told that none came. */
  close(): void {
    this.#isClosed = true;
  }

  async #try({ method, path, body, idempotencyKey }: Call): Promise<Response | undefined> {
    const { key, bases, onSend, patienceMs = PATIENCE_MS } = this.options;
    const up = bases();
    const base = up[this.#turn++ % Math.max(up.length, 1)];
    if (base === undefined) return undefined;
    const headers: Record<string, string> = { authorization: `Bearer ${key}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey;
    onSend?.(base);
    try {
      const signal = AbortSignal.timeout(patienceMs);
      return await fetch(`${base}${path}`, { method, headers, signal, body: JSON.stringify(body) });
    } catch (error) {
      this.unanswered += 1;
      if (error instanceof Error && error.name === 'TimeoutError') {
        this.faults.push(`${method} ${path}: no answer within ${patienceMs} ms`);
      }
      return undefined;
    }
  }

  #isFinal({ method, path }: Call, { status, headers }: Response, { value }: { value: unknown }): boolean {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    if (status === 503) {
      if (!headers.has('retry-after')) this.faults.push(`${method} ${path}: 503 without Retry-After`);
      return false;
    }
    if (status >= 500) this.faults.push(`${method} ${path}: ${status} ${JSON.stringify(value)}`);
    return status < 500 && !(status === 409 && codeOf(value) === 'idempotency_key_in_flight');
  }
}

/** Undefined where the answer broke off: then it is none. */
async function jsonOf(response: Response): Promise<{ value: unknown } | undefined> {
  try {
    return { value: JSON.parse(await response.text()) };
  } catch {
    return undefined;
  }
}

function codeOf(problem: unknown): unknown {
  return typeof problem === 'object' && problem !== null && 'code' in problem ? problem.code : undefined;
}
