// Owns the shapes of merges in the API. Does not own what they mean (service.ts).

import Type, { type Static } from 'typebox';
import { CustomerRef, ExternalId } from '../api/references.js';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import { count, page, pageQuery, prose, Timestamp, text, Uuid } from '../api/shapes.js';
import { EXTERNAL_IDS_MAX } from '../customers/identities.js';
import { Customer, customerPath } from '../customers/schemas.js';
import { TRANSITION_CAUSES } from '../lifecycle/transition.js';

const dryRun = Type.Optional(
  Type.Boolean({ default: false, description: 'Say what would happen, and change nothing.' }),
);

const reason = Type.Optional(nullable(prose({ max: 500 }), { description: 'Why, for whoever asks later.' }));

export const MergeInput = shared(
  'MergeInput',
  closed(
    {
      from: ref(CustomerRef, {
        description: 'Who is merged into the customer of the path, and is none of their own afterwards.',
      }),
      reason,
      dryRun,
    },
    { description: 'Two customers who are one.' },
  ),
);
export type MergeInput = Static<typeof MergeInput>;

export const MergeUndoInput = shared('MergeUndoInput', closed({ reason, dryRun }));
export type MergeUndoInput = Static<typeof MergeUndoInput>;

const moved = closed(
  {
    orders: count(),
    touchpoints: count(),
    moves: count({ description: 'Moves between stages by hand.' }),
    datedValues: count({ description: 'Values that fields of the profile have had, with their times.' }),
    identities: count({ description: 'External ids, e-mail and phone.' }),
  },
  { description: 'What passed from the one to the other.' },
);
export type Moved = Static<typeof moved>;

const { name, email, phone } = Customer.properties;
const merged = nullable(
  closed({
    ...{ name, email, phone },
    externalIds: Type.Array(ref(ExternalId), { maxItems: EXTERNAL_IDS_MAX }),
  }),
  { description: 'Who they were. Null once their personal data was erased.' },
);

const actor = text({ max: 300, description: 'Who did it, by their key or user.' });

export const Merge = shared(
  'Merge',
  closed({
    id: ref(Uuid),
    customerId: ref(Uuid, { description: 'The customer who goes on.' }),
    mergedId: ref(Uuid, { description: 'The customer who was merged: under this id there is nobody now.' }),
    merged,
    moved,
    mergedBy: actor,
    mergedAt: ref(Timestamp),
    undoableUntil: ref(Timestamp, { description: 'Until when it can be undone.' }),
    reason: nullable(prose({ max: 500 })),
    undoneBy: nullable(actor),
    undoneAt: nullable(ref(Timestamp)),
    undoReason: nullable(prose({ max: 500 })),
  }),
);
export type Merge = Static<typeof Merge>;

const stage = Customer.properties.stage;
const where = closed({ stage, stageSince: ref(Timestamp) });

/** More than these are counted and not shown. */
export const PREVIEWED_MAX = 100;

const transitions = closed({
  count: count(),
  transitions: Type.Array(
    closed({
      from: nullable(stage),
      to: stage,
      effectiveAt: ref(Timestamp),
      cause: choice(TRANSITION_CAUSES),
    }),
    { maxItems: PREVIEWED_MAX, description: 'The last of them, newest first.' },
  ),
});

const { id: _, stage: __, stageSince: ___, version: ____, erasedAt: _____, ...profile } = Customer.properties;

export const MergePreview = shared(
  'MergePreview',
  closed(
    {
      profile: closed(profile, { description: 'The profile that would come of it.' }),
      conflicts: Type.Array(
        closed({
          field: text({ max: 100 }),
          kept: Type.Unknown({ description: 'The value of the customer who goes on.' }),
          dropped: Type.Unknown({ description: 'The value of the one who is merged.' }),
        }),
        { maxItems: 200, description: 'Fields that both have, with different values.' },
      ),
      moved,
      before: closed({ customer: where, merged: where }),
      after: where,
      retracted: transitions,
      added: transitions,
    },
    { description: 'What a merge would do.' },
  ),
);
export type MergePreview = Static<typeof MergePreview>;

export const MergeUndo = shared(
  'MergeUndo',
  closed({ merge: ref(Merge), returned: moved }, { description: 'What has gone back, or would.' }),
);
export type MergeUndo = Static<typeof MergeUndo>;

export const MergePage = shared('MergePage', page(ref(Merge)));
export const mergePath = closed({ ...customerPath.properties, mergeId: ref(Uuid) });
export const mergeQuery = closed(pageQuery);
export type MergeQuery = Static<typeof mergeQuery>;

/** For registration. */
export const MERGE_SCHEMAS: Shared[] = [
  MergeInput,
  MergeUndoInput,
  Merge,
  MergePreview,
  MergeUndo,
  MergePage,
];
