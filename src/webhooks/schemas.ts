// Owns the API shapes of webhook endpoints, and how a row becomes one. Does not own those of deliveries
// (outbox/schemas.ts), nor of what is asked for beside the endpoint itself (trial-schemas.ts).

import Type, { type Static } from 'typebox';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import { page, Timestamp, text, Uuid, Version } from '../api/shapes.js';
import type { Filter } from '../filters/fields.js';
import { FilterSchema } from '../filters/schema.js';
import { EVERYTHING, TOPIC_NAMES } from '../outbox/topics.js';
import type { EndpointRow } from './store.js';
import { ENDPOINT_STATUSES, ORDERINGS } from './table.js';

export const ENDPOINTS_MAX = 50;

const url = Type.String({
  format: 'uri',
  minLength: 10,
  maxLength: 2048,
  description:
    'Where events are posted to: https, to a public address, on port 80, 443 or from 1024 on. What the ' +
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
const ownSecret = Type.String({
  pattern: '^whsec_[A-Za-z0-9+/]{32,86}={0,2}$',
  maxLength: 94,
  description: '`whsec_` and the base64 of 24 to 64 bytes (Standard Webhooks 1.0), for `v1`.',
});
export const secret = Type.String({
  pattern: '^(?:whsec_[A-Za-z0-9+/]{32,86}={0,2}|whsk_[A-Za-z0-9+/]{86}==)$',
  maxLength: 94,
  description:
    'Standard Webhooks 1.0. Of `v1` the key that both sides have: `whsec_` and the base64 of 24 to 64 bytes. ' +
    'Of `v1a` the key that signs, which receivers do not need: `whsk_` and the base64 of 64 bytes.',
});
export const SIGNINGS = ['v1', 'v1a'] as const;
export type Signing = (typeof SIGNINGS)[number];
export const signing = choice(SIGNINGS, {
  description:
    '`v1` signs with a secret that the receiver has too (HMAC-SHA256); `v1a` with a key whose public half is ' +
    'enough to verify (ed25519).',
});
export const publicKey = Type.String({ pattern: '^whpk_[A-Za-z0-9+/]{43}=$', maxLength: 49 });
export const publicKeyWords = 'What receivers verify `v1a` with; null with `v1`.';

export const HEADERS_MAX = 20;
const headerName = Type.String({ pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$", maxLength: 100 });
const headerValue = Type.String({ pattern: '^[!-~](?:[ -~]*[!-~])?$', minLength: 1, maxLength: 1024 });
const headersWords =
  'Sent with every delivery, and shown to whoever may read the endpoint. None that frames the message, steers ' +
  'the connection or speaks for somebody else: `authorization` is allowed, `cookie` and `webhook-…` are not.';
const headers = Type.Record(headerName, headerValue, {
  maxProperties: HEADERS_MAX,
  additionalProperties: false,
  description: headersWords,
});
export const METADATA_MAX = 50;
const metadataKey = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$', maxLength: 64 });
const metadataValue = text({ min: 0, max: 500 });
const metadata = Type.Record(metadataKey, metadataValue, {
  maxProperties: METADATA_MAX,
  additionalProperties: false,
  description: 'Fields of your own, for your own use.',
});
const ordering = choice(ORDERINGS, {
  description:
    'With `per_customer`, an event is not sent while an earlier one of the same customer is undelivered here. ' +
    'A change holds for what happens from then on.',
});
const rateLimitPerS = Type.Integer({
  format: 'int32',
  minimum: 1,
  maximum: 1000,
  description: 'Requests in any one second, at most.',
});
const filter = ref(FilterSchema) as ReturnType<typeof Type.Unsafe<Filter>>;
const filterWords =
  'Of what it listens to, it hears only of what this lets through, by the facts in the event itself. An event ' +
  'that concerns no customer has none of them.';
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
  filter: nullable(filter, { description: filterWords }),
  ordering,
  rateLimitPerS: nullable(rateLimitPerS),
  headers,
  metadata,
  status: choice(ENDPOINT_STATUSES, {
    description:
      'A disabled endpoint is sent nothing, and nothing is queued for it, until it is made active again.',
  }),
  disabledReason: nullable(text({ max: 500 }), { description: 'Why the service disabled it.' }),
  disabledAt: nullable(ref(Timestamp)),
  signing: nullable(signing, {
    description: 'How it is signed; null while its secret cannot be read with the key that is in use.',
  }),
  publicKey: nullable(publicKey, { description: publicKeyWords }),
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

export const WebhookEndpointInput = shared(
  'WebhookEndpointInput',
  closed({
    url,
    description: Type.Optional(nullable(description)),
    eventTypes: Type.Optional(eventTypes),
    filter: Type.Optional(nullable(filter, { description: filterWords })),
    ordering: Type.Optional(ordering),
    rateLimitPerS: Type.Optional(nullable(rateLimitPerS)),
    headers: Type.Optional(headers),
    metadata: Type.Optional(metadata),
    status: Type.Optional(settableStatus),
    signing: Type.Optional(signing),
    secret: Type.Optional(ownSecret),
  }),
);
export type WebhookEndpointInput = Static<typeof WebhookEndpointInput>;

/** What may come beside what is there: the sizes are those of what comes of it. */
const headersPatch = Type.Record(headerName, nullable(headerValue), {
  maxProperties: 2 * HEADERS_MAX,
  additionalProperties: false,
});
const metadataPatch = Type.Record(metadataKey, nullable(metadataValue), {
  maxProperties: 2 * METADATA_MAX,
  additionalProperties: false,
});

export const WebhookEndpointPatch = shared(
  'WebhookEndpointPatch',
  closed(
    {
      url: Type.Optional(url),
      description: Type.Optional(nullable(description)),
      eventTypes: Type.Optional(eventTypes),
      filter: Type.Optional(nullable(filter, { description: 'Replaced as a whole.' })),
      ordering: Type.Optional(ordering),
      rateLimitPerS: Type.Optional(nullable(rateLimitPerS)),
      headers: Type.Optional(nullable(headersPatch, { description: 'Merged; null removes a header.' })),
      metadata: Type.Optional(nullable(metadataPatch, { description: 'Merged; null removes a key.' })),
      status: Type.Optional(settableStatus),
      resendMissed: Type.Optional(
        Type.Boolean({
          description:
            'Has to be said where the endpoint is disabled and is to be so no longer: whether what it has ' +
            'missed goes out now, as replays.',
        }),
      ),
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
  FilterSchema,
  WebhookEndpoint,
  WebhookEndpointWithSecret,
  WebhookEndpointInput,
  WebhookEndpointPatch,
  WebhookEndpointPage,
];

/** `key` is what can be told of its secret; undefined where that cannot be read. */
export function toEndpoint(
  row: EndpointRow,
  key: { signing: Signing; publicKey: string | null } | undefined,
): WebhookEndpoint {
  return {
    id: row.id,
    version: row.version,
    url: row.url,
    description: row.description,
    eventTypes: row.eventTypes,
    filter: row.filter as Filter | null,
    ordering: row.ordering,
    rateLimitPerS: row.rateLimitPerS,
    headers: row.headers,
    metadata: row.metadata,
    status: row.status,
    disabledReason: row.disabledReason,
    disabledAt: row.disabledAt?.toISOString() ?? null,
    signing: key?.signing ?? null,
    publicKey: key?.publicKey ?? null,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
