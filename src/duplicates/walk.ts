// Owns the walk over changed customers by which likely duplicates come to be known: a bounded number of batches a run,
// each a transaction. Does not own when it runs (jobs/) nor what makes two alike (keys.ts).

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import { tenantsDue } from '../db/due-tenants.js';
import type { Transaction } from '../db/executor.js';
import { newId } from '../ids.js';
import { keysOf, REASONS, type Reason, SIMILAR_MIN, scoreOf, similarity } from './keys.js';
import {
  deletePairs,
  pairsOf,
  replaceKeys,
  type Sharing,
  sharersOf,
  trimPairs,
  writePairs,
} from './store.js';
import { type Changed, claimWalk, nextChanged, scheduleWalk } from './walk-store.js';

const BATCH = 200;
const BATCHES_MAX = 50;
const AGAIN_AFTER_MS = 60_000;
/** A write that has not been committed by now was given up: what is older than this has all there will be. */
const SETTLED_AFTER_MS = 45_000;

export interface WalkResult {
  customers: number;
  more: boolean;
}

export async function walkDue(database: Database, now: Date): Promise<WalkResult> {
  const result: WalkResult = { customers: 0, more: false };
  let batches = 0;
  const queue = await database.find((finder) => tenantsDue(finder, 'duplicate_walks', now));
  for (let tenantId = queue.shift(); tenantId !== undefined; tenantId = queue.shift()) {
    if (batches >= BATCHES_MAX) return { ...result, more: true };
    batches += 1;
    const seen = await walkBatch(database, tenantId, now);
    result.customers += seen;
    // In turn: one with a million to look at does not keep the others waiting.
    if (seen === BATCH) queue.push(tenantId);
  }
  return result;
}

function walkBatch(database: Database, tenantId: string, now: Date): Promise<number> {
  const actor = { kind: 'system', id: 'find-duplicates' } as const;
  const context: Context = { tenantId, actor, now, requestId: newId() };
  return database.write(context, async (tx) => {
    if (!(await claimWalk(tx, tenantId, now))) return 0;
    const until = new Date(now.getTime() - SETTLED_AFTER_MS);
    const changed = await nextChanged(tx, tenantId, { until, limit: BATCH });
    if (changed.length > 0) await lookAt(tx, context, changed);
    if (changed.length < BATCH) await scheduleWalk(tx, tenantId, new Date(now.getTime() + AGAIN_AFTER_MS));
    return changed.length;
  });
}

/** Of a walk that the transaction holds: nobody else writes keys and pairs meanwhile. */
export async function lookAt(tx: Transaction, { tenantId, now }: Context, changed: Changed[]): Promise<void> {
  const customerIds = changed.map(({ id }) => id);
  const keys = changed.flatMap((customer) =>
    customer.isGone ? [] : keysOf(customer).map((key) => ({ ...key, customer: customer.id })),
  );
  await replaceKeys(tx, tenantId, { customerIds, keys });
  const [sharers, known] = await Promise.all([
    sharersOf(tx, tenantId, keys),
    pairsOf(tx, tenantId, customerIds),
  ]);
  const found = pairsIn(sharers);
  const stale = known.filter(({ firstId, secondId }) => !found.has(`${firstId} ${secondId}`));
  const pairs = [...found.values()].map(({ firstId, secondId, reasons }) => {
    return { id: newId(), firstId, secondId, reasons, score: scoreOf(reasons), foundAt: now };
  });
  await Promise.all([
    deletePairs(
      tx,
      tenantId,
      stale.map(({ id }) => id),
    ),
    writePairs(tx, tenantId, pairs),
  ]);
  // Whoever has many to share with gets a few more from each of them.
  const before = new Set(known.map(({ firstId, secondId }) => `${firstId} ${secondId}`));
  const added = pairs.filter(({ firstId, secondId }) => !before.has(`${firstId} ${secondId}`));
  const touched = new Set(added.flatMap(({ firstId, secondId }) => [firstId, secondId]));
  await trimPairs(tx, tenantId, [...touched]);
}

interface Pair {
  firstId: string;
  secondId: string;
  reasons: Reason[];
}

/** Each two once, with all that speaks for it; those who live together and are named otherwise are left out. */
function pairsIn(sharers: readonly Sharing[]): Map<string, Pair> {
  const pairs = new Map<string, Pair>();
  for (const { customer, other, kind, name, otherName } of sharers) {
    if (name !== null && otherName !== null && similarity(name, otherName) < SIMILAR_MIN) continue;
    const [firstId, secondId] = customer < other ? [customer, other] : [other, customer];
    const key = `${firstId} ${secondId}`;
    const pair = pairs.get(key) ?? { firstId, secondId, reasons: [] };
    pairs.set(key, pair);
    if (!pair.reasons.includes(kind)) pair.reasons.push(kind);
    pair.reasons.sort((a, b) => REASONS.indexOf(a) - REASONS.indexOf(b));
  }
  return pairs;
}
