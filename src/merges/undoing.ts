// Owns undoing a merge: what came from the other goes back, as far as the survivor still has it, and both are
// replayed. What has arrived since stays with the survivor. Does not own the merging (merging.ts).

import type { Context } from '../context.js';
import { identityKey } from '../customers/identities.js';
import { datedChanges } from '../customers/rewriting.js';
import type { Transaction } from '../db/executor.js';
import { ConflictError, NotFoundError } from '../errors.js';
import { customerErased } from '../transitions/absence.js';
import { type HeldIdentity, laterOf } from '../transitions/merging.js';
import type { CustomerSnapshot, LockedCustomer } from '../transitions/work.js';
import type { MovedIdentity, ProfileCopy } from './copies.js';
import { partProfile } from './joining.js';
import type { MergingDeps } from './merging.js';
import type { MergeUndo } from './schemas.js';
import { findLastMerge, findMerge, type MergeRow, saveUndone } from './store.js';
import { countsOf, toApiMerge, toApiMoved, UNDO_WITHIN_MS, whoOf } from './views.js';

/** A merge that can be undone: its copies are there. */
export interface Undoable extends MergeRow {
  before: ProfileCopy;
  after: ProfileCopy;
  merged: ProfileCopy;
  identities: MovedIdentity[];
}

/** Throws where there is no such merge of the customer, or it cannot be undone. */
export async function undoableMerge(
  tx: Transaction,
  { tenantId, now }: Context,
  { survivorId, mergeId }: { survivorId: string; mergeId: string },
): Promise<Undoable> {
  const [merge, lastId] = await Promise.all([
    findMerge(tx, tenantId, mergeId),
    findLastMerge(tx, tenantId, survivorId),
  ]);
  if (merge === undefined || merge.survivorId !== survivorId)
    throw new NotFoundError('merge_not_found', 'The customer has no such merge.');
  if (merge.undoneAt !== null)
    throw new ConflictError('merge_already_undone', 'This merge has been undone already.');
  const { before, after, merged, identities } = merge;
  if (before === null || after === null || merged === null || identities === null)
    throw customerErased(merge.mergedId);
  if (now.getTime() > merge.createdAt.getTime() + UNDO_WITHIN_MS)
    throw new ConflictError('merge_undo_expired', 'A merge can be undone for 30 days, and these are over.');
  if (lastId !== mergeId) {
    const detail = 'A later merge of this customer has to be undone first.';
    throw new ConflictError('merge_not_last', detail, { members: { mergeId: lastId } });
  }
  return { ...merge, before, after, merged, identities };
}

export async function previewUndo(
  { transitions }: MergingDeps,
  tx: Transaction,
  { tenantId }: Context,
  merge: Undoable,
): Promise<MergeUndo> {
  const { survivorId, id, identities } = merge;
  const [rows, holders] = await Promise.all([
    transitions.merging.countReturning(tx, tenantId, { from: survivorId, mergeId: id }),
    transitions.merging.holdersOf(tx, tenantId, identities),
  ]);
  const held = holders.filter(({ customer }) => customer === survivorId);
  return { merge: toApiMerge(merge), returned: toApiMoved(countsOf(rows, held.length)) };
}

