// Owns the order in which claimed deliveries leave this process: a lane for each endpoint, turns between
// tenants and between a tenant's lanes, and the bounds by which a hanging endpoint cannot hold up another.
// Holds no I/O and reads no clock. Does not own what one endpoint can take (lane.ts), nor claiming, sending or
// recording (deliver.ts).

import { type Answered, Lane, type Laned, type PutOff, type Send, type Slot } from './lane.js';
import { LANE_LIMITS, type LaneLimits } from './lane-limits.js';
import { Round } from './round.js';

export type { Laned } from './lane.js';
export { LANE_LIMITS, type LaneLimits } from './lane-limits.js';

/** Slots that a limited endpoint could use. */
export interface SlotsWanted {
  tenantId: string;
  endpointId: string;
  rateLimitPerS: number;
  count: number;
}

const LANES_MAX = 10_000;
/** From so many waiting in all, limited endpoints keep in memory only what they have slots for. */
const MEMORY_SHORT = 2_000;

export class Lanes<T extends Laned> {
  /** Those in which something waits. */
  readonly #all = new Round<Lane<T>>();
  /** Of those, the ones that have been quick: nobody else is looked at when only reserved places are left. */
  readonly #quick = new Round<Lane<T>>();
  readonly #known = new Map<string, Lane<T>>();
  readonly #limited = new Set<Lane<T>>();
  /** In the order of their start. */
  readonly #youngSends = new Set<Send>();
  /** Of the young ones, those of endpoints that had not shown to be quick. */
  #unprovenSends = 0;
  #slowSends = 0;
  readonly #tenantSends = new Map<string, number>();
  /** The latest time that was told. */
  #nowMs = 0;
  #waiting = 0;
  #waitingApart = 0;

  constructor(private readonly limits: LaneLimits = LANE_LIMITS) {}

  get waiting(): number {
    return this.#waiting;
  }

  /** What waits for this process, and not for its endpoint: a slow one's backlog keeps nobody from claiming. */
  get waitingForUs(): number {
    return this.#waiting - this.#waitingApart;
  }

  get sending(): number {
    return this.#youngSends.size + this.#slowSends;
  }

  add(delivery: T): void {
    const lane = this.#laneOf(delivery);
    this.#limit(lane, delivery.rateLimitPerS);
    lane.waiting.push(delivery);
    this.#count(lane, 1);
    this.#all.add(lane);
    if (lane.hasBeenQuick) this.#quick.add(lane);
  }

