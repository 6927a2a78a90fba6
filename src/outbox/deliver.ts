// Owns the walk of deliveries: claim, commit, prepare, send, record. Nothing is sent inside a transaction, and
// nothing is recorded by who has lost the claim. Does not own who claims (claim-rounds.ts) and when (room.ts),
// whose turn it is to be sent (lanes.ts), what an outcome means (attempt.ts), how outcomes are written
// (recorder.ts), or when this runs (jobs/).

import type { Database } from '../db/database.js';
import { newId } from '../ids.js';
import type { SendResult, Transport } from '../webhooks/transport.js';
import { type OutcomeKind, prepare, returned, settlementOf, unsentSettlement } from './attempt.js';
import { type Claimed, claimBatch, LEASE_MS, systemContext, type Targets } from './claim.js';
import { ClaimRounds } from './claim-rounds.js';
import { putOffMs, type Verdict } from './health.js';
import { type Held, Holding } from './holding.js';
import { LANE_LIMITS, type LaneLimits, Lanes } from './lanes.js';
import { Pacer } from './pace.js';
import type { DueTenant } from './queue-store.js';
import type { Shut } from './record.js';
import { Recorder } from './recorder.js';
import { slowDownMs } from './retry.js';
import { Room } from './room.js';
import type { Settlement } from './settle-store.js';

export interface DelivererDeps {
  database: Database;
  transport: Pick<Transport, 'send'>;
  targets: Targets;
  /** The application's clock: what is due, leases and retries go by it. */
  clock: () => Date;
  /** For signatures, whatever the application's clock says. */
  wallClock: () => Date;
  random?: () => number;
  limits?: Partial<LaneLimits>;
  onError: (error: unknown) => void;
  /** For the metrics; `lost` is an outcome that came after its lease. */
  onOutcome?: (kind: OutcomeKind | 'lost', durationMs: number) => void;
  /** For the metrics: outcomes that this process recorded have shut an endpoint. */
  onShut?: (how: 'breaker_open' | 'disabled') => void;
}

export interface Deliverer {
  /**
   * Claims what is due at `now` as far as there is room, and answers how many deliveries. It waits for room but
   * not for the sending: what hangs holds up neither this call nor the deliveries of others.
   */
  pump(now: Date): Promise<number>;
  /** Resolves once nothing that was claimed waits, is being sent, or is yet to be recorded. */
  settled(): Promise<void>;
  /** Claims no more, gives back what waits, and ends what is being sent within `graceMs`. */
  stop(graceMs?: number): Promise<void>;
}

/** What a send and its recording may take; a delivery that has waited too long for that is left to its lease. */
const SEND_MARGIN_MS = 25_000;
const SWEEP_MS = 100;
/** How long what could not even be prepared is left alone. */
const FAULT_WAIT_MS = 30_000;
const STOP_GRACE_MS = 10_000;

export function createDeliverer(deps: DelivererDeps): Deliverer {
  return new Delivering(deps);
}

class Delivering implements Deliverer {
  /** One for this process's life: what it claims again while it still holds it stays its own. */
  readonly #token = newId();
  readonly #lanes: Lanes<Held>;
  readonly #recorder: Recorder;
  readonly #pacer: Pacer;
  readonly #holding = new Holding(() => this.#restSweeper());
  readonly #room: Room;
  readonly #rounds: ClaimRounds;
  #sweeper: NodeJS.Timeout | undefined;
  readonly #stopping = new AbortController();
  #isStopped = false;

