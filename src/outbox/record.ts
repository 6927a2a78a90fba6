// Owns what one transaction records of a set of outcomes: the deliveries, their attempts, whose turn is next,
// and what the answers say of the endpoints. Does not own how sets come about (recorder.ts).

import type { Database } from '../db/database.js';
import type { Transaction } from '../db/executor.js';
import { type Disabling, systemContext, type Targets } from './claim.js';
import {
  afterFailures,
  breakerState,
  type Failures,
  HEALTHY,
  type Health,
  hasFailedForGood,
  tally,
  type Verdict,
} from './health.js';
import { lockHealth, saveHealth } from './health-store.js';
import { holdSuccessors } from './order-store.js';
import { type Settlement, settle } from './settle-store.js';

export interface Outcome {
  settlement: Settlement;
  /** Whether others of its customer may be waiting for it. */
  isOrdered: boolean;
  /** What the attempt says of its endpoint; absent where nothing was sent. */
  verdict?: Verdict;
  /** Told whether it was recorded; false when the claim had been lost or the database stayed away too long. */
  recorded?: (held: boolean) => void;
}

/** An endpoint that is sent nothing for now. */
export interface Shut {
  endpointId: string;
  /** Null where it was disabled. */
  openUntil: Date | null;
}

export interface Recorded {
  held: ReadonlySet<string>;
  shut: Shut[];
}

export interface RecordDeps {
  database: Database;
  disableEndpoints: Targets['disable'];
  now: () => Date;
}

export function recordSet(
  { database, disableEndpoints, now: clock }: RecordDeps,
  tenantId: string,
  set: readonly Outcome[],
): Promise<Recorded> {
  const now = clock();
  const context = systemContext(tenantId, now);
  const { healed, failed, gone } = tally(set.flatMap(({ verdict }) => verdict ?? []));
  const settlements = set.map(({ settlement }) => settlement);
  const ended = set.flatMap(({ settlement, isOrdered }) =>
    isOrdered && settlement.finishedAt !== null ? [settlement.id] : [],
  );
  return database.write(context, async (tx) => {
    const changed = await countFailures(tx, { tenantId, failed, now });
    const disabling = disablingOf(gone, changed, now);
    // None of these is awaited before the last statement, which carries the commit, has been sent.
    const before = [
      changed.size === 0 ? undefined : saveHealth(tx, tenantId, changed),
      disabling.length === 0 ? undefined : disableEndpoints(tx, context, disabling),
      ended.length === 0 ? undefined : holdSuccessors(tx, tenantId, ended),
    ];
    const [{ held, freed }] = await Promise.all([
      settle(tx, tenantId, { settlements, healed, now }),
      ...before,
    ]);
    if (freed > 0) tx.announce('deliveries');
    return { held, shut: shutBy(changed, disabling, now) };
  });
}

interface Counting {
  tenantId: string;
  failed: ReadonlyMap<string, Failures>;
  now: Date;
}

/** The health of the endpoints that have failed, which is held from now on. */
async function countFailures(
  tx: Transaction,
  { tenantId, failed, now }: Counting,
): Promise<Map<string, Health>> {
  if (failed.size === 0) return new Map();
  const known = await lockHealth(tx, tenantId, [...failed.keys()]);
  return new Map(
    [...failed].map(([id, failures]) => [id, afterFailures(known.get(id) ?? HEALTHY, failures, now)]),
  );
}

function disablingOf(gone: readonly string[], changed: ReadonlyMap<string, Health>, now: Date): Disabling[] {
  const failing = [...changed].filter(([id, health]) => !gone.includes(id) && hasFailedForGood(health, now));
  return [
    ...gone.map((id) => ({ id, reason: 'gone' as const })),
    ...failing.map(([id]) => ({ id, reason: 'failing' as const })),
  ];
}

function shutBy(changed: ReadonlyMap<string, Health>, disabling: readonly Disabling[], now: Date): Shut[] {
  const disabled = disabling.map(({ id }) => id);
  const open = [...changed].filter(
    ([id, health]) => !disabled.includes(id) && breakerState(health, now) === 'open',
  );
  return [
    ...disabled.map((endpointId) => ({ endpointId, openUntil: null })),
    ...open.map(([endpointId, { openUntil }]) => ({ endpointId, openUntil })),
  ];
}