  /** The next delivery to send, which counts as being sent from now on; undefined where none may be. */
  next(nowMs: number): T | undefined {
    this.#age(nowMs);
    const { sendsMax, sendsReserved, sendsPerTenantMax } = this.limits;
    if (this.#youngSends.size >= sendsMax) return undefined;
    const isReserved = this.#unprovenSends >= sendsMax - sendsReserved;
    const round = isReserved ? this.#quick : this.#all;
    for (const [tenantId, lanes] of round.entries()) {
      if ((this.#tenantSends.get(tenantId) ?? 0) >= sendsPerTenantMax) continue;
      for (const lane of lanes.values()) {
        if (lane.waiting.length === 0) this.#leave(lane);
        if ((isReserved && !lane.isQuick(nowMs)) || !lane.mayStart(nowMs)) continue;
        const delivery = lane.waiting.shift();
        if (delivery === undefined) continue;
        this.#start(lane, delivery.id, nowMs);
        return delivery;
      }
    }
    return undefined;
  }

  /** A send has ended; without an answer, it was none. */
  done({ id, endpointId }: T, answered?: Answered): void {
    const lane = this.#known.get(endpointId);
    const send = lane?.done(id, answered);
    if (lane === undefined || send === undefined) return;
    if (answered !== undefined) this.#nowMs = answered.nowMs;
    this.#reckon(lane);
    if (send.isSlow) this.#slowSends -= 1;
    else this.#leaveYoung(send);
    const sends = (this.#tenantSends.get(lane.tenantId) ?? 0) - 1;
    if (sends > 0) this.#tenantSends.set(lane.tenantId, sends);
    else this.#tenantSends.delete(lane.tenantId);
  }

  /**
   * Takes out what endpoints cannot be sent soon, each with a time at which there should be room for it: put off
   * all alike, a backlog would be claimed and given back again and again.
   */
  surplus(nowMs: number): PutOff<T>[] {
    this.#age(nowMs);
    const surplus: PutOff<T>[] = [];
    for (const [, lanes] of this.#all.entries()) {
      for (const lane of lanes.values()) {
        this.#reckon(lane);
        const cut = lane.cut(nowMs, this.#waiting >= MEMORY_SHORT);
        this.#count(lane, -cut.length);
        surplus.push(...cut);
      }
    }
    return surplus;
  }

  /** Takes out all that waits, or all that waits for one endpoint. */
  drain(endpointId?: string): T[] {
    const lanes = endpointId === undefined ? [...this.#known.values()] : [this.#known.get(endpointId)];
    const drained = lanes.flatMap((lane) => {
      if (lane === undefined) return [];
      this.#count(lane, -lane.waiting.length);
      return lane.waiting.splice(0);
    });
    if (endpointId === undefined) {
      this.#all.clear();
      this.#quick.clear();
    }
    return drained;
  }

  slotsWanted(nowMs: number): SlotsWanted[] {
    const wanted: SlotsWanted[] = [];
    for (const lane of this.#limited) {
      const { tenantId, endpointId, rateLimitPerS } = lane;
      const count = lane.slotsWanted(nowMs);
      if (count > 0 && rateLimitPerS !== null) wanted.push({ tenantId, endpointId, rateLimitPerS, count });
    }
    return wanted;
  }

  addSlots(endpointId: string, slots: readonly Slot[]): void {
    const lane = this.#known.get(endpointId);
    lane?.addSlots(slots);
    // It asks again after the others.
    if (lane !== undefined && this.#limited.delete(lane)) this.#limited.add(lane);
  }

  /** When the first slot opens that something waits for. */
  wakeAtMs(nowMs: number): number | undefined {
    let earliest: number | undefined;
    for (const lane of this.#limited) {
      const at = lane.wakeAtMs(nowMs);
      if (at !== undefined && (earliest === undefined || at < earliest)) earliest = at;
    }
    return earliest;
  }

  #laneOf({ tenantId, endpointId }: T): Lane<T> {
    const known = this.#known.get(endpointId);
    if (known !== undefined) return known;
    if (this.#known.size >= LANES_MAX) this.#forgetIdle();
    const lane = new Lane<T>(tenantId, endpointId, this.limits);
    this.#known.set(endpointId, lane);
    return lane;
  }

  #forgetIdle(): void {
    for (const [id, lane] of this.#known) {
      if (!lane.isIdle) continue;
      this.#leave(lane);
      this.#known.delete(id);
      this.#limited.delete(lane);
    }
  }

  #limit(lane: Lane<T>, rateLimitPerS: number | null): void {
    const isLimited = rateLimitPerS !== null;
    lane.rateLimitPerS = rateLimitPerS;
    if (isLimited === this.#limited.has(lane)) return;
    if (isLimited) this.#limited.add(lane);
    else this.#limited.delete(lane);
    this.#reckon(lane);
  }

  #reckon(lane: Lane<T>): void {
    if (!lane.hasBeenQuick) this.#quick.delete(lane);
    else if (lane.waiting.length > 0) this.#quick.add(lane);
    const isApart = lane.holdsUp(this.#nowMs);
    if (isApart === lane.isApart) return;
    lane.isApart = isApart;
    this.#waitingApart += isApart ? lane.waiting.length : -lane.waiting.length;
  }

  #count(lane: Lane<T>, change: number): void {
    this.#waiting += change;
    if (lane.isApart) this.#waitingApart += change;
  }

  #start(lane: Lane<T>, deliveryId: string, nowMs: number): void {
    this.#count(lane, -1);
    const send = lane.start(deliveryId, nowMs);
    this.#youngSends.add(send);
    if (!send.isQuick) this.#unprovenSends += 1;
    this.#tenantSends.set(lane.tenantId, (this.#tenantSends.get(lane.tenantId) ?? 0) + 1);
    this.#all.turned(lane);
    this.#quick.turned(lane);
    if (lane.waiting.length === 0) this.#leave(lane);
  }

  #leave(lane: Lane<T>): void {
    this.#all.delete(lane);
    this.#quick.delete(lane);
  }

  #leaveYoung(send: Send): void {
    if (this.#youngSends.delete(send) && !send.isQuick) this.#unprovenSends -= 1;
  }

  /** Sends in the order of their start: those that have lasted are counted apart, as long as there is room. */
  #age(nowMs: number): void {
    this.#nowMs = nowMs;
    for (const send of this.#youngSends) {
      if (nowMs - send.startedMs < this.limits.slowAfterMs || this.#slowSends >= this.limits.slowSendsMax)
        return;
      send.isSlow = true;
      this.#leaveYoung(send);
      this.#slowSends += 1;
    }
  }
}
