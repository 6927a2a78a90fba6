// Owns how a webhook reads in the document. Does not own the events (outbox/) or the sending (webhooks/).

import type { JsonObject } from './sealing.js';

/** One type of event, as its catalogue lists it. */
export interface WebhookEntry {
  type: string;
  summary: string;
  description?: string;
  schema: unknown;
  example: unknown;
}

const header = (name: string, description: string, maxLength: number, required = true) => ({
  name,
  in: 'header',
  required,
  description,
  schema: { type: 'string', pattern: '^[ -~]+$', maxLength },
});

const parameters = [
  header(
    'webhook-id',
    "The event's id: the same in every attempt, at every endpoint and in every replay.",
    64,
  ),
  header('webhook-timestamp', 'When this attempt was made, in seconds since 1970.', 20),
  header(
    'webhook-signature',
    'Standard Webhooks 1.0: `v1,` and the HMAC-SHA256 of `id.timestamp.body`, or `v1a,` and its ed25519 signature; ' +
      'several with spaces between them while a secret is rotated.',
    1024,
  ),
  header(
    'perennial-replay',
    'On what is sent again: the replay, or the delivery that is repeated.',
    64,
    false,
  ),
  header(
    'perennial-after-dead-letter',
    "In `per_customer` order: the customer's delivery before this one that was given up.",
    64,
    false,
  ),
];

export function webhookOf({ type, summary, description, schema, example }: WebhookEntry): JsonObject {
  const operationId = `on_${type.replaceAll('.', '_')}`;
  return {
    post: {
      operationId,
      tags: ['Webhooks'],
      summary,
      description: description ?? `${summary}.`,
      // The receiver knows the sender by the signature.
      security: [],
      parameters,
      requestBody: { required: true, content: { 'application/json': { schema, example } } },
      responses: { '2XX': { description: 'Any 2xx says that the event has been taken.' } },
    },
  };
}
