// Owns the API shapes of previews. Does not own what they count (preview-tally.ts).

import Type, { type Static } from 'typebox';
import { PATTERNS } from '../api/patterns.js';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import { count, page, pageQuery, Timestamp, text, Uuid, Version } from '../api/shapes.js';
import { PolicyRefSchema } from './policy-ref.js';
import { terms } from './policy-schemas.js';
import { CELLS_MAX, SAMPLE_MAX } from './preview-tally.js';
import type { PreviewRow, PreviewSummaryRow } from './service.js';
import { PREVIEW_STATUSES } from './table.js';

const EVENT_TYPES_MAX = 100;
const stage = () =>
  Type.String({ pattern: PATTERNS.anyText, maxLength: 64, description: 'A stage of a lifecycle.' });

const Move = closed({
  from: stage(),
  to: stage(),
  customers: count(),
  held: count({ description: "Of them, those that a person's move holds." }),
});

const Told = closed({
  type: text({ max: 100 }),
  events: count(),
  deliverable: count({ description: 'Of them, those that webhooks would go out for, to whoever listens.' }),
});

const Moved = closed({
  customerId: ref(Uuid),
  from: stage(),
  to: stage(),
  held: Type.Boolean(),
  because: nullable(Type.Unsafe<object>({ type: 'object', maxProperties: 100 }), {
    description:
      'The condition that would hold, and the facts and thresholds it is computed from; of attributes, tags and ' +
      'owner only whether they fit.',
  }),
});

export const PolicyPreviewInput = shared('PolicyPreviewInput', closed(terms));

/**
 * A list has no more than these: of a preview the moves are up to a thousand and the sample up to fifty with their
 * evidence, and two hundred of that would be some megabytes that nobody looks at before one is chosen.
 */
const summary = {
  id: ref(Uuid),
  policyId: ref(Uuid),
  policyRevision: ref(Version, { description: 'The revision of the policy that is looked at.' }),
  effectiveFrom: nullable(ref(Timestamp), { description: 'Null: from the beginning of time.' }),
  backfill: Type.Boolean(),
  status: choice(PREVIEW_STATUSES),
  failure: nullable(text({ max: 500 })),
  customers: count({ description: 'Looked at so far.' }),
  moving: count({ description: 'Whose stage would be another.' }),
  held: count({ description: "Whom a person's move holds." }),
  straightToChurned: count({ description: 'Of those not churned now, who would be at once.' }),
  createdAt: ref(Timestamp, { description: 'The activation is taken to be at this instant.' }),
  finishedAt: nullable(ref(Timestamp)),
};

export const PolicyPreviewSummary = shared(
  'PolicyPreviewSummary',
  closed(summary, { description: 'A preview in figures, without its moves, events and sample.' }),
);

export const PolicyPreview = shared(
  'PolicyPreview',
  closed(
    {
      ...summary,
      moves: Type.Array(Move, {
        maxItems: CELLS_MAX,
        description:
          'Which stage’s customers would be in which; who stays is counted where both are the same.',
      }),
      movesOmitted: count({ description: 'Customers of moves beyond those listed.' }),
      events: Type.Array(Told, { maxItems: EVENT_TYPES_MAX, description: 'What would be told of them.' }),
      sample: Type.Array(Moved, {
        maxItems: SAMPLE_MAX,
        description: 'Customers who would move, some of each kind of move.',
      }),
    },
    { description: 'What a policy would do if it came into force. Nothing of it is done.' },
  ),
);

export const PolicyPreviewPage = shared('PolicyPreviewPage', page(ref(PolicyPreviewSummary)));

export const previewQuery = closed({
  policyId: Type.Optional(ref(PolicyRefSchema)),
  status: Type.Optional(choice(PREVIEW_STATUSES)),
  ...pageQuery,
});

export const PREVIEW_SCHEMAS: Shared[] = [
  PolicyPreviewInput,
  PolicyPreviewSummary,
  PolicyPreview,
  PolicyPreviewPage,
];

export function toApiPreviewSummary(row: PreviewSummaryRow): Static<typeof PolicyPreviewSummary> {
  return { ...row, ...instantsOf(row) };
}

export function toApiPreview(row: PreviewRow): Static<typeof PolicyPreview> {
  const { id, policyId, policyRevision, backfill, status, failure, tally } = row;
  return { ...{ id, policyId, policyRevision, backfill, status, failure }, ...tally, ...instantsOf(row) };
}

function instantsOf(row: Pick<PreviewRow, 'effectiveFrom' | 'createdAt' | 'finishedAt'>) {
  return {
    effectiveFrom: row.effectiveFrom?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}
