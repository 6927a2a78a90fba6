// Owns asking for a preview of what a policy would do, looking at it, and the list of those that there are. Does
// not own the walk that counts (preview-walk.ts).

import { cursorScope, decodeCursor, encodeCursor } from '../api/cursor.js';
import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Executor, Transaction } from '../db/executor.js';
import { ConflictError, NotFoundError } from '../errors.js';
import { newId } from '../ids.js';
import { DAY_MS } from '../lifecycle/calendar.js';
import type { TransitionsService } from '../transitions/service.js';
import { futureFaults, known, refuseFaults, refuseUnsound } from './guards.js';
import { type AvailableModels, availableModels } from './models.js';
import { findPolicy, livePolicy } from './policies-store.js';
import type { PolicyRef } from './policy-ref.js';
import { emptyTally } from './preview-tally.js';
import {
  countRunning,
  findPreview,
  insertPreview,
  listPreviews,
  type PreviewRow,
  type PreviewStatus,
  type PreviewSummaryRow,
  prunePreviews,
} from './previews-store.js';
import { refuseUnlessActivable } from './steps.js';
import { newestCalibration } from './store.js';

export const PREVIEWS_RUNNING_MAX = 20;
const KEPT_MS = 30 * DAY_MS;
const PRUNED_MAX = 100;
const BY_CREATION = cursorScope('policy_previews', ['uuid']);

export interface PreviewRequest {
  ref: PolicyRef;
  /** Null: from the beginning of time. */
  effectiveFrom: Date | null;
  backfill: boolean;
}

export interface PreviewQuery {
  ref: PolicyRef | undefined;
  status: PreviewStatus | undefined;
  limit: number;
  cursor: string | undefined;
}

export interface PreviewList {
  rows: PreviewSummaryRow[];
  nextCursor: string | null;
}

export interface Previews {
  /** Of a draft or a shadow: nothing else can come into force. */
  start(context: Context, request: PreviewRequest): Promise<PreviewRow>;
  get(context: Context, id: string): Promise<PreviewRow>;
  list(context: Context, query: PreviewQuery): Promise<PreviewList>;
}

export interface PreviewsDeps {
  database: Database;
  transitions: Pick<TransitionsService, 'histories'>;
}

export function createPreviews({ database, transitions }: PreviewsDeps): Previews {
  return {
    start(context, request) {
      refuseFaults(futureFaults(request.effectiveFrom, context.now));
      // Held off against activations, so that the versions noted are those in force, and the count holds.
      return database.write(
        context,
        async (tx) => {
          const models = await availableModels(transitions.histories, tx, context.tenantId);
          return start(tx, context, { ...request, models });
        },
        { exclusive: true },
      );
    },
    async get({ tenantId }, id) {
      const row = await database.read(tenantId, (executor) => findPreview(executor, tenantId, id));
      if (row === undefined) throw new NotFoundError('policy_preview_not_found', 'There is no such preview.');
      return row;
    },
    list: ({ tenantId }, query) => database.read(tenantId, (executor) => list(executor, tenantId, query)),
  };
}

async function list(
  executor: Executor,
  tenantId: string,
  { ref, status, limit, cursor }: PreviewQuery,
): Promise<PreviewList> {
  const policy = ref === undefined ? undefined : await findPolicy(executor, tenantId, ref);
  // An unknown policy, like one without previews, has an empty list: a filter is not an address.
  if (ref !== undefined && policy === undefined) return { rows: [], nextCursor: null };
  // Bound to the policy and not to how it was named: `live` may be another one on the next page.
  const filter = { policyId: policy?.id, status };
  const before = cursor === undefined ? null : decodeCursor(BY_CREATION, filter, cursor)[0];
  const found = await listPreviews(executor, tenantId, { ...filter, before, limit: limit + 1 });
  const rows = found.slice(0, limit);
  const last = found.length > limit ? rows.at(-1) : undefined;
  return { rows, nextCursor: last === undefined ? null : encodeCursor(BY_CREATION, filter, [last.id]) };
}

async function start(
  tx: Transaction,
  context: Context,
  request: PreviewRequest & { models: AvailableModels },
): Promise<PreviewRow> {
  const { tenantId, now, actor } = context;
  const policy = known(await findPolicy(tx, tenantId, request.ref));
  refuseUnlessActivable(policy);
  refuseUnsound(policy.policy, request.models);
  if ((await countRunning(tx, tenantId, PREVIEWS_RUNNING_MAX)) >= PREVIEWS_RUNNING_MAX) {
    throw new ConflictError(
      'too_many_policy_previews',
      `A tenant has at most ${PREVIEWS_RUNNING_MAX} previews under way.`,
    );
  }
  const [live, calibration] = await Promise.all([livePolicy(tx, tenantId), newestCalibration(tx, tenantId)]);
  const { effectiveFrom, backfill } = request;
  const row: PreviewRow = {
    ...{ id: newId(), policyId: policy.id, policyRevision: policy.revision, policy: policy.policy },
    ...{ effectiveFrom, backfill, status: 'running', failure: null, cursor: null, tally: emptyTally() },
    policyVersion: live?.version ?? 0,
    calibrationVersion: calibration?.version ?? 0,
    ...{ dueAt: now, createdBy: `${actor.kind}:${actor.id}`, createdAt: now, finishedAt: null },
  };
  await prunePreviews(tx, tenantId, { before: new Date(now.getTime() - KEPT_MS), limit: PRUNED_MAX });
  await insertPreview(tx, tenantId, row);
  return row;
}
