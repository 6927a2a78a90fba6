// Owns taking away what was kept for long enough: events, their deliveries and the attempts, from the beginning
// of each tenant's feed, in short transactions. What is still to be delivered stays, with its event, however
// old it is. Does not own when this runs (jobs/), nor what a reader is told who comes too late (feed-service.ts).

import { type Context, NO_TENANT_ID } from '../context.js';
import type { Database } from '../db/database.js';
import type { Transaction } from '../db/executor.js';
import { DAY_MS } from '../lifecycle/calendar.js';
import {
  deleteOld,
  lockEvents,
  moveBeginning,
  moveSweep,
  type OldEvent,
  type Pruned,
  readPlaces,
  readStretch,
  tenantsWithOldEvents,
} from './retention-store.js';

export interface RetentionDeps {
  database: Database;
  /** 0 keeps everything. */
  retentionDays: number;
}

export interface PruneResult extends Pruned {
  /** Whether a tenant has more that is old enough. */
  more: boolean;
}

/** Each event may have a delivery for each of fifty endpoints, and each of those a dozen attempts. */
const EVENTS_A_BATCH = 500;
/** Looked over at a time of what had to stay: most of it stays again, so that is mere reading. */
const SWEPT_A_RUN = 2_000;
const TENANTS_A_LOOK = 1_000;
/** Below every position; also what a new feed has. */
const SWEEP_START = Number.MIN_SAFE_INTEGER;

/** One batch for each tenant that has something old enough. */
export async function pruneOld({ database, retentionDays }: RetentionDeps, now: Date): Promise<PruneResult> {
  const result: PruneResult = { events: 0, deliveries: 0, attempts: 0, more: false };
  if (retentionDays === 0) return result;
  const before = new Date(now.getTime() - retentionDays * DAY_MS);
  for (const tenantId of await tenantsDue(database, before)) {
    const id = 'prune-deliveries';
    const context: Context = { tenantId, actor: { kind: 'system', id }, now, requestId: id };
    const taken = await database.write(context, (tx) => pruneFirst(tx, tenantId, before));
    const swept = await database.write(context, (tx) => sweep(tx, tenantId, before));
    for (const key of ['events', 'deliveries', 'attempts'] as const) result[key] += taken[key] + swept[key];
    result.more ||= taken.more;
  }
  return result;
}

async function tenantsDue(database: Database, before: Date): Promise<string[]> {
  const due: string[] = [];
  let afterId = NO_TENANT_ID;
  for (;;) {
    const look = { afterId, before, limit: TENANTS_A_LOOK };
    const seen = await database.find((finder) => tenantsWithOldEvents(finder, look));
    for (const { tenantId, isDue } of seen) if (isDue) due.push(tenantId);
    const last = seen.at(-1);
    if (last === undefined || seen.length < TENANTS_A_LOOK) return due;
    afterId = last.tenantId;
  }
}

const NOTHING: PruneResult = { events: 0, deliveries: 0, attempts: 0, more: false };

/** From the beginning of the feed, which moves on; the first event that is young enough ends it. */
async function pruneFirst(tx: Transaction, tenantId: string, before: Date): Promise<PruneResult> {
  const places = await readPlaces(tx, tenantId);
  if (places === undefined) return NOTHING;
  const stretch = { after: places.prunedTo, upTo: Number.MAX_SAFE_INTEGER, before, limit: EVENTS_A_BATCH };
  const events = await readStretch(tx, tenantId, stretch);
  const young = events.findIndex(({ isOld }) => !isOld);
  const old = young === -1 ? events : events.slice(0, young);
  const last = old.at(-1);
  if (last === undefined) return NOTHING;
  const pruned = await take(tx, tenantId, { events: old, before });
  await moveBeginning(tx, tenantId, last.position);
  return { ...pruned, more: old.length === EVENTS_A_BATCH };
}

/**
 * Some of what lies before the beginning, from where the last look ended and round again: what an earlier run
 * had to leave behind, since it waited for a paused endpoint, say, and may be delivered by now and old enough;
 * and what never had a place in the feed, such as samples.
 */
async function sweep(tx: Transaction, tenantId: string, before: Date): Promise<Pruned> {
  const places = await readPlaces(tx, tenantId);
  if (places === undefined) return NOTHING;
  const { prunedTo, sweptTo } = places;
  const stretch = { after: sweptTo, upTo: prunedTo, before, limit: SWEPT_A_RUN };
  const events = await readStretch(tx, tenantId, stretch);
  const next = events.length < SWEPT_A_RUN ? SWEEP_START : (events.at(-1)?.position ?? SWEEP_START);
  const old = events.filter(({ isOld }) => isOld);
  const pruned = old.length === 0 ? NOTHING : await take(tx, tenantId, { events: old, before });
  if (next !== sweptTo) await moveSweep(tx, tenantId, next);
  return pruned;
}

async function take(
  tx: Transaction,
  tenantId: string,
  { events, before }: { events: readonly OldEvent[]; before: Date },
): Promise<Pruned> {
  const ids = await lockEvents(
    tx,
    tenantId,
    events.map(({ id }) => id),
  );
  return ids.length === 0 ? NOTHING : deleteOld(tx, tenantId, { ids, before });
}
