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
  waitMs: 5_000,
  putOffMaxMs: 60_000,
};

/** A new endpoint is taken to be fast until it has shown otherwise. */
const LATENCY_FIRST_MS = 10;
const LATENCY_WEIGHT = 0.3;
/** From here on an endpoint counts as hanging: one send at a time finds out when it is back. */
const HANGING_MS = 5_000;
const LANES_MAX = 10_000;

interface Send {
  startedMs: number;
  isSlow: boolean;
}

interface Lane<T> {
  endpointId: string;
  waiting: T[];
  sends: Map<string, Send>;
  latencyMs: number;
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

  /** A send has ended. */
  done(delivery: T, nowMs: number): void {
    const lane = this.#known.get(delivery.endpointId);
    const send = lane?.sends.get(delivery.id);
    if (lane === undefined || send === undefined) return;
    lane.sends.delete(delivery.id);
    if (send.isSlow) this.#slowSends -= 1;
    else this.#youngSends.delete(send);
    lane.latencyMs += LATENCY_WEIGHT * (nowMs - send.startedMs - lane.latencyMs);
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
      latencyMs: LATENCY_FIRST_MS,
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

  /** What is under way counts too: an endpoint that has begun to hang has no answer to be measured by. */
  #latencyOf(lane: Lane<T>, nowMs: number): number {
    const [oldest] = lane.sends.values();
    return Math.max(1, lane.latencyMs, oldest === undefined ? 0 : nowMs - oldest.startedMs);
  }

  #sendsMaxOf(lane: Lane<T>, nowMs: number): number {
    return this.#latencyOf(lane, nowMs) >= HANGING_MS ? 1 : this.limits.sendsPerEndpointMax;
  }
}
