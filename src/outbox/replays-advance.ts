// Owns taking the replays that are under way further: which one, for how long, under whose lease. Does not own
// what a step is (replays-walk.ts), nor when this runs (jobs/).

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import { newId } from '../ids.js';
import { claimReplay, tenantsReplaying } from './replays-store.js';
import { boundFeed, letGo, type Step, type StepOutcome, saveBounds, takeStep } from './replays-walk.js';

/** A process that dies in the middle is waited for this long. */
const LEASE_MS = 60_000;
/** Steps in one run, so that it ends; the replay is due again at once, behind the tenant's others. */
const STEPS_MAX = 20;

export interface AdvanceDeps {
  database: Database;
  onFailure: (failure: { tenantId: string; error: unknown }) => void;
}

export interface AdvanceResult {
  queued: number;
  finished: number;
  /** Whether any has more to do at once. */
  more: boolean;
}

/** One replay of each tenant that has one due, a stretch further. */
export async function advanceReplays(deps: AdvanceDeps, now: Date): Promise<AdvanceResult> {
  const { database, onFailure } = deps;
  const result: AdvanceResult = { queued: 0, finished: 0, more: false };
  for (const tenantId of await database.find((finder) => tenantsReplaying(finder, now))) {
    try {
      const { queued, kind } = await advanceOne(database, tenantId, now);
      result.queued += queued;
      if (kind === 'ended') result.finished += 1;
      // After one that has ended, or that waits, the tenant may have another.
      result.more ||= kind !== 'none';
    } catch (error) {
      // It is taken up again when its lease has run out; the others are not kept waiting.
      onFailure({ tenantId, error });
    }
  }
  return result;
}

async function advanceOne(
  database: Database,
  tenantId: string,
  now: Date,
): Promise<{ queued: number; kind: StepOutcome['kind'] | 'none' }> {
  const id = 'replay-deliveries';
  const context: Context = { tenantId, actor: { kind: 'system', id }, now, requestId: id };
  const step: Step = { context, token: newId(), leaseUntil: new Date(now.getTime() + LEASE_MS) };
  const claim = { now, leaseUntil: step.leaseUntil, token: step.token };
  const replay = await database.write(context, (tx) => claimReplay(tx, tenantId, claim));
  if (replay === undefined) return { queued: 0, kind: 'none' };
  if (replay.scope !== 'failed' && replay.cursor === null) {
    await saveBounds(database, replay.id, step, await boundFeed(database, replay, step));
  }
  let queued = 0;
  for (let taken = 0; taken < STEPS_MAX; taken++) {
    const outcome = await takeStep(database, replay.id, step);
    queued += outcome.queued;
    if (outcome.kind !== 'more') return { queued, kind: outcome.kind };
  }
  await letGo(database, replay.id, step);
  return { queued, kind: 'more' };
}