export async function undoIn(
  { transitions, customers, shadows, duplicates }: MergingDeps,
  tx: Transaction,
  context: Context,
  { survivor, merge, reason }: { survivor: LockedCustomer; merge: Undoable; reason: string | null },
): Promise<MergeUndo> {
  const { tenantId, actor } = context;
  const { merging } = transitions;
  const { id: mergeId, survivorId, mergedId, identities } = merge;
  const now = laterOf(context.now, [survivor]);
  await shadows.part(tx, context, { customerId: survivorId, since: merge.createdAt });
  const parted = await merging.part(tx, tenantId, { survivorId, mergedId, mergeId, identities, now });
  if (parted === undefined) throw new Error('who was merged and not restored is there to be restored');
  const returned = new Set(parted.identities.map(identityKey));
  const left = partProfile(survivor.snapshot, { ...merge, returned });
  const [holders, own, others, heard] = await Promise.all([
    merging.holdersOf(tx, tenantId, contactsOf(left)),
    merging.lastValues(tx, tenantId, [survivorId]),
    merging.lastValues(tx, tenantId, [mergedId]),
    merging.heardBefore(tx, tenantId, { customerId: mergedId, closedAt: merge.createdAt }),
  ]);
  const known = withoutTaken(left, survivorId, holders);
  const version = survivor.snapshot.profileVersion + 1;
  survivor.snapshot = { ...left, profileVersion: version, updatedAt: now };
  survivor.recordedAt = now;
  const restored = transitions.opened(
    restoredSnapshot(merge.merged, returned, parted.profileVersion + 1, now),
  );
  restored.sequence = merge.sequence;
  restored.lifecycleVersion = merge.lifecycleVersion;
  restored.recordedAt = now;
  merge.undoneAt = now;
  merge.undoReason = reason;
  merge.undoneBy = `${actor.kind}:${actor.id}`;
  const who = { id: mergedId, ...whoOf(restored.snapshot) };
  const undone = { type: 'customer.merge_undone', occurredAt: now, data: { restored: who, mergeId } };
  const back = { type: 'customer.restored', occurredAt: now, data: { mergeId } };
  const advancements = [
    { customer: survivor, replay: true, events: [undone] },
    { customer: restored, replay: true, events: [back], heard },
  ];
  const rewrites = [
    { customer: survivor, identities: known, facts: datedChanges(survivor.snapshot, own, now) },
    {
      customer: restored,
      identities: restored.snapshot,
      facts: datedChanges(restored.snapshot, others, now),
    },
  ];
  await duplicates.look(tx, context, [survivor.snapshot, restored.snapshot]);
  await Promise.all([
    saveUndone(tx, tenantId, merge),
    merging.setCreatedAt(tx, tenantId, survivorId, left.createdAt),
    customers.rewrite(tx, tenantId, rewrites, now),
    transitions.advanceCustomers(tx, context, advancements, { mode: 'write', deliver: true }),
  ]);
  const moved = countsOf(parted.rows, parted.identities.length);
  return { merge: toApiMerge(merge), returned: toApiMoved(moved) };
}

function contactsOf({ email, phone }: CustomerSnapshot): HeldIdentity[] {
  return [
    ...(email === null ? [] : [{ namespace: 'email', id: email }]),
    ...(phone === null ? [] : [{ namespace: 'phone', id: phone }]),
  ];
}

/**
 * An e-mail or phone that the survivor gets back may have passed to somebody else meanwhile: then they have none.
 * Changes `left`, and answers which of its identities the tables have as the survivor's.
 */
function withoutTaken(
  left: CustomerSnapshot,
  survivorId: string,
  holders: readonly (HeldIdentity & { customer: string })[],
): Pick<CustomerSnapshot, 'email' | 'phone' | 'externalIds'> {
  const known = { email: left.email, phone: left.phone, externalIds: left.externalIds };
  for (const field of ['email', 'phone'] as const) {
    const holder = holders.find(({ namespace }) => namespace === field)?.customer;
    if (holder === undefined) known[field] = null;
    else if (holder !== survivorId) left[field] = known[field] = null;
  }
  return known;
}

/** As they were, known by what was given back. */
function restoredSnapshot(
  { createdAt, ...copy }: ProfileCopy,
  returned: ReadonlySet<string>,
  profileVersion: number,
  now: Date,
): CustomerSnapshot {
  const has = (namespace: string, id: string | null) =>
    id !== null && returned.has(identityKey({ namespace, id }));
  return {
    ...copy,
    email: has('email', copy.email) ? copy.email : null,
    phone: has('phone', copy.phone) ? copy.phone : null,
    externalIds: copy.externalIds.filter((identity) => returned.has(identityKey(identity))),
    profileVersion,
    createdAt: new Date(createdAt),
    updatedAt: now,
    erasedAt: null,
  };
}
