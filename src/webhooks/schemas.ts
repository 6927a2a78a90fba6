// Owns the API shapes of webhook endpoints, and how a row becomes one. Does not own those of deliveries
// (outbox/schemas.ts).

import Type, { type Static } from 'typebox';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import { page, Timestamp, text, Uuid, Version } from '../api/shapes.js';
import { EVERYTHING, TOPIC_NAMES } from '../outbox/topics.js';
import type { EndpointRow } from './store.js';
import { ENDPOINT_STATUSES } from './table.js';

export const ENDPOINTS_MAX = 50;

const url = Type.String({
  format: 'uri',
  minLength: 10,
  maxLength: 2048,
  description:
    'Where events are posted to: https, to a public address, on port 443 or from 1024 on. What the ' +
    'deployment allows besides (http, private addresses) is its own setting.',
});
const description = text({ max: 500, description: 'For people.' });
const eventTypes = Type.Array(choice(TOPIC_NAMES), {
  minItems: 1,
  maxItems: TOPIC_NAMES.length,
  uniqueItems: true,
  description:
    'Which events it hears of: types, patterns such as `customer.*`, or `*` for all. ' +
    '`customer.stage_changed` stands for every transition, those of particular types included.',
});
const secret = Type.String({
  pattern: '^whsec_[A-Za-z0-9+/]{32,86}={0,2}$',
  maxLength: 94,
  description: '`whsec_` and the base64 of 24 to 64 bytes (Standard Webhooks 1.0).',
});
const SETTABLE = ['active', 'paused'] as const;
const settableStatus = choice(SETTABLE, {
  description: 'A paused endpoint is sent nothing; what happens meanwhile is queued and goes out afterwards.',
});

const shown = {
  id: ref(Uuid),
  version: ref(Version),
  url,
  description: nullable(description),
  eventTypes,
  status: choice(ENDPOINT_STATUSES, {
    description:
      'A disabled endpoint is sent nothing, and nothing is queued for it, until it is made active again.',
  }),
  disabledReason: nullable(text({ max: 500 }), { description: 'Why the service disabled it.' }),
  createdAt: ref(Timestamp),
  updatedAt: ref(Timestamp),
};

export const WebhookEndpoint = shared(
  'WebhookEndpoint',
  closed(shown, { description: 'Where a partner is told, and of what.' }),
);
export type WebhookEndpoint = Static<typeof WebhookEndpoint>;

export const WebhookEndpointWithSecret = shared(
  'WebhookEndpointWithSecret',
  closed(
    { ...shown, secret },
    { description: 'A new endpoint and the secret that its deliveries are signed with.' },
  ),
);
export type WebhookEndpointWithSecret = Static<typeof WebhookEndpointWithSecret>;

export const WebhookSecret = shared('WebhookSecret', closed({ secret }));
export type WebhookSecret = Static<typeof WebhookSecret>;

export const WebhookEndpointInput = shared(
  'WebhookEndpointInput',
  closed({
    url,
    description: Type.Optional(nullable(description)),
    eventTypes: Type.Optional(eventTypes),
    status: Type.Optional(settableStatus),
    secret: Type.Optional(secret),
  }),
);
export type WebhookEndpointInput = Static<typeof WebhookEndpointInput>;

export const WebhookEndpointPatch = shared(
  'WebhookEndpointPatch',
  closed(
    {
      url: Type.Optional(url),
      description: Type.Optional(nullable(description)),
      eventTypes: Type.Optional(eventTypes),
      status: Type.Optional(settableStatus),
    },
    { description: 'A JSON merge patch (RFC 7396).' },
  ),
);
export type WebhookEndpointPatch = Static<typeof WebhookEndpointPatch>;

export const WebhookEndpointPage = shared('WebhookEndpointPage', page(ref(WebhookEndpoint)));
export type WebhookEndpointPage = Static<typeof WebhookEndpointPage>;

export const EVENT_TYPES_DEFAULT: readonly string[] = [EVERYTHING];

/** For registration. */
export const WEBHOOK_SCHEMAS: Shared[] = [
  WebhookEndpoint,
  WebhookEndpointWithSecret,
  WebhookSecret,
  WebhookEndpointInput,
  WebhookEndpointPatch,
  WebhookEndpointPage,
];

export function toEndpoint(row: EndpointRow): WebhookEndpoint {
  return {
    id: row.id,
    version: row.version,
    url: row.url,
    description: row.description,
    eventTypes: row.eventTypes,
    status: row.status,
    disabledReason: row.disabledReason,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
