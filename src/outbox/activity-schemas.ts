// Owns the API shapes of an endpoint's attempts and figures, and how rows become them. Does not own those of
// single deliveries (schemas.ts).

import Type, { type Static } from 'typebox';
import { PATTERNS } from '../api/patterns.js';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import { count, page, pageQuery, Timestamp, TimestampInput, Uuid } from '../api/shapes.js';
import { DAY_MS } from '../lifecycle/calendar.js';
import type { EndpointAttemptRow } from './activity-store.js';
import { EVENT_NAMES } from './topics.js';

export const OUTCOMES = ['succeeded', 'failed'] as const;
export const BREAKER_STATES = ['closed', 'open', 'half_open'] as const;

/** The stretches of time that figures are had for. */
export const WINDOWS_MS = { '1h': 3_600_000, '24h': DAY_MS, '7d': 7 * DAY_MS } as const;
export type Window = keyof typeof WINDOWS_MS;
const WINDOWS = ['1h', '24h', '7d'] as const satisfies readonly Window[];

const answered = { format: 'int32', minimum: 100, maximum: 999 } as const;

export const EndpointAttempt = shared(
  'WebhookAttempt',
  closed(
    {
      deliveryId: ref(Uuid),
      number: count({ min: 1, description: 'Counts the attempts of one delivery.' }),
      eventId: ref(Uuid),
      eventType: choice(EVENT_NAMES),
      outcome: choice(OUTCOMES),
      startedAt: ref(Timestamp),
      durationMs: count(),
      status: nullable(Type.Integer(answered), {
        description: 'The status that the receiver answered with; null where no answer came.',
      }),
      error: nullable(Type.String({ pattern: PATTERNS.anyText, maxLength: 1000 }), {
        description: 'Why there was no complete answer.',
      }),
    },
    { description: 'One attempt to deliver. What was answered is shown with the delivery.' },
  ),
);
export type EndpointAttempt = Static<typeof EndpointAttempt>;

export const EndpointAttemptPage = shared('WebhookAttemptPage', page(ref(EndpointAttempt)));
export type EndpointAttemptPage = Static<typeof EndpointAttemptPage>;

export const attemptsQuery = closed({
  ...pageQuery,
  outcome: Type.Optional(choice(OUTCOMES)),
  status: Type.Optional(Type.Integer({ ...answered, description: 'The status that was answered with.' })),
  from: Type.Optional(ref(TimestampInput, { description: 'Begun at this instant or later.' })),
  to: Type.Optional(ref(TimestampInput, { description: 'Begun before this instant.' })),
});
export type AttemptsQuery = Static<typeof attemptsQuery>;

export const statsQuery = closed({
  window: Type.Optional(
    choice(WINDOWS, { default: '24h', description: 'How far back the attempts are looked at.' }),
  ),
});

const rate = nullable(Type.Number({ minimum: 0, maximum: 1 }), { description: 'Null without attempts.' });
const latency = nullable(count(), { description: 'Null without attempts.' });

export const EndpointStats = shared(
  'WebhookStats',
  closed(
    {
      window: choice(WINDOWS),
      attempts: closed({
        examined: count({ description: 'The newest of the window, 10,000 at the most.' }),
        isComplete: Type.Boolean({ description: 'Whether these are all that the window has.' }),
        succeeded: count(),
        failed: count(),
        successRate: rate,
        latencyMs: closed({ p50: latency, p95: latency, p99: latency }),
      }),
      backlog: closed({
        pending: count({ description: 'Deliveries that are not finished, counted up to 100,000.' }),
        isExact: Type.Boolean(),
        oldestAgeS: nullable(count(), { description: 'How long the oldest of them has been waiting.' }),
      }),
      breaker: closed({
        state: choice(BREAKER_STATES, {
          description: '`open`: nothing is sent until `openUntil`. `half_open`: one delivery finds out.',
        }),
        failures: count({ description: 'Since the last success.' }),
        failingSince: nullable(ref(Timestamp)),
        openUntil: nullable(ref(Timestamp)),
      }),
    },
    { description: 'How the deliveries to an endpoint are doing.' },
  ),
);
export type EndpointStats = Static<typeof EndpointStats>;

/** For registration. */
export const ACTIVITY_SCHEMAS: Shared[] = [EndpointAttempt, EndpointAttemptPage, EndpointStats];

export function toEndpointAttempt({ startedAt, ...row }: EndpointAttemptRow): EndpointAttempt {
  const { status, error } = row;
  const isSuccess = error === null && status !== null && status >= 200 && status <= 299;
  return { ...row, startedAt: startedAt.toISOString(), outcome: isSuccess ? 'succeeded' : 'failed' };
}
