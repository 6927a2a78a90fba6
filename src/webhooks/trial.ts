// Owns what is done with an endpoint beside keeping it: a new secret, a test, a preview of what would be sent.
// Does not own the endpoint (service.ts), its secrets (keyring.ts) or the samples (outbox/samples-service.ts).

import type { Context } from '../context.js';
import type { Transaction } from '../db/executor.js';
import { ConflictError, InvalidError } from '../errors.js';
import { matchesFilter } from '../filters/evaluate.js';
import type { Filter } from '../filters/fields.js';
import { factsOfBody } from '../outbox/events.js';
import { preparedSample, tellSample, toldEvent } from '../outbox/samples-service.js';
import type { Delivery } from '../outbox/schemas.js';
import { topicsOf } from '../outbox/topics.js';
import { type Endpoints, known } from './endpoints.js';
import { webhookHeaders } from './sign.js';
import { type EndpointRow, findEndpoint, lockEndpoint, tryNow, updateEndpoint } from './store.js';
import {
  OVERLAP_DEFAULT_S,
  type RotatedSecret,
  type SecretRotation,
  toSecret,
  type WebhookPreview,
  type WebhookPreviewInput,
  type WebhookTest,
} from './trial-schemas.js';

interface Named {
  id: string;
}

/** Without a word on how, a new secret signs as the one before it. */
export async function rotate(
  { database, deliveries, keyring }: Endpoints,
  context: Context,
  { id, signing, overlapS = OVERLAP_DEFAULT_S }: SecretRotation & Named,
): Promise<RotatedSecret> {
  const { tenantId, now } = context;
  let isReadableAgain = false;
  const rotated = await database.write(context, async (tx) => {
    const row = known(await lockEndpoint(tx, { tenantId, id }));
    const kind = signing ?? keyring.find(row)?.signing ?? 'v1';
    const { retiredSecrets, ...key } = keyring.rotate(row, { signing: kind, overlapS, now });
    await updateEndpoint(tx, {
      ...row,
      secret: keyring.seal(key.secret, { tenantId, id }),
      retiredSecrets,
      version: row.version + 1,
      updatedAt: now,
    });
    const overlapEndsAt = new Date(now.getTime() + overlapS * 1000).toISOString();
    isReadableAgain = keyring.find(row) === undefined && row.status === 'active';
    return { ...toSecret(key), overlapEndsAt };
  });
  // What could not be signed has waited for this.
  if (isReadableAgain) await deliveries.resume(context, id);
  return rotated;
}

export function sendTest(
  { database, deliveries }: Endpoints,
  context: Context,
  { id, eventType = 'ping' }: WebhookTest & Named,
): Promise<Delivery> {
  return database.write(context, async (tx) => {
    const { status } = known(await lockEndpoint(tx, { tenantId: context.tenantId, id }));
    if (status !== 'active') {
      throw new ConflictError('endpoint_not_active', `The endpoint is ${status}: it is sent nothing.`);
    }
    // Whoever tests has mended something, or wants to know whether it is.
    await tryNow(tx, { tenantId: context.tenantId, id }, context.now);
    return tellSample(deliveries, tx, context, { endpointId: id, type: eventType });
  });
}

/** Writes nothing; in a transaction all the same, which is where an answer is kept with its key. */
export function preview(
  { database, keyring }: Endpoints,
  context: Context,
  asked: WebhookPreviewInput & Named,
): Promise<WebhookPreview> {
  const { tenantId, now } = context;
  return database.write(context, async (tx) => {
    const row = known(await findEndpoint(tx, { tenantId, id: asked.id }));
    const { id, type, body } = await previewed(tx, context, asked);
    // Where the newest secret cannot be read, nothing is sent either.
    const { secret } = keyring.get(row);
    const [, ...earlier] = keyring.valid(row, now);
    const timestampS = Math.floor(now.getTime() / 1000);
    const secrets = [secret, ...earlier];
    return {
      url: row.url,
      headers: webhookHeaders({ id, timestampS, body, secrets, extra: row.headers }),
      body,
      matches: { eventTypes: isListenedTo(row, type), filter: isLetThrough(row, body) },
    };
  });
}

async function previewed(tx: Transaction, context: Context, asked: WebhookPreviewInput & Named) {
  const { id: endpointId, eventId, eventType = 'ping' } = asked;
  if (eventId === undefined) return preparedSample(context, { endpointId, type: eventType });
  if (asked.eventType === undefined) return toldEvent(tx, context.tenantId, eventId);
  const detail = 'must not be given beside eventId, which has a type of its own';
  throw new InvalidError('ambiguous_preview', `The field eventType ${detail}.`, {
    faults: [{ pointer: '/eventType', detail }],
  });
}

function isListenedTo({ eventTypes }: EndpointRow, type: string): boolean {
  return topicsOf(type).some((topic) => eventTypes.includes(topic));
}

function isLetThrough({ filter }: EndpointRow, body: string): boolean {
  return filter === null || matchesFilter(filter as Filter, factsOfBody(body));
}
