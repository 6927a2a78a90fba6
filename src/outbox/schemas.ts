// Owns the API shapes of the feed and of deliveries, and how rows become them. Does not own what events of
// each type hold (catalogue.ts).

import Type, { type Static } from 'typebox';
import { PATTERNS } from '../api/patterns.js';
import { CustomerRef } from '../api/references.js';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import {
  count,
  PAGE_LIMIT_DEFAULT,
  PAGE_LIMIT_MAX,
  page,
  pageQuery,
  Timestamp,
  TimestampInput,
  text,
  Uuid,
} from '../api/shapes.js';
import type { AttemptRow, DeliveryRow } from './deliveries-store.js';
import { DELIVERY_STATUSES } from './table.js';
import { EVENT_NAMES, TOPIC_NAMES } from './topics.js';

const cursor = Type.String({ pattern: '^[A-Za-z0-9_-]*$', maxLength: 2048 });

const freeForm = (description: string) =>
  Type.Unsafe<Record<string, unknown>>({ type: 'object', maxProperties: 100, description });

/** The envelope that all events share; the catalogue narrows `data` by type. */
export const envelope = {
  id: ref(Uuid, { description: 'Also the `webhook-id` of every delivery of it: the key for duplicates.' }),
  occurredAt: ref(Timestamp, { description: 'When it became true.' }),
  recordedAt: ref(Timestamp, { description: 'When the service learnt of it.' }),
  sequence: nullable(Type.Integer({ format: 'int64', minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), {
    description: "Counts a customer's events without gaps; null for events that concern no customer.",
  }),
  correctionId: Type.Optional(
    ref(Uuid, { description: 'Shared by the events of one correction of the past.' }),
  ),
  test: Type.Optional(
    Type.Literal(true, { description: 'A sample that somebody asked for: nothing has happened.' }),
  ),
};

export const Event = shared(
  'Event',
  closed(
    {
      ...envelope,
      type: choice(EVENT_NAMES),
      data: freeForm('By type: see the list of event types.'),
      previous: Type.Optional(freeForm('The values before, of the fields that were changed.')),
    },
    { description: 'Something that happened, as it was then; the same text as in a webhook.' },
  ),
);

export const EventPage = shared(
  'EventPage',
  closed({
    data: Type.Array(ref(Event), { maxItems: PAGE_LIMIT_MAX }),
    nextCursor: nullable(cursor, {
      description: 'Null at the present end of the feed. A page may be empty and have a next one.',
    }),
    cursor: Type.String({
      pattern: '^[A-Za-z0-9_-]*$',
      maxLength: 2048,
      description: 'Where to go on from, at the end too: keep it, and ask again later with `after`.',
    }),
  }),
);

export const feedQuery = closed({
  after: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9_-]*$',
      minLength: 1,
      maxLength: 2048,
      description: '`cursor` of an earlier page, whatever its filter was; without it, from the beginning.',
    }),
  ),
  types: Type.Optional(
    Type.Array(choice(TOPIC_NAMES), {
      minItems: 1,
      maxItems: TOPIC_NAMES.length,
      description: 'Types or patterns such as `customer.*`; may be repeated.',
    }),
  ),
  customer: Type.Optional(ref(CustomerRef)),
  limit: Type.Optional(
    Type.Integer({ format: 'int32', minimum: 1, maximum: PAGE_LIMIT_MAX, default: PAGE_LIMIT_DEFAULT }),
  ),
});

export const EventType = shared(
  'EventType',
  closed({
    type: choice(EVENT_NAMES),
    summary: text({ max: 200 }),
    topics: Type.Array(choice(TOPIC_NAMES), {
      maxItems: TOPIC_NAMES.length,
      description: 'What endpoints may list to hear of it.',
    }),
    schema: freeForm('JSON Schema 2020-12 of the whole body, complete in itself.'),
    example: freeForm('A body that fits the schema.'),
  }),
);

export const EventTypePage = shared('EventTypePage', page(ref(EventType)));

const delivery = {
  id: ref(Uuid),
  eventId: ref(Uuid),
  eventType: choice(EVENT_NAMES),
  endpointId: ref(Uuid),
  status: choice(DELIVERY_STATUSES, {
    description:
      '`exhausted`: no attempt is left, or the endpoint was disabled. `discarded`: given up by a person.',
  }),
  attemptCount: count(),
  nextAttemptAt: nullable(ref(Timestamp), {
    description: 'Null when it is done, and while an attempt is under way.',
  }),
  firstAttemptAt: nullable(ref(Timestamp)),
  createdAt: ref(Timestamp),
  finishedAt: nullable(ref(Timestamp)),
  replayOf: nullable(ref(Uuid), {
    description: 'What it was queued by where it is sent again: a replay, or the delivery that it repeats.',
  }),
  afterDeadLetter: nullable(ref(Uuid), {
    description:
      'At an endpoint that is told in order: the delivery before it that was given up, so that it could go.',
  }),
};

export const Delivery = shared('Delivery', closed(delivery, { description: 'One event to one endpoint.' }));
export type Delivery = Static<typeof Delivery>;

/** What a receiver wrote, whatever it is: only NUL, which cannot be stored, has been replaced. */
const received = (maxLength: number) => Type.String({ pattern: PATTERNS.anyText, maxLength });

const deliveryAttempt = closed({
  number: count({ min: 1 }),
  startedAt: ref(Timestamp),
  durationMs: count(),
  status: nullable(Type.Integer({ format: 'int32', minimum: 100, maximum: 999 }), {
    description: 'The status that the receiver answered with; null where no answer came.',
  }),
  error: nullable(received(1000), { description: 'Why there was no complete answer.' }),
  responseBody: nullable(received(16_384), { description: 'The first 16 KiB of the answer.' }),
});

export const DeliveryWithAttempts = shared(
  'DeliveryWithAttempts',
  closed({ ...delivery, attempts: Type.Array(deliveryAttempt, { maxItems: 100 }) }),
);
export type DeliveryWithAttempts = Static<typeof DeliveryWithAttempts>;

export const DeliveryPage = shared('DeliveryPage', page(ref(Delivery)));
export type DeliveryPage = Static<typeof DeliveryPage>;

/** For the deliveries of one endpoint. */
export const deliveryQuery = {
  ...pageQuery,
  status: Type.Optional(choice(DELIVERY_STATUSES)),
  eventType: Type.Optional(choice(EVENT_NAMES)),
  createdFrom: Type.Optional(ref(TimestampInput, { description: 'Queued at this instant or later.' })),
  createdTo: Type.Optional(ref(TimestampInput, { description: 'Queued before this instant.' })),
};

export const deliveriesQuery = { ...deliveryQuery, endpointId: Type.Optional(ref(Uuid)) };

/** For registration. */
export const OUTBOX_SCHEMAS: Shared[] = [
  Event,
  EventPage,
  EventType,
  EventTypePage,
  Delivery,
  DeliveryWithAttempts,
  DeliveryPage,
];

export function toDelivery(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    eventId: row.eventId,
    eventType: row.eventType,
    endpointId: row.endpointId,
    status: row.status,
    attemptCount: row.attempts,
    nextAttemptAt: row.isClaimed ? null : (row.dueAt?.toISOString() ?? null),
    firstAttemptAt: row.firstAttemptAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
    replayOf: row.replayOf,
    afterDeadLetter: row.afterDeadLetter,
  };
}

export function toAttempt({ startedAt, ...attempt }: AttemptRow): Static<typeof deliveryAttempt> {
  return { ...attempt, startedAt: startedAt.toISOString() };
}
