// Owns taking shadows further: which of them, under whose lease, and the clearing up of those that were ended. Does not
// own what a step decides (step.ts), nor when this runs (jobs/).

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Transaction } from '../db/executor.js';
import { newId } from '../ids.js';
import { deleteMarks, readMarks } from './marks-store.js';
import { deleteCustomers, nextCustomers } from './removal-store.js';
import { type Step, type StepDeps, type StepResult, takeStep } from './step.js';
import {
  claimShadow,
  type DueShadow,
  deleteShadow,
  holdShadow,
  type ShadowRow,
  saveProgress,
  shadowsDue,
} from './store.js';

/** A process that dies in the middle is waited for this long. */
const LEASE_MS = 60_000;
/** Steps of one shadow in one run, so that it ends; the shadow is due again at once, behind the others. */
const STEPS_MAX = 20;
const CLEARED_A_STEP = 1_000;

export interface AdvanceDeps extends StepDeps {
  database: Database;
}

export interface AdvanceResult {
  /** Customers that were decided anew. */
  customers: number;
  /** Whether any shadow has more to do at once. */
  more: boolean;
}

/** Takes each shadow that has something to do a stretch further. */
export async function advanceShadows(deps: AdvanceDeps, now: Date): Promise<AdvanceResult> {
  const result: AdvanceResult = { customers: 0, more: false };
  for (const due of await deps.database.find((finder) => shadowsDue(finder, now))) {
    try {
      const { customers, more } = await takeFurther(deps, due, now);
      result.customers += customers;
      result.more ||= more;
    } catch (error) {
      // It is taken up again when its lease has run out; the others are not kept waiting.
      deps.onFailure({ tenantId: due.tenantId, error });
    }
  }
  return result;
}

const NOTHING: StepResult = { customers: 0, more: false };

async function takeFurther(deps: AdvanceDeps, due: DueShadow, now: Date): Promise<StepResult> {
  const { tenantId, policyId } = due;
  const id = 'advance-shadows';
  const context: Context = { tenantId, actor: { kind: 'system', id }, now, requestId: id };
  const step: Step = { context, token: newId(), leaseUntil: new Date(now.getTime() + LEASE_MS) };
  const claim = { policyId, token: step.token, now, leaseUntil: step.leaseUntil };
  const shadow = await deps.database.write(context, (tx) => claimShadow(tx, tenantId, claim));
  if (shadow === undefined) return NOTHING;
  if (shadow.fill === 'opening' || shadow.fill === 'clearing') await waitForWriters(deps, context);
  let customers = 0;
  for (let taken = 0; taken < STEPS_MAX; taken++) {
    const done = await hold(deps, step, policyId, (tx, held) => {
      if (held.status !== 'running') return clear(tx, step, held);
      return takeStep(deps, tx, step, held);
    });
    customers += done.customers;
    if (!done.more) return { customers, more: false };
  }
  await hold(deps, step, policyId, async (tx, held) => {
    await saveProgress(tx, tenantId, { ...held, dueAt: now, token: null });
    return NOTHING;
  });
  return { customers, more: true };
}

/**
 * Writes that had begun before the shadow was known mark nobody, and those that had begun before it was ended still
 * mark: whoever comes after this has read how it stands.
 */
async function waitForWriters({ database }: AdvanceDeps, context: Context): Promise<void> {
  await database.write(context, (tx) => tx.rows({ text: 'SELECT' }), { exclusive: true });
}

/** Somebody else may have it by now, or it may have been ended: then nothing is done. */
function hold(
  { database }: AdvanceDeps,
  { context, token }: Step,
  policyId: string,
  work: (tx: Transaction, held: ShadowRow) => Promise<StepResult>,
): Promise<StepResult> {
  return database.write(context, async (tx) => {
    const held = await holdShadow(tx, context.tenantId, { policyId, token });
    return held === undefined ? NOTHING : work(tx, held);
  });
}

/** Takes away what an ended shadow has left: the marks, and all of it where its policy was deleted. */
async function clear(tx: Transaction, step: Step, held: ShadowRow): Promise<StepResult> {
  const { tenantId } = step.context;
  const { policyId, status, cursor } = held;
  const lease = { dueAt: step.leaseUntil, token: step.token };
  const marks = await readMarks(tx, tenantId, { policyId, now: FAR_AHEAD, limit: CLEARED_A_STEP });
  if (marks.length > 0) {
    await Promise.all([
      deleteMarks(tx, tenantId, { policyId, rows: marks }),
      saveProgress(tx, tenantId, { ...held, ...lease }),
    ]);
    return { customers: 0, more: true };
  }
  if (status === 'stopped') {
    await saveProgress(tx, tenantId, { ...held, dueAt: null, token: null });
    return NOTHING;
  }
  const ids = await nextCustomers(tx, tenantId, { after: cursor, limit: CLEARED_A_STEP });
  await deleteCustomers(tx, tenantId, { policyId, ids });
  if (ids.length < CLEARED_A_STEP) {
    await deleteShadow(tx, tenantId, policyId);
    return NOTHING;
  }
  await saveProgress(tx, tenantId, { ...held, ...lease, cursor: ids.at(-1) ?? cursor });
  return { customers: 0, more: true };
}

/** Marks may lie ahead: a customer who could not be decided was put off. */
const FAR_AHEAD = new Date('9999-01-01T00:00:00Z');
