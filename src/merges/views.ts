// Owns what the API says of a merge, done or thought of. Pure.

import { customerPayload } from '../customers/payload.js';
import type { AttributeValue } from '../customers/schemas.js';
import { DAY_MS } from '../lifecycle/calendar.js';
import type { MovedRows, Preview } from '../transitions/merging.js';
import type { ListedCustomer } from '../transitions/work.js';
import type { MovedCounts } from './copies.js';
import type { Joined } from './joining.js';
import { type Merge, type MergePreview, type Moved, PREVIEWED_MAX } from './schemas.js';
import type { MergeRow } from './store.js';

/** How long a merge can be undone. */
export const UNDO_WITHIN_MS = 30 * DAY_MS;

export function toApiMerge(row: MergeRow): Merge {
  const { merged } = row;
  return {
    id: row.id,
    customerId: row.survivorId,
    mergedId: row.mergedId,
    merged: merged === null ? null : whoOf(merged),
    moved: toApiMoved(row.moved),
    mergedBy: row.mergedBy,
    mergedAt: row.createdAt.toISOString(),
    undoableUntil: new Date(row.createdAt.getTime() + UNDO_WITHIN_MS).toISOString(),
    reason: row.reason,
    undoneBy: row.undoneBy,
    undoneAt: row.undoneAt?.toISOString() ?? null,
    undoReason: row.undoReason,
  };
}

/** The same without what it keeps of those who are not among `ids`: they are somebody else. */
export function ownPart(row: MergeRow, ids: readonly string[]): MergeRow {
  const isOwn = (id: string) => ids.includes(id);
  const { survivorId, mergedId, before, after, merged, identities } = row;
  return {
    ...row,
    before: isOwn(survivorId) ? before : null,
    after: isOwn(survivorId) && isOwn(mergedId) ? after : null,
    ...(isOwn(mergedId) ? { merged, identities } : { merged: null, identities: null }),
  };
}

interface Who {
  name: string | null;
  email: string | null;
  phone: string | null;
  externalIds: { namespace: string; id: string }[];
}

/** Who somebody was, for whoever knew them under another id. */
export function whoOf({ name, email, phone, externalIds }: Who): Who {
  return { name, email, phone, externalIds };
}

export function countsOf(rows: MovedRows, identity: number): MovedCounts {
  return { ...rows, identity };
}

export function toApiMoved({ order, touchpoint, move, fact, identity }: MovedCounts): Moved {
  return { orders: order, touchpoints: touchpoint, moves: move, datedValues: fact, identities: identity };
}

export interface Previewed {
  survivor: ListedCustomer;
  merged: ListedCustomer;
  joined: Joined;
  preview: Preview;
  moved: MovedCounts;
}

export function toApiPreview({ survivor, merged, joined, preview, moved }: Previewed): MergePreview {
  const { stage, stageSince, retract, add } = preview;
  const position = { stage, stageSince, lifecycleVersion: 0 };
  const payload = customerPayload(joined.profile, position);
  const { id: _, stage: __, stageSince: ___, version: ____, erasedAt: _____, ...profile } = payload;
  return {
    profile: { ...profile, attributes: profile.attributes as Record<string, AttributeValue> },
    conflicts: joined.conflicts,
    moved: toApiMoved(moved),
    before: { customer: whereOf(survivor), merged: whereOf(merged) },
    after: { stage, stageSince: stageSince.toISOString() },
    retracted: transitionsOf(retract),
    added: transitionsOf(add.toReversed()),
  };
}

function whereOf({ stage, stageSince }: ListedCustomer) {
  if (stage === null || stageSince === null) throw new Error('a customer that is shown has a stage');
  return { stage, stageSince: stageSince.toISOString() };
}

function transitionsOf(transitions: Preview['add']): MergePreview['added'] {
  const shown = transitions.slice(0, PREVIEWED_MAX).map(({ from, to, effectiveAt, cause }) => {
    return { from, to, effectiveAt: new Date(effectiveAt).toISOString(), cause };
  });
  return { count: transitions.length, transitions: shown };
}
