// Owns the order in which claimed deliveries leave this process: a lane for each endpoint, turns between
// tenants and between a tenant's lanes, and the bounds by which a hanging endpoint cannot hold up another.
// Holds no I/O and reads no clock. Does not own claiming, sending or recording (deliver.ts).

/** What a lane needs to know of a delivery. */
export interface Laned {
  id: string;
  tenantId: string;
  endpointId: string;
}

export interface LaneLimits {
  /** Sends under way that have not lasted long yet. */
  sendsMax: number;
  /** Sends that have lasted longer than `slowAfterMs` stop counting there, up to this many. */
  slowSendsMax: number;
  slowAfterMs: number;
  sendsPerEndpointMax: number;
  /** Deliveries that one endpoint may have waiting in memory. */
  waitingPerEndpointMax: number;
  /** How long a delivery should wait in memory at most: what a slow endpoint cannot take in that time goes back. */
  waitMs: number;
  /** How long what it cannot take is put off at most. */
  putOffMaxMs: number;
}

export const LANE_LIMITS: LaneLimits = {
  sendsMax: 64,
  // A hanging endpoint holds its sends until their timeout. If those counted for ever, eight such endpoints
  // would stop everybody's deliveries for fifteen seconds.
  slowSendsMax: 192,
  slowAfterMs: 1_000,
  sendsPerEndpointMax: 8,
  waitingPerEndpointMax: 500,
  waitMs: 1_000,
  putOffMaxMs: 30_000,
};

/** A new endpoint is taken to be fast until it has shown otherwise. */
const LATENCY_FIRST_MS = 10;
/**
 * An endpoint is as fast as the fastest of its last answers. An average would take a moment in which this
 * process itself was busy for the endpoint's fault, and would forgive a receiver that is back too slowly.
 */
const LATENCIES_KEPT = 8;
/** From here on an endpoint counts as hanging: one send at a time finds out when it is back. */
const HANGING_MS = 5_000;
/** No answer for so long, with every place taken, is a sign of its own: there is nothing else to go by. */
const STALL_MS = 250;
const LANES_MAX = 10_000;

interface Send {
  startedMs: number;
  isSlow: boolean;
}

interface Lane<T> {
  endpointId: string;
  waiting: T[];
  sends: Map<string, Send>;
  /** The last answers' times, the newest last. */
  latenciesMs: number[];
  /** When a send last ended, or the first began. */
  progressMs: number;
  /** Until when all that the endpoint can take is spoken for by what was put off. */
  bookedUntilMs: number;
}

export class Lanes<T extends Laned> {
  /** Tenants and their lanes; whoever had a turn goes to the end, so the first is the next. */
  readonly #tenants = new Map<string, Map<string, Lane<T>>>();
  readonly #known = new Map<string, Lane<T>>();
  /** In the order of their start. */
  readonly #youngSends = new Set<Send>();
  #slowSends = 0;
  #waiting = 0;

  constructor(private readonly limits: LaneLimits = LANE_LIMITS) {}

  get waiting(): number {
    return this.#waiting;
  }

  get sending(): number {
    return this.#youngSends.size + this.#slowSends;
  }

  add(delivery: T): void {
    const lane = this.#laneOf(delivery);
    lane.waiting.push(delivery);
    this.#waiting += 1;
    let lanes = this.#tenants.get(delivery.tenantId);
    if (lanes === undefined) {
      lanes = new Map();
      this.#tenants.set(delivery.tenantId, lanes);
    }
    lanes.set(lane.endpointId, lane);
  }

