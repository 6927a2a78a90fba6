// Owns claiming: a lease on what is due, committed before anything is sent, and then all that the sending
// takes. Does not own what is done with it (deliver.ts).

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Executor, Transaction } from '../db/executor.js';
import type { Delivery, Target } from './attempt.js';
import { breakerState, PROBE_LEASE_MS, PROBE_LOOK_MS } from './health.js';
import { takeProbes } from './health-store.js';
import { type ClaimedRow, claimDue, type DueTenant, loadBodies } from './queue-store.js';

/** Where deliveries go; the module of the endpoints provides it. */
export interface Targets {
  /** `now` says which secrets still sign. */
  load(executor: Executor, asked: TargetsQuery): Promise<Map<string, Target>>;
  /** The receivers are gone, or have failed for too long. All its statements are sent before it waits. */
  disable(tx: Transaction, context: Context, endpoints: readonly Disabling[]): Promise<void>;
}

export interface TargetsQuery {
  tenantId: string;
  endpointIds: readonly string[];
  now: Date;
}

export interface Disabling {
  id: string;
  reason: 'gone' | 'failing';
}

/** Longer than any send: a worker that lives always records before its claim ends. */
export const LEASE_MS = 60_000;

export interface ClaimRequest extends DueTenant {
  now: Date;
  token: string;
  /** Tells what this process holds already; see `deliver.ts`. */
  isHeld: (id: string) => boolean;
}

export interface Claimed {
  delivery: Delivery;
  target: Target;
  /** Whether it is sent to find out if its endpoint is back. */
  isProbe: boolean;
}

export interface ClaimedBatch {
  /** Deliveries that were due, whether they are to be sent or must wait for another. */
  count: number;
  /** In the order in which things happened. */
  claimed: Claimed[];
}

export interface ClaimDeps {
  database: Database;
  targets: Pick<Targets, 'load'>;
}

export async function claimBatch(deps: ClaimDeps, request: ClaimRequest): Promise<ClaimedBatch> {
  const { database, targets } = deps;
  const { tenantId, since, now, token, isHeld } = request;
  const leaseUntil = new Date(now.getTime() + LEASE_MS);
  const { claimed: rows, heldBack } = await database.write(systemContext(tenantId, now), (tx) =>
    claimDue(tx, tenantId, { since, now, leaseUntil, token }),
  );
  const count = rows.length + heldBack;
  const fresh = rows.filter(({ id }) => !isHeld(id));
  if (fresh.length === 0) return { count, claimed: [] };
  // Read after the claim was committed, so that a pause that came before it is seen.
  const [bodies, found] = await database.read(tenantId, (executor) =>
    Promise.all([
      loadBodies(executor, tenantId, distinct(fresh, 'eventId')),
      targets.load(executor, { tenantId, endpointIds: distinct(fresh, 'endpointId'), now }),
    ]),
  );
  // Ids follow their events' in time.
  fresh.sort((a, b) => (a.id < b.id ? -1 : 1));
  const claimed = fresh.flatMap((row): Claimed[] => {
    const target = found.get(row.endpointId);
    const body = bodies.get(row.eventId);
    // The endpoint was deleted since, and its deliveries with it.
    if (target === undefined || body === undefined) return [];
    const { url, secrets, headers, rateLimitPerS } = target;
    const delivery = { ...row, tenantId, token, url, secrets, headers, rateLimitPerS, body };
    return [{ target, delivery, isProbe: false }];
  });
  return { count, claimed: await probing(database, claimed, { tenantId, now }) };
}

/**
 * Where a breaker's time is over, one delivery of one process finds out whether the receiver is back; the others
 * look again soon.
 */
async function probing(
  database: Database,
  claimed: readonly Claimed[],
  { tenantId, now }: { tenantId: string; now: Date },
): Promise<Claimed[]> {
  const seekers = new Map<string, Date>();
  for (const { delivery, target } of claimed) {
    const { openUntil, status, secrets } = target;
    const isSent = status === 'active' && secrets.length > 0;
    if (isSent && openUntil !== null && breakerState(target, now) === 'half_open')
      seekers.set(delivery.endpointId, openUntil);
  }
  if (seekers.size === 0) return [...claimed];
  const wanted = [...seekers].map(([endpointId, openUntil]) => ({ endpointId, openUntil }));
  const until = new Date(now.getTime() + PROBE_LEASE_MS);
  const taken = await database.write(systemContext(tenantId, now), (tx) =>
    takeProbes(tx, tenantId, { seekers: wanted, until }),
  );
  const unused = new Set(taken);
  const openUntil = new Date(now.getTime() + PROBE_LOOK_MS);
  return claimed.map((one) => {
    if (!seekers.has(one.delivery.endpointId)) return one;
    if (unused.delete(one.delivery.endpointId)) return { ...one, isProbe: true };
    return { ...one, target: { ...one.target, openUntil } };
  });
}

function distinct(rows: readonly ClaimedRow[], key: 'eventId' | 'endpointId'): string[] {
  return [...new Set(rows.map((row) => row[key]))];
}

export function systemContext(tenantId: string, now: Date): Context {
  const id = 'deliver-due-webhooks';
  return { tenantId, actor: { kind: 'system', id }, now, requestId: id };
}
