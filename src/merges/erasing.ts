// Owns taking who somebody was out of merges: of their own, and of those that whoever had their data at the time was
// part of. Does not own what else those others were told of with (privacy/).

import type { Transaction } from '../db/executor.js';
import type { ProfileCopy } from './copies.js';
import { eraseCopies, mergesWithin, type Stretch } from './erasure-store.js';

/** Somebody who had the data for a time and has parted with it. */
export interface Host {
  customerId: string;
  recorded: { from: Date; to: Date };
}

export interface ErasedMerges {
  hosts: Host[];
  /** Who they were when they were merged. */
  copies: ProfileCopy[];
}

/**
 * Follows the data of `ids` from each merge to the next: whoever was merged while they had it has passed it on. A
 * merge is gone through once, so the walk ends.
 */
export async function eraseMerges(
  tx: Transaction,
  tenantId: string,
  ids: readonly string[],
): Promise<ErasedMerges> {
  const own = new Set(ids);
  const found = new Set<string>();
  const passed = new Set<string>();
  const hosts: Host[] = [];
  const copies: ProfileCopy[] = [];
  let stretches: Stretch[] = ids.map((customerId) => ({ customerId, recorded: null }));
  while (stretches.length > 0) {
    const next: Host[] = [];
    for (const { id, survivorId, mergedId, merged, from, to, isGuest } of await mergesWithin(
      tx,
      tenantId,
      stretches,
    )) {
      found.add(id);
      if (!isGuest || passed.has(id)) continue;
      passed.add(id);
      if (own.has(mergedId) && merged !== null) copies.push(merged);
      if (to !== null && !own.has(survivorId)) next.push({ customerId: survivorId, recorded: { from, to } });
    }
    hosts.push(...next);
    stretches = next;
  }
  await eraseCopies(tx, tenantId, [...found]);
  return { hosts, copies };
}
