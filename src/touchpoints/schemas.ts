// Owns the shapes of touchpoints in the API, in and out.

import Type, { type Static } from 'typebox';
import { backfill, batchItems } from '../api/batch.js';
import { ItemProblem } from '../api/problem.js';
import { CustomerRef, ExternalId } from '../api/references.js';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import {
  batchResult,
  page,
  pageQuery,
  prose,
  Timestamp,
  TimestampInput,
  text,
  Uuid,
  Version,
} from '../api/shapes.js';
import { SATISFACTION_SCALES } from '../lifecycle/facts.js';
import { TOUCHPOINT_DIRECTIONS, TOUCHPOINT_KINDS } from './table.js';

const channel = text({ max: 100, description: 'Where it happened, for example `phone` or `wechat`.' });
const direction = choice(TOUCHPOINT_DIRECTIONS, { description: '`inbound` came from the customer.' });
const kind = choice(TOUCHPOINT_KINDS);
const outcome = text({ max: 200, description: 'What came of it.' });
const actor = text({ max: 200, description: 'Who was in touch with the customer.' });
const note = prose({ max: 10_000, description: 'What was said.' });

export const SATISFACTION_KIND = 'survey_answer';
/** The lowest and the highest score of each scale. */

export const Satisfaction = shared(
  'Satisfaction',
  closed(
    {
      scale: choice(SATISFACTION_SCALES, { description: '`csat` goes from 1 to 5, `nps` from 0 to 10.' }),
      score: Type.Integer({ format: 'int32', minimum: 0, maximum: 10 }),
    },
    { description: 'How satisfied the customer said they were.' },
  ),
);
export type Satisfaction = Static<typeof Satisfaction>;

export const TouchpointInput = shared(
  'TouchpointInput',
  closed({
    customer: ref(CustomerRef),
    channel,
    direction,
    kind,
    outcome: Type.Optional(nullable(outcome)),
    actor: Type.Optional(nullable(actor)),
    note: Type.Optional(nullable(note)),
    satisfaction: Type.Optional(
      nullable(ref(Satisfaction), { description: 'Only of the kind `survey_answer`.' }),
    ),
    occurredAt: Type.Optional(
      ref(TimestampInput, { description: 'Now unless it is given; at most 5 minutes ahead.' }),
    ),
    externalId: Type.Optional(
      nullable(ref(ExternalId), {
        description: 'Makes a repeat harmless: it is answered with what is there.',
      }),
    ),
  }),
);
export type TouchpointInput = Static<typeof TouchpointInput>;

export const Touchpoint = shared(
  'Touchpoint',
  closed({
    id: ref(Uuid),
    customerId: ref(Uuid),
    channel,
    direction,
    kind,
    outcome: nullable(outcome),
    actor: nullable(actor),
    note: nullable(note),
    satisfaction: nullable(ref(Satisfaction)),
    occurredAt: ref(Timestamp),
    externalId: nullable(ref(ExternalId)),
    version: ref(Version, { description: 'Always 1: touchpoints are recorded and never changed.' }),
    createdAt: ref(Timestamp),
  }),
);
export type Touchpoint = Static<typeof Touchpoint>;

export const TouchpointPage = shared('TouchpointPage', page(ref(Touchpoint)));
export type TouchpointPage = Static<typeof TouchpointPage>;

export const touchpointQuery = closed({
  ...pageQuery,
  customer: Type.Optional(ref(CustomerRef)),
  kind: Type.Optional(kind),
  channel: Type.Optional(channel),
  direction: Type.Optional(direction),
  from: Type.Optional(ref(TimestampInput, { description: 'Occurred at this instant or later.' })),
  to: Type.Optional(ref(TimestampInput, { description: 'Occurred before this instant.' })),
});
export type TouchpointQuery = Static<typeof touchpointQuery>;

export const TouchpointBatch = shared(
  'TouchpointBatch',
  closed({
    items: batchItems(ref(TouchpointInput), 'In order.'),
    backfill,
  }),
);

export const TouchpointBatchResult = shared(
  'TouchpointBatchResult',
  batchResult(closed({ id: ref(Uuid) }), ref(ItemProblem)),
);

/** For registration. */
export const TOUCHPOINT_SCHEMAS: Shared[] = [
  Satisfaction,
  TouchpointInput,
  Touchpoint,
  TouchpointPage,
  TouchpointBatch,
  TouchpointBatchResult,
];
