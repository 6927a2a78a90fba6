// Owns the API shapes of what is asked for beside an endpoint itself: its secret, a test, a preview.

import Type, { type Static } from 'typebox';
import { PATTERNS } from '../api/patterns.js';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import { count, Timestamp, Uuid } from '../api/shapes.js';
import { EVENT_NAMES } from '../outbox/topics.js';
import { publicKey, publicKeyWords, secret, signing } from './schemas.js';

export const OVERLAP_DEFAULT_S = 86_400;
const OVERLAP_MAX_S = 604_800;

export const WebhookSecret = shared(
  'WebhookSecret',
  closed({ secret, signing, publicKey: nullable(publicKey, { description: publicKeyWords }) }),
);
export type WebhookSecret = Static<typeof WebhookSecret>;

export const SecretRotation = shared(
  'SecretRotation',
  closed({
    signing: Type.Optional(signing),
    overlapS: Type.Optional(
      count({
        max: OVERLAP_MAX_S,
        description:
          'For how many seconds the earlier secrets go on signing beside the new one; a day unless it is said. ' +
          'With 0 they end at once.',
      }),
    ),
  }),
);
export type SecretRotation = Static<typeof SecretRotation>;

export const RotatedSecret = shared(
  'RotatedSecret',
  closed({
    secret,
    signing,
    publicKey: nullable(publicKey, { description: publicKeyWords }),
    overlapEndsAt: ref(Timestamp, { description: 'From then on the new secret alone signs.' }),
  }),
);
export type RotatedSecret = Static<typeof RotatedSecret>;

const eventType = choice(EVENT_NAMES, { description: '`ping` unless it is said.' });

export const WebhookTest = shared('WebhookTest', closed({ eventType: Type.Optional(eventType) }));
export type WebhookTest = Static<typeof WebhookTest>;

export const WebhookPreviewInput = shared(
  'WebhookPreviewInput',
  closed({
    eventType: Type.Optional(eventType),
    eventId: Type.Optional(ref(Uuid, { description: 'An event that has happened, instead of a sample.' })),
  }),
);
export type WebhookPreviewInput = Static<typeof WebhookPreviewInput>;

export const WebhookPreview = shared(
  'WebhookPreview',
  closed({
    url: Type.String({ format: 'uri', maxLength: 2048 }),
    headers: Type.Unsafe<Record<string, string>>({
      ...Type.Record(
        Type.String({ pattern: '^[!-~]{1,100}$', maxLength: 100 }),
        Type.String({ pattern: '^[ -~]*$', maxLength: 2048 }),
        { maxProperties: 40, additionalProperties: false },
      ),
    }),
    body: Type.String({
      pattern: PATTERNS.anyText,
      description: 'As it is signed, to the byte.',
      maxLength: 1_000_000,
    }),
    matches: closed(
      {
        eventTypes: Type.Boolean({ description: 'Whether the endpoint listens to events of this type.' }),
        filter: Type.Boolean({ description: 'Whether its filter lets this one through.' }),
      },
      { description: 'It is sent to this endpoint where both hold.' },
    ),
  }),
);
export type WebhookPreview = Static<typeof WebhookPreview>;

/** What is shown of a secret: never more of a row than this. */
export function toSecret({ secret, signing, publicKey }: WebhookSecret): WebhookSecret {
  return { secret, signing, publicKey };
}

/** For registration. */
export const TRIAL_SCHEMAS: Shared[] = [
  WebhookSecret,
  SecretRotation,
  RotatedSecret,
  WebhookTest,
  WebhookPreviewInput,
  WebhookPreview,
];
