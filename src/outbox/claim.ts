// Owns claiming: a lease on what is due, committed before anything is sent, and then all that the sending
// takes. Does not own what is done with it (deliver.ts).

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Executor, Transaction } from '../db/executor.js';
import type { Delivery, Target } from './attempt.js';
import { type ClaimedRow, claimDue, type DueTenant, loadBodies } from './queue-store.js';

/** Where deliveries go; the module of the endpoints provides it. */
export interface Targets {
  load(executor: Executor, tenantId: string, endpointIds: readonly string[]): Promise<Map<string, Target>>;
  /** The receivers said that they are gone. */
  disable(tx: Transaction, context: Context, endpointIds: readonly string[]): Promise<void>;
}

/** Longer than any send: a worker that lives always records before its claim ends. */
export const LEASE_MS = 60_000;
const CLAIM_SIZE = 250;

export interface ClaimRequest extends DueTenant {
  now: Date;
  token: string;
  /** Tells what this process holds already; see `deliver.ts`. */
  isHeld: (id: string) => boolean;
}

export interface Claimed {
  delivery: Delivery;
  target: Target;
}

/** In the order in which things happened. */
export async function claimBatch(
  { database, targets }: { database: Database; targets: Pick<Targets, 'load'> },
  { tenantId, since, now, token, isHeld }: ClaimRequest,
): Promise<{ count: number; claimed: Claimed[] }> {
  const leaseUntil = new Date(now.getTime() + LEASE_MS);
  const claim = { since, now, leaseUntil, token, limit: CLAIM_SIZE };
  const rows = await database.write(systemContext(tenantId, now), (tx) => claimDue(tx, tenantId, claim));
  const fresh = rows.filter(({ id }) => !isHeld(id));
  if (fresh.length === 0) return { count: rows.length, claimed: [] };
  // Read after the claim was committed, so that a pause that came before it is seen.
  const [bodies, found] = await database.read(tenantId, (executor) =>
    Promise.all([
      loadBodies(executor, tenantId, distinct(fresh, 'eventId')),
      targets.load(executor, tenantId, distinct(fresh, 'endpointId')),
    ]),
  );
  // Ids follow their events' in time.
  fresh.sort((a, b) => (a.id < b.id ? -1 : 1));
  const claimed = fresh.flatMap((row): Claimed[] => {
    const target = found.get(row.endpointId);
    const body = bodies.get(row.eventId);
    // The endpoint was deleted since, and its deliveries with it.
    if (target === undefined || body === undefined) return [];
    const { url, secrets, headers } = target;
    return [{ target, delivery: { ...row, tenantId, token, url, secrets, headers, body } }];
  });
  return { count: rows.length, claimed };
}

function distinct(rows: readonly ClaimedRow[], key: 'eventId' | 'endpointId'): string[] {
  return [...new Set(rows.map((row) => row[key]))];
}

const TURNS_MAX = 10_000;

/** Which tenant claims next: whoever waited longest, so that one with a million due crowds out nobody. */
export class Turns {
  readonly #last = new Map<string, number>();
  #turn = 0;

  sort(tenants: DueTenant[]): DueTenant[] {
    const turnOf = ({ tenantId }: DueTenant): number => this.#last.get(tenantId) ?? 0;
    return tenants.sort((a, b) => turnOf(a) - turnOf(b));
  }

  had({ tenantId }: DueTenant): void {
    if (this.#last.size >= TURNS_MAX) this.#last.clear();
    this.#last.set(tenantId, ++this.#turn);
  }
}

export function systemContext(tenantId: string, now: Date): Context {
  const id = 'deliver-due-webhooks';
  return { tenantId, actor: { kind: 'system', id }, now, requestId: id };
}
