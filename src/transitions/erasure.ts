// Owns making a customer's ledger tell nothing of who they are: what was true when stays, with the conditions that
// held, and without the values of attributes and tags that they looked at. Does not own who is erased (privacy/).

import type { Executor, Transaction } from '../db/executor.js';
import {
  type Erasing,
  eraseHistory,
  eraseHostReasons,
  evidenceOf,
  type Host,
  mergedInto,
  saveEvidence,
} from './erasure-store.js';

export { ERASED_TEXT } from './erasure-store.js';

export interface Erasure {
  /** Everybody who was merged into the customer, and into those in turn. */
  mergedInto(executor: Executor, tenantId: string, customerId: string): Promise<string[]>;
  erase(tx: Transaction, tenantId: string, erasing: Erasing): Promise<void>;
  /** Out of the ledgers of those who had their data for a time, what those said then. */
  eraseHosts(tx: Transaction, tenantId: string, hosting: { ids: string[]; hosts: Host[] }): Promise<void>;
}

const PAGE = 500;

export function createErasure(): Erasure {
  return {
    mergedInto,
    async erase(tx, tenantId, erasing) {
      await eraseHistory(tx, tenantId, erasing);
      for (const customerId of erasing.ids) await eraseEvidence(tx, tenantId, { customerId, recorded: null });
    },
    async eraseHosts(tx, tenantId, hosting) {
      await eraseHostReasons(tx, tenantId, hosting);
      for (const host of hosting.hosts) await eraseEvidence(tx, tenantId, host);
    },
  };
}

async function eraseEvidence(
  tx: Transaction,
  tenantId: string,
  whose: { customerId: string; recorded: Host['recorded'] | null },
): Promise<void> {
  let after: readonly [number, string] | null = null;
  for (;;) {
    const rows: Awaited<ReturnType<typeof evidenceOf>> = await evidenceOf(tx, tenantId, {
      ...whose,
      after,
      limit: PAGE,
    });
    const changed = rows.flatMap(({ id, evidence, isIn }) => {
      if (!isIn) return [];
      const anonymous = anonymousEvidence(evidence);
      return anonymous === evidence ? [] : [{ id, evidence: anonymous }];
    });
    await saveEvidence(tx, tenantId, changed);
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = [last.at, last.id];
  }
}

/** Conditions that look at what is erased. */
const PERSONAL = new Set(['attribute', 'tag', 'owner']);

/** The same evidence, the very object where nothing in it is personal. */
export function anonymousEvidence(evidence: unknown): unknown {
  if (Array.isArray(evidence)) {
    const parts = evidence.map(anonymousEvidence);
    return parts.every((part, index) => part === evidence[index]) ? evidence : parts;
  }
  if (typeof evidence !== 'object' || evidence === null) return evidence;
  const { type, holds } = evidence as { type?: unknown; holds?: unknown };
  if (typeof type === 'string' && PERSONAL.has(type)) {
    const bare = holds === undefined ? { type } : { type, holds };
    return Object.keys(evidence).length === Object.keys(bare).length ? evidence : bare;
  }
  const entries = Object.entries(evidence).map(([key, part]) => [key, anonymousEvidence(part)] as const);
  const isSame = entries.every(([key, part]) => part === (evidence as Record<string, unknown>)[key]);
  return isSame ? evidence : Object.fromEntries(entries);
}
