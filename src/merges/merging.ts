// Owns merging one customer into another, in one transaction: facts and identities first, the joined profile
// next, the replay of the joined history last. Does not own undoing it (undoing.ts).

import { parseRef } from '../api/references.js';
import type { Context } from '../context.js';
import { datedChanges } from '../customers/rewriting.js';
import type { CustomersService } from '../customers/service.js';
import type { Transaction } from '../db/executor.js';
import type { DuplicatesService } from '../duplicates/service.js';
import { ConflictError } from '../errors.js';
import { newId } from '../ids.js';
import type { ShadowsService } from '../shadows/service.js';
import { customerErased, pointedAt, refuseErased } from '../transitions/absence.js';
import { laterOf } from '../transitions/merging.js';
import type { TransitionsService } from '../transitions/service.js';
import type { LockedCustomer } from '../transitions/work.js';
import { copyOf } from './copies.js';
import { type Joined, joinProfiles } from './joining.js';
import type { Merge, MergeInput, MergePreview } from './schemas.js';
import { insertMerge, type MergeRow, saveMoved } from './store.js';
import { countsOf, toApiMerge, toApiPreview, whoOf } from './views.js';

export interface MergingDeps {
  transitions: Pick<TransitionsService, 'lock' | 'absences' | 'opened' | 'merging' | 'advanceCustomers'>;
  customers: Pick<CustomersService, 'rewrite'>;
  shadows: Pick<ShadowsService, 'leave' | 'part'>;
  duplicates: Pick<DuplicatesService, 'look'>;
}

export interface Both {
  reason: string | null;
  survivor: LockedCustomer;
  merged: LockedCustomer;
  joined: Joined;
}

/** Locks both, in the order of their ids, and finds what would come of them; throws where they cannot be one. */
export async function lockBoth(
  { transitions }: MergingDeps,
  tx: Transaction,
  { tenantId }: Context,
  { ref, from, reason = null }: { ref: string } & MergeInput,
): Promise<Both> {
  const refs = [parseRef(ref), parseRef(from)];
  const [survivor, merged] = await transitions.lock(tx, tenantId, refs);
  if (survivor === undefined || merged === undefined) {
    const missing = refs.slice(survivor === undefined ? 0 : 1, survivor === undefined ? 1 : 2);
    const [absence] = await transitions.absences(tx, tenantId, missing);
    if (absence === undefined) throw new Error('each reference that names nobody has a reason');
    throw survivor === undefined ? absence : pointedAt('/from', absence);
  }
  refuseErased(survivor);
  const { id: mergedId, erasedAt } = merged.snapshot;
  if (erasedAt !== null) throw pointedAt('/from', customerErased(mergedId));
  if (survivor === merged) throw sameCustomer();
  return { reason, survivor, merged, joined: joinProfiles(survivor.snapshot, merged.snapshot) };
}

function sameCustomer(): ConflictError {
  const detail = 'is the customer of the path';
  return new ConflictError('merge_with_itself', 'A customer cannot be merged with themselves.', {
    faults: [{ pointer: '/from', detail }],
  });
}

export async function previewMerge(
  { transitions }: MergingDeps,
  tx: Transaction,
  context: Context,
  { survivor, merged, joined }: Both,
): Promise<MergePreview> {
  const { merging } = transitions;
  const { id } = merged.snapshot;
  const dated = await merging.lastValues(tx, context.tenantId, [survivor.snapshot.id, id]);
  const preview = await merging.preview(tx, context, {
    survivor: { ...survivor, snapshot: joined.profile },
    merged,
    changes: datedChanges(joined.profile, dated, laterOf(context.now, [survivor, merged])),
  });
  const [rows, identities] = await Promise.all([
    merging.count(tx, context.tenantId, id),
    merging.identitiesHeld(tx, context.tenantId, id),
  ]);
  return toApiPreview({ survivor, merged, joined, preview, moved: countsOf(rows, identities.length) });
}

export async function mergeIn(
  { transitions, customers, shadows }: MergingDeps,
  tx: Transaction,
  context: Context,
  { reason, survivor, merged, joined }: Both,
): Promise<Merge> {
  const { tenantId, actor } = context;
  const { merging } = transitions;
  const now = laterOf(context.now, [survivor, merged]);
  const row: MergeRow = {
    id: newId(),
    survivorId: survivor.snapshot.id,
    mergedId: merged.snapshot.id,
    before: copyOf(survivor.snapshot),
    after: copyOf(joined.profile),
    merged: copyOf(merged.snapshot),
    identities: [],
    moved: countsOf({ order: 0, touchpoint: 0, move: 0, fact: 0 }, 0),
    sequence: merged.sequence,
    lifecycleVersion: merged.lifecycleVersion,
    mergedBy: `${actor.kind}:${actor.id}`,
    createdAt: now,
    reason,
    undoneBy: null,
    undoReason: null,
    undoneAt: null,
  };
  await insertMerge(tx, tenantId, row);
  await shadows.leave(tx, context, [row.mergedId]);
  const { rows, identities } = await merging.join(tx, tenantId, { survivor, merged, mergeId: row.id, now });
  row.identities = identities;
  row.moved = countsOf(rows, identities.length);
  const dated = await merging.lastValues(tx, tenantId, [row.survivorId]);
  const { profileVersion } = survivor.snapshot;
  survivor.snapshot = { ...joined.profile, profileVersion: profileVersion + 1, updatedAt: now };
  survivor.recordedAt = now;
  const event = {
    type: 'customer.merged',
    occurredAt: now,
    data: { merged: { id: row.mergedId, ...whoOf(merged.snapshot) }, mergeId: row.id },
  };
  const facts = datedChanges(survivor.snapshot, dated, now);
  const rewrite = { customer: survivor, identities: survivor.snapshot, facts };
  await Promise.all([
    saveMoved(tx, tenantId, row),
    merging.keepWritten(tx, tenantId, { mergeId: row.id, factIds: facts.map(({ id }) => id) }),
    merging.setCreatedAt(tx, tenantId, row.survivorId, joined.profile.createdAt),
    customers.rewrite(tx, tenantId, [rewrite], now),
    transitions.advanceCustomers(tx, context, [{ customer: survivor, replay: true, events: [event] }], {
      mode: 'write',
      deliver: true,
    }),
  ]);
  return toApiMerge(row);
}
