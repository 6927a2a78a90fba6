// Owns keeping rate-limited endpoints in slots: a few are taken ahead for what waits, and the lanes are looked
// at again when the next one opens. Where no slot can be had, that endpoint alone waits. Does not own how the
// limit holds (slots.ts) nor whose turn it is (lanes.ts).

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Slot } from './lane.js';
import type { SlotsWanted } from './lanes.js';
import { giveSlots } from './pace-store.js';
import { SlotClock, spacingMs } from './slots.js';

export interface PacedLanes {
  slotsWanted(nowMs: number): SlotsWanted[];
  addSlots(endpointId: string, slots: readonly Slot[]): void;
  wakeAtMs(nowMs: number): number | undefined;
}

export interface PacerDeps {
  database: Pick<Database, 'write'>;
  lanes: PacedLanes;
  contextOf: (tenantId: string) => Context;
  /** There may be something to start. */
  wake: () => void;
  onError: (error: unknown) => void;
}

/** Connections to the database that this may take at once. */
const ASKS_AT_ONCE = 4;
const FAILED_WAIT_MS = 1_000;

export class Pacer {
  readonly #clock = new SlotClock();
  /** By endpoint, while slots are being asked for or could not be had a moment ago. */
  readonly #asking = new Map<string, Promise<void>>();
  readonly #failed = new Map<string, NodeJS.Timeout>();
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(private readonly deps: PacerDeps) {}

  /** After anything that changes what waits. */
  keep(nowMs: number): void {
    if (this.#isStopped) return;
    const { lanes } = this.deps;
    for (const wanted of lanes.slotsWanted(nowMs)) {
      const { endpointId } = wanted;
      // Whoever gets an answer looks again.
      if (this.#asking.size >= ASKS_AT_ONCE) break;
      if (this.#asking.has(endpointId) || this.#failed.has(endpointId)) continue;
      this.#asking.set(endpointId, this.#ask(wanted));
    }
    clearTimeout(this.#timer);
    const atMs = lanes.wakeAtMs(nowMs);
    if (atMs !== undefined) this.#timer = setTimeout(this.deps.wake, Math.max(0, Math.ceil(atMs - nowMs)));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    for (const timer of this.#failed.values()) clearTimeout(timer);
    await Promise.all(this.#asking.values());
  }

  async #ask({ tenantId, endpointId, rateLimitPerS, count }: SlotsWanted): Promise<void> {
    const { database, lanes, contextOf, wake, onError } = this.deps;
    const eachMs = spacingMs(rateLimitPerS);
    // Slots that could not be placed well would be lost: until the clocks are known, they are only read.
    const taken = this.#clock.isSure(performance.now()) ? count : 0;
    let beforeMs = 0;
    try {
      const given = await database.write(contextOf(tenantId), (tx) => {
        // Not earlier: the wait for a connection would be so much doubt.
        beforeMs = performance.now();
        return giveSlots(tx, tenantId, { endpointId, count: taken, eachMs });
      });
      if (given !== undefined) {
        const { firstMs, databaseMs } = given;
        this.#clock.observe({ databaseMs, beforeMs, afterMs: performance.now() });
        lanes.addSlots(endpointId, this.#clock.slots({ firstMs, count: taken, eachMs }));
      } else {
        this.#waitAfterFailure(endpointId);
      }
    } catch (error) {
      onError(error);
      this.#waitAfterFailure(endpointId);
    }
    this.#asking.delete(endpointId);
    if (!this.#isStopped) wake();
  }

  #waitAfterFailure(endpointId: string): void {
    if (this.#isStopped) return;
    const again = (): void => {
      this.#failed.delete(endpointId);
      this.deps.wake();
    };
    this.#failed.set(endpointId, setTimeout(again, FAILED_WAIT_MS));
  }
}