  /** The next delivery to send, which counts as being sent from now on; undefined where none may be. */
  next(nowMs: number): T | undefined {
    this.#age(nowMs);
    if (this.#youngSends.size >= this.limits.sendsMax) return undefined;
    for (const [tenantId, lanes] of this.#tenants) {
      for (const lane of lanes.values()) {
        if (lane.sends.size >= this.#sendsMaxOf(lane, nowMs)) continue;
        const delivery = lane.waiting.shift();
        if (delivery === undefined) {
          lanes.delete(lane.endpointId);
          continue;
        }
        this.#start(lane, delivery.id, nowMs);
        this.#turn(tenantId, lanes, lane);
        return delivery;
      }
    }
    return undefined;
  }

  /** A send has ended; without a time, it was none. */
  done(delivery: T, nowMs?: number): void {
    const lane = this.#known.get(delivery.endpointId);
    const send = lane?.sends.get(delivery.id);
    if (lane === undefined || send === undefined) return;
    lane.sends.delete(delivery.id);
    if (send.isSlow) this.#slowSends -= 1;
    else this.#youngSends.delete(send);
    if (nowMs === undefined) return;
    lane.latenciesMs.push(nowMs - send.startedMs);
    if (lane.latenciesMs.length > LATENCIES_KEPT) lane.latenciesMs.shift();
    lane.progressMs = nowMs;
  }

  /**
   * Takes out what slow endpoints cannot be sent soon, each with a time at which there should be room for it:
   * put off all alike, a backlog would be claimed and given back again and again.
   */
  surplus(nowMs: number): { delivery: T; waitMs: number }[] {
    this.#age(nowMs);
    const surplus: { delivery: T; waitMs: number }[] = [];
    for (const lanes of this.#tenants.values()) {
      for (const lane of lanes.values()) {
        const perMs = this.#sendsMaxOf(lane, nowMs) / this.#latencyOf(lane, nowMs);
        const room = Math.max(1, Math.floor(this.limits.waitMs * perMs));
        const cut = lane.waiting.splice(Math.min(this.limits.waitingPerEndpointMax, room));
        this.#waiting -= cut.length;
        for (const delivery of cut) surplus.push({ delivery, waitMs: this.#book(lane, nowMs, 1 / perMs) });
      }
    }
    return surplus;
  }

  /** Takes out all that waits, or all that waits for one endpoint. */
  drain(endpointId?: string): T[] {
    const lanes = endpointId === undefined ? [...this.#known.values()] : [this.#known.get(endpointId)];
    const drained = lanes.flatMap((lane) => lane?.waiting.splice(0) ?? []);
    this.#waiting -= drained.length;
    if (endpointId === undefined) this.#tenants.clear();
    return drained;
  }

  #book(lane: Lane<T>, nowMs: number, eachMs: number): number {
    const { waitMs, putOffMaxMs } = this.limits;
    const at = Math.max(lane.bookedUntilMs, nowMs + waitMs);
    // What lies beyond is looked at again: by then the endpoint may have become another.
    if (at - nowMs >= putOffMaxMs) return putOffMaxMs;
    lane.bookedUntilMs = at + eachMs;
    return Math.ceil(at - nowMs);
  }

  #laneOf({ endpointId }: T): Lane<T> {
    const known = this.#known.get(endpointId);
    if (known !== undefined) return known;
    if (this.#known.size >= LANES_MAX) this.#forgetIdle();
    const lane: Lane<T> = {
      endpointId,
      waiting: [],
      sends: new Map(),
      latenciesMs: [],
      progressMs: 0,
      bookedUntilMs: 0,
    };
    this.#known.set(endpointId, lane);
    return lane;
  }

  #forgetIdle(): void {
    for (const [id, lane] of this.#known) {
      if (lane.waiting.length === 0 && lane.sends.size === 0) this.#known.delete(id);
    }
  }

  #start(lane: Lane<T>, deliveryId: string, nowMs: number): void {
    const send = { startedMs: nowMs, isSlow: false };
    if (lane.sends.size === 0) lane.progressMs = nowMs;
    lane.sends.set(deliveryId, send);
    this.#youngSends.add(send);
    this.#waiting -= 1;
  }

  #turn(tenantId: string, lanes: Map<string, Lane<T>>, lane: Lane<T>): void {
    lanes.delete(lane.endpointId);
    if (lane.waiting.length > 0) lanes.set(lane.endpointId, lane);
    this.#tenants.delete(tenantId);
    if (lanes.size > 0) this.#tenants.set(tenantId, lanes);
  }

  /** Sends in the order of their start: those that have lasted are counted apart, as long as there is room. */
  #age(nowMs: number): void {
    for (const send of this.#youngSends) {
      if (nowMs - send.startedMs < this.limits.slowAfterMs || this.#slowSends >= this.limits.slowSendsMax)
        return;
      send.isSlow = true;
      this.#youngSends.delete(send);
      this.#slowSends += 1;
    }
  }

  #latencyOf(lane: Lane<T>, nowMs: number): number {
    const recentMs = lane.latenciesMs.length === 0 ? LATENCY_FIRST_MS : Math.min(...lane.latenciesMs);
    const stallMs = lane.sends.size < this.limits.sendsPerEndpointMax ? 0 : nowMs - lane.progressMs;
    return Math.max(1, recentMs, stallMs >= STALL_MS ? stallMs : 0);
  }

  #sendsMaxOf(lane: Lane<T>, nowMs: number): number {
    return this.#latencyOf(lane, nowMs) >= HANGING_MS ? 1 : this.limits.sendsPerEndpointMax;
  }
}
