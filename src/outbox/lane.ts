// Owns one endpoint's deliveries in this process: what waits, what is being sent, how fast the endpoint is, and
// what it allows (its concurrency, its rate limit, a pause it asked for). Holds no I/O and reads no clock. Does
// not own whose turn it is among endpoints (lanes.ts) nor where slots come from (pace.ts).

import type { LaneLimits } from './lane-limits.js';

/** What a lane needs to know of a delivery. */
export interface Laned {
  id: string;
  tenantId: string;
  endpointId: string;
  /** Requests that may start in any one second, in all processes; null without a limit. */
  rateLimitPerS: number | null;
}

/** The right to start one request of a rate-limited endpoint, between two instants of this process's clock. */
export interface Slot {
  fromMs: number;
  untilMs: number;
}

export interface Send {
  startedMs: number;
  /** Whether its endpoint had shown to be quick when it began. */
  isQuick: boolean;
  isSlow: boolean;
}

/** How a send ended. */
export interface Answered {
  nowMs: number;
  isSuccess: boolean;
  /** Set where the endpoint is to be left alone for so long. */
  slowDownMs: number | null;
}

export interface PutOff<T> {
  delivery: T;
  waitMs: number;
}

/** A new endpoint is taken to be fast until it has shown otherwise. */
const LATENCY_FIRST_MS = 10;
/**
 * An endpoint is as fast as the fastest of its last answers. An average would take a moment in which this
 * process itself was busy for the endpoint's fault, and would forgive a receiver that is back too slowly.
 */
const LATENCIES_KEPT = 8;
/**
 * An endpoint that takes longer for each delivery is waited for by its own, and by nobody else's. Twenty
 * milliseconds an answer with every place taken: a process that is busy sees less than that of a quick receiver,
 * and must not claim on and on what it then has to give back.
 */
const QUICK_EACH_MS = 2.5;
/** From here on an endpoint counts as hanging: one send at a time finds out when it is back. */
const HANGING_MS = 5_000;
/** No answer for so long, with every place taken, is a sign of its own: there is nothing else to go by. */
const STALL_MS = 250;
/** An endpoint that answers within this time is quick: what it holds of this process is soon free again. */
const QUICK_MS = 250;
/** Slots are taken for what goes within this time: enough to last until the next are there. */
const SLOTS_AHEAD_MS = 250;
/** How far ahead the time of a limited endpoint may be given away: its rate is known, so it can be trusted longer. */
const PUT_OFF_LIMITED_MAX_MS = 300_000;

export class Lane<T extends Laned> {
  readonly waiting: T[] = [];
  /** What waits here waits for the endpoint and not for this process; kept by lanes.ts, which counts by it. */
  isApart = false;
  rateLimitPerS: number | null = null;
  readonly #sends = new Map<string, Send>();
  /** The last answers' times, the newest last. */
  readonly #latenciesMs: number[] = [];
  /** When a send last ended, or the first began. */
  #progressMs = 0;
  /** Until when all that the endpoint can take is spoken for by what was put off. */
  #bookedUntilMs = 0;
  #pausedUntilMs = 0;
  /** Fewer than the limit where the endpoint was asked too much. */
  #sendsMax: number;
  #slots: Slot[] = [];

  constructor(
    readonly tenantId: string,
    readonly endpointId: string,
    private readonly limits: LaneLimits,
  ) {
    this.#sendsMax = limits.sendsPerEndpointMax;
  }

  /** Whether its rate limit, its own slowness or its silence is what its deliveries wait for. */
  holdsUp(nowMs: number): boolean {
    if (this.rateLimitPerS !== null) return true;
    const latencyMs = this.#hasAnswered ? this.#latencyOf(nowMs) : this.#stallMs(nowMs);
    return latencyMs / this.#sendsMax > QUICK_EACH_MS;
  }

  /** Whether it has answered quickly of late; that it is silent now is seen later. */
  get hasBeenQuick(): boolean {
    return this.#hasAnswered && Math.min(...this.#latenciesMs) <= QUICK_MS;
  }

  isQuick(nowMs: number): boolean {
    return this.#hasAnswered && this.#latencyOf(nowMs) <= QUICK_MS;
  }

  get isIdle(): boolean {
    return this.waiting.length === 0 && this.#sends.size === 0;
  }

