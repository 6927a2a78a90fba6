// Owns getting outcomes into the database in sets: what finishes while one set is being written makes up the
// next, so that sets grow with the load and a lone outcome waits for nobody. Does not own what an outcome is.

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Transaction } from '../db/executor.js';
import { UnavailableError } from '../errors.js';
import { systemContext } from './claim.js';
import { type Settlement, settle } from './queue-store.js';

export interface Outcome {
  settlement: Settlement;
  /** Set where the receiver said that it is gone for good: the endpoint is disabled with the record of it. */
  goneEndpointId?: string;
  /** Told whether it was recorded; false when the claim had been lost or the database stayed away too long. */
  recorded?: (held: boolean) => void;
}

export interface RecorderDeps {
  database: Database;
  disableEndpoints: (tx: Transaction, context: Context, endpointIds: readonly string[]) => Promise<void>;
  now: () => Date;
  onError: (error: unknown) => void;
}

const SETS_AT_ONCE = 4;
const SET_SIZE_MAX = 500;
/** After a lease, whoever claims the delivery next will find out for themselves. */
const TRIES_MAX = 30;
const RETRY_AFTER_MS = 1_000;

export class Recorder {
  readonly #pending = new Map<string, Outcome[]>();
  readonly #writing = new Set<string>();
  readonly #retries = new Map<string, NodeJS.Timeout>();
  readonly #tries = new Map<string, number>();

  constructor(private readonly deps: RecorderDeps) {}

  add(tenantId: string, outcome: Outcome): void {
    const pending = this.#pending.get(tenantId);
    if (pending !== undefined) {
      pending.push(outcome);
      return;
    }
    this.#pending.set(tenantId, [outcome]);
    // What finishes in the same turn of the event loop joins in.
    setImmediate(() => this.#write());
  }

  #write(): void {
    for (const tenantId of this.#pending.keys()) {
      if (this.#writing.size >= SETS_AT_ONCE) return;
      if (!this.#writing.has(tenantId) && !this.#retries.has(tenantId)) void this.#writeSet(tenantId);
    }
  }

  async #writeSet(tenantId: string): Promise<void> {
    const pending = this.#pending.get(tenantId) ?? [];
    const set = pending.splice(0, SET_SIZE_MAX);
    if (pending.length === 0) this.#pending.delete(tenantId);
    this.#writing.add(tenantId);
    try {
      await this.#record(tenantId, set);
      this.#tries.delete(tenantId);
    } catch (error) {
      this.#putOff(tenantId, set, error);
    } finally {
      this.#writing.delete(tenantId);
      this.#write();
    }
  }

  /** Fails only where the database is away; an outcome that cannot be recorded does not take its set along. */
  async #record(tenantId: string, set: readonly Outcome[]): Promise<void> {
    let held: ReadonlySet<string>;
    try {
      held = await this.#recordTogether(tenantId, set);
    } catch (error) {
      if (error instanceof UnavailableError) throw error;
      if (set.length > 1) {
        const half = set.length >> 1;
        await this.#record(tenantId, set.slice(0, half));
        return this.#record(tenantId, set.slice(half));
      }
      this.deps.onError(error);
      held = new Set();
    }
    for (const { settlement, recorded } of set) recorded?.(held.has(settlement.id));
  }

  #recordTogether(tenantId: string, set: readonly Outcome[]): Promise<ReadonlySet<string>> {
    const { database, now, disableEndpoints } = this.deps;
    const context = systemContext(tenantId, now());
    const gone = [...new Set(set.flatMap(({ goneEndpointId }) => goneEndpointId ?? []))];
    const settlements = set.map(({ settlement }) => settlement);
    return database.write(context, async (tx) => {
      const disabled = gone.length === 0 ? undefined : disableEndpoints(tx, context, gone);
      const [ids] = await Promise.all([settle(tx, tenantId, settlements), disabled]);
      return new Set(ids);
    });
  }

  /** While the database is away, outcomes are kept: a lost one would mean sending the same thing again. */
  #putOff(tenantId: string, set: Outcome[], error: unknown): void {
    this.deps.onError(error);
    const tries = (this.#tries.get(tenantId) ?? 0) + 1;
    this.#tries.set(tenantId, tries);
    if (tries > TRIES_MAX) {
      this.#tries.delete(tenantId);
      for (const { recorded } of set) recorded?.(false);
      return;
    }
    this.#pending.set(tenantId, [...set, ...(this.#pending.get(tenantId) ?? [])]);
    const timer = setTimeout(() => {
      this.#retries.delete(tenantId);
      this.#write();
    }, RETRY_AFTER_MS);
    this.#retries.set(tenantId, timer);
  }
}
