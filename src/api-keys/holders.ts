// Owns the question that nearly every request begins with: whose key is this? Does not own what the answer
// permits (plugins/auth).

import { type Actor, SCOPES, type Scope } from '../context.js';
import type { Database } from '../db/database.js';
import { LookupCache } from '../lookup-cache.js';
import { findHolder, type HolderRow } from './store.js';

/** What a key stands for, as last read. Whether it has expired is for the reader's own clock. */
export interface KeyHolder {
  tenantId: string;
  actor: Actor;
  scopes: ReadonlySet<Scope>;
  rateLimitKey: string;
  expiresAt: Date | null;
  /** Whether its tenant is suspended. */
  suspended: boolean;
}

export interface KeyHolders {
  /** Without waiting: the holder, null for "no such key", undefined for "not known yet". */
  peek(keyHash: Buffer): KeyHolder | null | undefined;
  find(keyHash: Buffer): Promise<KeyHolder | null>;
  /** Makes a change of a key or a tenant bite at once in this process; others notice when their entries age. */
  forgetAll(): void;
}

/** A key revoked by another replica is refused within this time. */
const FOUND_FOR_MS = 4_000;
const MISSED_FOR_MS = 1_000;
const ENTRIES_MAX = 10_000;

export function createKeyHolders(database: Database, elapsedMs?: () => number): KeyHolders {
  const cache = new LookupCache<KeyHolder>({
    entriesMax: ENTRIES_MAX,
    foundForMs: FOUND_FOR_MS,
    missedForMs: MISSED_FOR_MS,
    elapsedMs,
  });
  return {
    peek: (keyHash) => cache.peek(keyHash.toString('latin1')),
    find: (keyHash) =>
      cache.get(keyHash.toString('latin1'), async () => {
        const row = await database.find((finder) => findHolder(finder, keyHash));
        return row === undefined || row.revoked_at !== null ? undefined : fromDbHolder(row);
      }),
    forgetAll: () => cache.forgetAll(),
  };
}

function fromDbHolder(row: HolderRow): KeyHolder {
  return {
    tenantId: row.tenant_id,
    actor: { kind: 'api_key', id: row.id },
    // A scope that this version no longer knows permits nothing.
    scopes: new Set(SCOPES.filter((scope) => row.scopes.includes(scope))),
    rateLimitKey: `key:${row.id}`,
    expiresAt: row.expires_at,
    suspended: row.suspended,
  };
}
