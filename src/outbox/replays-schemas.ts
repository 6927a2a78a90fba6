// Owns the API shapes of replays, and how a row becomes one. Does not own those of deliveries (schemas.ts).

import Type, { type Static } from 'typebox';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import { count, page, Timestamp, TimestampInput, Uuid } from '../api/shapes.js';
import type { ReplayRow } from './replays-store.js';
import { REPLAY_SCOPES, REPLAY_STATUSES } from './table.js';
import { TOPIC_NAMES } from './topics.js';

const topics = (description: string) =>
  Type.Array(choice(TOPIC_NAMES), {
    minItems: 1,
    maxItems: TOPIC_NAMES.length,
    uniqueItems: true,
    description,
  });
const scope = (description: string) => choice(REPLAY_SCOPES, { description });

export const Replay = shared(
  'WebhookReplay',
  closed(
    {
      id: ref(Uuid, { description: 'Also the `replayOf` of every delivery that it queues.' }),
      endpointId: ref(Uuid),
      scope: scope(
        '`all` events of the range, those that were `missed`, or the deliveries that `failed` in it.',
      ),
      eventTypes: topics('Types or patterns: what else there was in the range is passed over.'),
      from: ref(Timestamp),
      to: ref(Timestamp),
      status: choice(REPLAY_STATUSES, {
        description: '`done`: all is queued, which is not yet to say that all is delivered.',
      }),
      eventsSeen: count({
        description: 'How many events, or failed deliveries, of the range it has gone through.',
      }),
      deliveriesQueued: count({ description: 'How many of them it has queued.' }),
      createdAt: ref(Timestamp),
      finishedAt: nullable(ref(Timestamp)),
    },
    { description: 'Events that are sent to an endpoint again.' },
  ),
);
export type Replay = Static<typeof Replay>;

export const ReplayInput = shared(
  'WebhookReplayInput',
  closed({
    scope: Type.Optional(
      scope(
        '`all` (by default): the events that the service recorded in the range, as far as the endpoint would ' +
          'hear of them now. `missed`: of those, the ones that were never queued for it. `failed`: its ' +
          'deliveries that were given up in the range.',
      ),
    ),
    eventTypes: Type.Optional(topics("Types or patterns; by default the endpoint's own.")),
    from: ref(TimestampInput, { description: 'From this instant on.' }),
    to: Type.Optional(
      ref(TimestampInput, { description: 'Up to this instant: now by default, and at the most.' }),
    ),
  }),
);
export type ReplayInput = Static<typeof ReplayInput>;

export const RecoverInput = shared(
  'WebhookRecoverInput',
  closed({
    since: ref(TimestampInput, { description: 'Deliveries that were given up from this instant on.' }),
  }),
);
export type RecoverInput = Static<typeof RecoverInput>;

export const ReplayPage = shared('WebhookReplayPage', page(ref(Replay)));
export type ReplayPage = Static<typeof ReplayPage>;

/** For registration. */
export const REPLAY_SCHEMAS: Shared[] = [Replay, ReplayInput, RecoverInput, ReplayPage];

export function toReplay(row: ReplayRow): Replay {
  return {
    id: row.id,
    endpointId: row.endpointId,
    scope: row.scope,
    eventTypes: row.eventTypes,
    from: row.from.toISOString(),
    to: row.to.toISOString(),
    status: row.status,
    eventsSeen: row.eventsSeen,
    deliveriesQueued: row.deliveriesQueued,
    createdAt: row.createdAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}