  constructor(private readonly deps: DelivererDeps) {
    const { database, targets, clock, onError } = deps;
    const lanes = new Lanes<Held>({ ...LANE_LIMITS, ...deps.limits });
    const onShut = (shut: Shut) => {
      deps.onShut?.(shut.openUntil === null ? 'disabled' : 'breaker_open');
      this.#shut(shut);
    };
    this.#lanes = lanes;
    this.#room = new Room(lanes);
    this.#rounds = new ClaimRounds({
      database,
      mayClaim: () => this.#room.mayClaim,
      claim: (tenant, at) => this.#claim(tenant, at),
    });
    this.#recorder = new Recorder({
      database,
      disableEndpoints: targets.disable,
      now: clock,
      onShut,
      onError,
    });
    const contextOf = (tenantId: string) => systemContext(tenantId, clock());
    this.#pacer = new Pacer({ database, lanes, contextOf, wake: () => this.#fill(), onError });
  }

  async pump(now: Date): Promise<number> {
    await this.#room.wait();
    if (this.#isStopped) return 0;
    // The wait may have been long, and a lease that begins in the past would end before its holder thinks.
    return this.#rounds.run(new Date(Math.max(now.getTime(), this.deps.clock().getTime())));
  }

  settled(): Promise<void> {
    return this.#holding.settled();
  }

  async stop(graceMs = STOP_GRACE_MS): Promise<void> {
    this.#isStopped = true;
    this.#room.close();
    for (const delivery of this.#lanes.drain()) this.#giveBack(delivery, 0);
    const timer = setTimeout(() => this.#stopping.abort(), graceMs);
    await Promise.all([this.settled(), this.#pacer.stop()]);
    clearTimeout(timer);
  }

  #claim(tenant: DueTenant, now: Date): Promise<number> {
    const claimedMs = performance.now();
    return this.#holding.claiming(claimedMs, async (isHeld) => {
      const { count, claimed } = await claimBatch(this.deps, { ...tenant, now, token: this.#token, isHeld });
      for (const one of claimed) this.#takeUp(one, { claimedMs, now });
      this.#cut();
      this.#sweep();
      this.#fill();
      return count;
    });
  }

  #takeUp(
    { delivery, target, isProbe }: Claimed,
    { claimedMs, now }: { claimedMs: number; now: Date },
  ): void {
    const held = { ...delivery, claimedMs, isProbe };
    this.#holding.hold(held);
    const chance = { now, random: this.#random() };
    const unsent = this.#isStopped ? returned(held, now, 0) : unsentSettlement(held, target, chance);
    if (unsent === undefined) this.#lanes.add(held);
    else this.#record(held, unsent);
    if (target.secrets.length === 0) this.deps.onError(unreadable(held));
  }

  #fill(): void {
    for (;;) {
      const delivery = this.#lanes.next(performance.now());
      if (delivery === undefined) break;
      void this.#send(delivery);
    }
    this.#pacer.keep(performance.now());
    this.#room.look();
  }

  async #send(delivery: Held): Promise<void> {
    if (performance.now() - delivery.claimedMs > LEASE_MS - SEND_MARGIN_MS) {
      this.#lanes.done(delivery);
      this.#holding.release(delivery);
      return;
    }
    const { clock, wallClock, transport } = this.deps;
    const { signal } = this.#stopping;
    try {
      const startedAt = clock();
      const result = await transport.send({ ...prepare(delivery, wallClock()), signal });
      if (signal.aborted && result.error?.code === 'aborted') {
        this.#lanes.done(delivery);
        this.#giveBack(delivery, 0);
      } else {
        this.#ended(delivery, result, startedAt);
      }
    } catch (error) {
      // What cannot even be prepared is a fault of ours: it costs the receiver no attempt.
      this.deps.onError(error);
      this.#lanes.done(delivery);
      this.#giveBack(delivery, FAULT_WAIT_MS);
    }
    this.#fill();
  }

  #ended(delivery: Held, result: SendResult, startedAt: Date): void {
    const now = this.deps.clock();
    const { kind, settlement } = settlementOf(delivery, { result, startedAt, now, random: this.#random() });
    this.deps.onOutcome?.(kind, result.durationMs);
    const isSuccess = kind === 'succeeded';
    this.#lanes.done(delivery, {
      nowMs: performance.now(),
      isSuccess,
      slowDownMs: isSuccess ? null : slowDownMs(result, now),
    });
    const { endpointId, isProbe } = delivery;
    const verdict = kind === 'succeeded' || kind === 'gone' ? kind : 'failed';
    this.#record(delivery, settlement, { endpointId, kind: verdict, at: now, isProbe });
    if (kind === 'gone') this.#shut({ endpointId, openUntil: null });
  }

  /** What waits for an endpoint that takes none now goes back. */
  #shut({ endpointId, openUntil }: Shut): void {
    const now = this.deps.clock();
    for (const other of this.#lanes.drain(endpointId)) {
      this.#giveBack(other, openUntil === null ? 0 : putOffMs(openUntil, now, this.#random()));
    }
  }

  #giveBack(delivery: Held, waitMs: number): void {
    this.#record(delivery, returned(delivery, this.deps.clock(), waitMs));
  }

  #record(delivery: Held, settlement: Settlement, verdict?: Verdict): void {
    const recorded = (held: boolean): void => {
      if (!held) this.deps.onOutcome?.('lost', 0);
      this.#holding.release(delivery);
    };
    const isOrdered = delivery.customerId !== null;
    this.#recorder.add(delivery.tenantId, { settlement, isOrdered, verdict, recorded });
  }

  #random(): number {
    return (this.deps.random ?? Math.random)();
  }

  #cut(): void {
    for (const { delivery, waitMs } of this.#lanes.surplus(performance.now()))
      this.#giveBack(delivery, waitMs);
  }

  /** While anything is held: what an endpoint proves too slow for goes back, and sends that last make room. */
  #sweep(): void {
    if (this.#holding.size === 0 || this.#sweeper !== undefined) return;
    this.#sweeper = setInterval(() => {
      this.#cut();
      this.#fill();
    }, SWEEP_MS);
  }

  #restSweeper(): void {
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }
}

function unreadable({ endpointId }: Held): Error {
  return new Error(`the secret of the webhook endpoint ${endpointId} cannot be read with the present key`);
}
