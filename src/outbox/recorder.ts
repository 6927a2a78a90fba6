// Owns getting outcomes into the database in sets: what finishes while one set is being written makes up the
// next, so that sets grow with the load and a lone outcome waits for nobody. Does not own what an outcome is
// (attempt.ts) nor what one transaction records (record.ts).

import type { Database } from '../db/database.js';
import { UnavailableError } from '../errors.js';
import type { Targets } from './claim.js';
import { type Outcome, type Recorded, recordSet, type Shut } from './record.js';

export type { Outcome } from './record.js';

export interface RecorderDeps {
  database: Database;
  disableEndpoints: Targets['disable'];
  now: () => Date;
  /** An endpoint's breaker is open now, or it is disabled: what waits for it need not wait. */
  onShut: (shut: Shut) => void;
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
    let result: Recorded = { held: new Set(), shut: [] };
    try {
      result = await recordSet(this.deps, tenantId, set);
    } catch (error) {
      if (error instanceof UnavailableError) throw error;
      if (set.length > 1) {
        const half = set.length >> 1;
        await this.#record(tenantId, set.slice(0, half));
        return this.#record(tenantId, set.slice(half));
      }
      this.deps.onError(error);
    }
    for (const { settlement, recorded } of set) recorded?.(result.held.has(settlement.id));
    for (const shut of result.shut) this.deps.onShut(shut);
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
