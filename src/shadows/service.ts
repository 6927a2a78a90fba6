// Owns shadows: a policy that decides beside the live one, keeps a ledger of its own and tells nobody, and what is shown
// of where the two disagree. Does not own policies and when one is in shadow (policies/), nor any stage: the live ledger
// is read here and never written (transitions/).

import { cursorScope, decodeCursor, encodeCursor } from '../api/cursor.js';
import type { Reference } from '../api/references.js';
import { PAGE_LIMIT_DEFAULT } from '../api/shapes.js';
import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Executor, Transaction } from '../db/executor.js';
import { ConflictError, InvalidError, NotFoundError } from '../errors.js';
import type { Policy } from '../lifecycle/policy.js';
import type { TransitionsService } from '../transitions/service.js';
import { type AdvanceDeps, type AdvanceResult, advanceShadows } from './advance.js';
import { changeCounts } from './customers-store.js';
import { insertMarks } from './marks-store.js';
import { tally } from './reckon.js';
import {
  type DecidedSince,
  deleteCustomers,
  type HeldShadow,
  lockShadowsOf,
  shadowsDecidedSince,
} from './removal-store.js';
import { reportOn } from './report.js';
import { countShadowLedger, listDisagreements, listShadowLedger, readBacklog } from './report-store.js';
import {
  type DisagreementsQuery,
  type ShadowDisagreementPage,
  type ShadowLedgerQuery,
  type ShadowReport,
  type ShadowTransitionPage,
  toApiDisagreement,
  toApiShadowTransition,
} from './schemas.js';
import {
  countRunning,
  endShadow,
  findShadow,
  insertShadow,
  lockShadow,
  readCounts,
  type ShadowRow,
} from './store.js';

/** Each change of a customer is marked once for each of them. */
export const SHADOWS_RUNNING_MAX = 5;
const BACKLOG_MAX = 10_000;

export interface Start {
  policyId: string;
  policy: Policy;
  /** Now, or a past instant: how the policy would have decided from then on. */
  since: Date;
}

export interface ShadowsService {
  /**
   * Lets a policy decide in the shadow, in the caller's transaction. One that was stopped begins anew.
   * Throws a ConflictError where it runs already or too many do.
   */
  start(tx: Transaction, context: Context, start: Start): Promise<void>;
  /** Ends it and keeps what it has come to; one that does not run is left as it is. */
  stop(tx: Transaction, context: Context, policyId: string): Promise<void>;
  /** Ends it and takes it away, for a policy that is deleted: the job does that bit by bit. */
  remove(tx: Transaction, context: Context, policyId: string): Promise<void>;
  /** Takes customers out of every shadow, for whoever erases them or is about to delete their rows. */
  forget(tx: Transaction, context: Context, customerIds: readonly string[]): Promise<void>;
  /** Out of those that run, for whoever merges them away: one that was stopped keeps what it has come to. */
  leave(tx: Transaction, context: Context, customerIds: readonly string[]): Promise<void>;
  /**
   * Takes a customer out of the shadows that have decided them since they took in another, for whoever parts the
   * two: what those say is of both, and nobody would find it there once the other is erased. One that runs decides
   * them anew; one that has ended while they were one has nothing to say of either.
   */
  part(tx: Transaction, context: Context, parting: DecidedSince): Promise<void>;
  report(context: Context, policyId: string): Promise<ShadowReport>;
  disagreements(
    context: Context,
    policyId: string,
    query: DisagreementsQuery,
  ): Promise<ShadowDisagreementPage>;
  /** A customer's ledger under the shadows there are, newest first. */
  ledger(context: Context, customer: Reference, query: ShadowLedgerQuery): Promise<ShadowTransitionPage>;
  /** The same of an id, which may be of one who was merged away. */
  held(context: Context, customerId: string, query: ShadowLedgerQuery): Promise<ShadowTransitionPage>;
  /** How many rows that has, superseded ones included. */
  countLedger(executor: Executor, tenantId: string, customerIds: readonly string[]): Promise<number>;
  /** Takes what is to be done a stretch further; see jobs/advance-shadows.ts. */
  advance(now: Date): Promise<AdvanceResult>;
}

export interface ShadowsDeps {
  database: Database;
  transitions: Pick<TransitionsService, 'find' | 'histories' | 'identify'>;
  onFailure: AdvanceDeps['onFailure'];
}

const DISAGREEMENTS = cursorScope('shadow-disagreements', ['text', 'text', 'uuid']);
const LEDGER = cursorScope('shadow-transitions', ['time', 'uuid']);

export function createShadowsService(deps: ShadowsDeps): ShadowsService {
  const { database, transitions } = deps;
  return {
    start: startIn,
    async stop(tx, { tenantId, now }, policyId) {
      const shadow = await lockShadow(tx, tenantId, policyId);
      if (shadow?.status === 'running') await endShadow(tx, tenantId, { policyId, status: 'stopped', now });
    },
    async remove(tx, { tenantId, now }, policyId) {
      await endShadow(tx, tenantId, { policyId, status: 'removed', now });
    },
    async forget(tx, context, ids) {
      await takeOut(tx, context, { ids, shadows: await lockShadowsOf(tx, context.tenantId, ids) });
    },
    async leave(tx, context, ids) {
      const held = await lockShadowsOf(tx, context.tenantId, ids);
      await takeOut(tx, context, { ids, shadows: held.filter(({ status }) => status === 'running') });
    },
    part: partIn,
    report: ({ tenantId, now }, policyId) =>
      database.read(tenantId, async (executor) => {
        const [shadow, backlog, counts, versions] = await Promise.all([
          shownShadow(executor, tenantId, policyId),
          readBacklog(executor, tenantId, { policyId, now, max: BACKLOG_MAX }),
          readCounts(executor, tenantId, policyId),
          transitions.histories.versions(executor, tenantId),
        ]);
        return reportOn({ shadow, backlog, counts, versions });
      }),
    disagreements: (context, policyId, query) => pageOfDisagreements(database, context, policyId, query),
    async ledger(context, customer, query) {
      const customerId = await transitions.identify(context, customer);
      return pageOfLedger(database, context, customerId, query);
    },
    held: (context, customerId, query) => pageOfLedger(database, context, customerId, query),
    countLedger: countShadowLedger,
    advance: (now) => advanceShadows(deps, now),
  };
}