  mayStart(nowMs: number): boolean {
    if (nowMs < this.#pausedUntilMs || !this.#hasPlace(nowMs)) return false;
    return this.rateLimitPerS === null || this.#slotAt(nowMs) !== undefined;
  }

  /** Takes a place, and a slot where there is a limit. */
  start(deliveryId: string, nowMs: number): Send {
    const send = { startedMs: nowMs, isQuick: this.isQuick(nowMs), isSlow: false };
    if (this.#sends.size === 0) this.#progressMs = nowMs;
    this.#sends.set(deliveryId, send);
    if (this.rateLimitPerS !== null) this.#slots.shift();
    return send;
  }

  /** The send that has ended; without an answer, it was none. */
  done(deliveryId: string, answered?: Answered): Send | undefined {
    const send = this.#sends.get(deliveryId);
    if (send === undefined) return undefined;
    this.#sends.delete(deliveryId);
    if (answered === undefined) return send;
    const { nowMs, isSuccess, slowDownMs } = answered;
    this.#latenciesMs.push(nowMs - send.startedMs);
    if (this.#latenciesMs.length > LATENCIES_KEPT) this.#latenciesMs.shift();
    this.#progressMs = nowMs;
    if (isSuccess) this.#sendsMax = Math.min(this.#sendsMax + 1, this.limits.sendsPerEndpointMax);
    if (slowDownMs !== null) {
      this.#sendsMax = Math.max(1, this.#sendsMax >> 1);
      this.#pausedUntilMs = Math.max(this.#pausedUntilMs, nowMs + slowDownMs);
    }
    return send;
  }

  /**
   * Takes out what cannot go soon, each with a time at which there should be room for it. Where memory is short,
   * a limited endpoint keeps no more than it has slots for.
   */
  cut(nowMs: number, isMemoryShort: boolean): PutOff<T>[] {
    const isLimited = this.rateLimitPerS !== null;
    const eachMs = this.#eachMs(nowMs);
    const openMs = this.#keptMs - Math.max(0, this.#pausedUntilMs - nowMs);
    let room = openMs <= 0 ? 0 : Math.max(1, Math.floor(openMs / eachMs));
    if (isLimited && isMemoryShort) room = Math.min(room, Math.max(1, this.#slots.length));
    const surplus = this.waiting.splice(Math.min(this.limits.waitingPerEndpointMax, room));
    return surplus.map((delivery) => ({ delivery, waitMs: this.#book(nowMs, eachMs) }));
  }

  /** How many slots are wanted now. */
  slotsWanted(nowMs: number): number {
    if (this.rateLimitPerS === null || !this.#hasPlace(nowMs)) return 0;
    if (this.#pausedUntilMs - nowMs > SLOTS_AHEAD_MS) return 0;
    this.#forgetSlots(nowMs);
    const last = this.#slots.at(-1);
    if (last !== undefined && last.fromMs - nowMs > SLOTS_AHEAD_MS) return 0;
    const batch = Math.ceil((this.rateLimitPerS * SLOTS_AHEAD_MS) / 1000);
    return Math.max(0, Math.min(this.waiting.length - this.#slots.length, batch));
  }

  /** In the order of their times, after those that there are. */
  addSlots(slots: readonly Slot[]): void {
    this.#slots.push(...slots);
  }

  /** When the next slot opens for what waits; undefined where that is not what it waits for. */
  wakeAtMs(nowMs: number): number | undefined {
    if (this.waiting.length === 0 || !this.#hasPlace(nowMs)) return undefined;
    this.#forgetSlots(nowMs);
    const [next] = this.#slots;
    return next === undefined ? undefined : Math.max(next.fromMs, this.#pausedUntilMs);
  }

  #slotAt(nowMs: number): Slot | undefined {
    this.#forgetSlots(nowMs);
    const [next] = this.#slots;
    return next !== undefined && next.fromMs <= nowMs ? next : undefined;
  }

  /** A slot that was missed is lost: used late, it would fall into somebody else's second. */
  #forgetSlots(nowMs: number): void {
    const first = this.#slots.findIndex(({ untilMs }) => untilMs >= nowMs);
    this.#slots.splice(0, first === -1 ? this.#slots.length : first);
  }

  #book(nowMs: number, eachMs: number): number {
    const at = Math.max(this.#bookedUntilMs, nowMs + this.#keptMs, this.#pausedUntilMs);
    const longestMs = this.rateLimitPerS === null ? this.limits.putOffMaxMs : PUT_OFF_LIMITED_MAX_MS;
    const boundMs = Math.max(longestMs, this.#pausedUntilMs - nowMs);
    // What lies beyond is looked at again: by then the endpoint may have become another.
    if (at - nowMs >= boundMs) return Math.ceil(boundMs);
    this.#bookedUntilMs = at + eachMs;
    return Math.ceil(at - nowMs);
  }

  /** What goes within this time is kept; half as much of what waits for its slot and fills memory meanwhile. */
  get #keptMs(): number {
    return this.rateLimitPerS === null ? this.limits.waitMs : this.limits.waitMs / 2;
  }

  /** The time that each delivery takes of the endpoint, with as many at once as it allows. */
  #eachMs(nowMs: number): number {
    const eachMs = this.#latencyOf(nowMs) / this.#sendsMaxAt(nowMs);
    return this.rateLimitPerS === null ? eachMs : Math.max(eachMs, 1000 / this.rateLimitPerS);
  }

  #hasPlace(nowMs: number): boolean {
    return this.#sends.size < Math.min(this.#sendsMaxAt(nowMs), this.#places);
  }

  get #hasAnswered(): boolean {
    return this.#latenciesMs.length > 0;
  }

  get #places(): number {
    return this.#hasAnswered ? this.#sendsMax : Math.min(this.#sendsMax, this.limits.sendsUnansweredMax);
  }

  #latencyOf(nowMs: number): number {
    const recentMs = this.#hasAnswered ? Math.min(...this.#latenciesMs) : LATENCY_FIRST_MS;
    return Math.max(1, recentMs, this.#stallMs(nowMs));
  }

  /** For how long it has been silent with every place taken; 0 where that says nothing yet. */
  #stallMs(nowMs: number): number {
    const stallMs = this.#sends.size < this.#places ? 0 : nowMs - this.#progressMs;
    return stallMs >= STALL_MS ? stallMs : 0;
  }

  #sendsMaxAt(nowMs: number): number {
    return this.#latencyOf(nowMs) >= HANGING_MS ? 1 : this.#sendsMax;
  }
}