/** A step under way may have read them as one: the locks wait for it, and what it has written is seen after them. */
async function partIn(tx: Transaction, context: Context, parting: DecidedSince): Promise<void> {
  const { tenantId } = context;
  const ids = [parting.customerId];
  const held = await lockShadowsOf(tx, tenantId, ids);
  if (held.length === 0) return;
  const deciding = new Set(await shadowsDecidedSince(tx, tenantId, parting));
  await takeOut(tx, context, { ids, shadows: held.filter(({ policyId }) => deciding.has(policyId)) });
}

/** Out of shadows that the transaction holds. */
async function takeOut(
  tx: Transaction,
  { tenantId, now }: Context,
  { ids, shadows }: { ids: readonly string[]; shadows: readonly HeldShadow[] },
): Promise<void> {
  for (const { policyId, status } of shadows) {
    const removed = await deleteCustomers(tx, tenantId, { policyId, ids });
    const rows = tally(removed.map((before) => ({ before, after: undefined })));
    await changeCounts(tx, tenantId, { policyId, rows });
    // Whoever takes the next step looks at them again; of one that has ended nobody would take the marks away.
    const marks = ids.map((customerId) => ({ customerId, markedAt: now, version: 0 }));
    if (status === 'running') await insertMarks(tx, tenantId, { policyId, rows: marks });
  }
}

async function startIn(tx: Transaction, context: Context, start: Start): Promise<void> {
  const { tenantId, now, actor } = context;
  const { policyId, policy, since } = start;
  if (since > now) {
    const detail = 'lies in the future; a shadow decides from now or from a past instant on';
    throw new InvalidError('invalid_shadow', `/since ${detail}.`, {
      faults: [{ pointer: '/since', detail }],
    });
  }
  const [known, running] = await Promise.all([
    lockShadow(tx, tenantId, policyId),
    countRunning(tx, tenantId, SHADOWS_RUNNING_MAX),
  ]);
  if (known?.status === 'running')
    throw new ConflictError('shadow_running', 'The policy is in shadow already.');
  if (known?.status === 'removed') throw new ConflictError('shadow_removed', 'The policy was deleted.');
  if (running >= SHADOWS_RUNNING_MAX) {
    throw new ConflictError(
      'too_many_shadows',
      `At most ${SHADOWS_RUNNING_MAX} policies are in shadow at a time.`,
    );
  }
  await insertShadow(tx, tenantId, {
    ...{ policyId, policy, since, startedBy: `${actor.kind}:${actor.id}`, startedAt: now },
  });
}

async function shownShadow(
  executor: Executor,
  tenantId: string,
  policyId: string,
): Promise<ShadowRow & { status: 'running' | 'stopped' }> {
  const shadow = await findShadow(executor, tenantId, policyId);
  if (shadow === undefined || shadow.status === 'removed')
    throw new NotFoundError('shadow_not_found', 'This policy is not and was not in shadow.');
  return { ...shadow, status: shadow.status };
}

async function pageOfDisagreements(
  database: Database,
  { tenantId }: Context,
  policyId: string,
  query: DisagreementsQuery,
): Promise<ShadowDisagreementPage> {
  const { limit = PAGE_LIMIT_DEFAULT, cursor, liveStage, shadowStage } = query;
  const sealed = { policyId, liveStage, shadowStage };
  const after = cursor === undefined ? null : decodeCursor(DISAGREEMENTS, sealed, cursor);
  const range = { policyId, liveStage, shadowStage, after, limit: limit + 1 };
  const [, rows] = await database.read(tenantId, (executor) =>
    Promise.all([shownShadow(executor, tenantId, policyId), listDisagreements(executor, tenantId, range)]),
  );
  const data = rows.slice(0, limit).map(toApiDisagreement);
  const last = rows.length > limit ? data.at(-1) : undefined;
  if (last === undefined) return { data, nextCursor: null };
  const keys = [last.liveStage, last.shadowStage, last.customerId] as [string, string, string];
  return { data, nextCursor: encodeCursor(DISAGREEMENTS, sealed, keys) };
}

async function pageOfLedger(
  database: Database,
  { tenantId }: Context,
  customerId: string,
  { limit = PAGE_LIMIT_DEFAULT, cursor, policyId, superseded = false }: ShadowLedgerQuery,
): Promise<ShadowTransitionPage> {
  const sealed = { customerId, policyId, superseded };
  const after = cursor === undefined ? null : decodeCursor(LEDGER, sealed, cursor);
  const range = { customerId, policyId, superseded, after, limit: limit + 1 };
  const rows = await database.read(tenantId, (executor) => listShadowLedger(executor, tenantId, range));
  const data = rows.slice(0, limit).map(toApiShadowTransition);
  const last = rows.length > limit ? data.at(-1) : undefined;
  const nextCursor = last === undefined ? null : encodeCursor(LEDGER, sealed, [last.effectiveAt, last.id]);
  return { data, nextCursor };
}
