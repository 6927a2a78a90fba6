// Owns the use cases of webhook endpoints: making, showing, changing and deleting; and what the delivery walk
// needs to know of them. Does not own their secrets over time (keyring.ts), trying one out (trial.ts), the
// deliveries (outbox/) or the network (transport.ts).

import { cursorScope, decodeCursor, encodeCursor } from '../api/cursor.js';
import { versionMismatch } from '../api/etag.js';
import { PAGE_LIMIT_DEFAULT } from '../api/shapes.js';
import type { Context } from '../context.js';
import { ConflictError } from '../errors.js';
import { newId } from '../ids.js';
import type { Targets } from '../outbox/claim.js';
import type { DeliveryQuery } from '../outbox/deliveries-service.js';
import type { Delivery, DeliveryPage } from '../outbox/schemas.js';
import { disable, revive } from './disabling.js';
import { checkedSecret, fromInput, fromPatch } from './draft.js';
import { type Endpoints, known, type WebhooksDeps } from './endpoints.js';
import { createKeyring, makeSecret, viewOf } from './keyring.js';
import {
  ENDPOINTS_MAX,
  toEndpoint,
  type WebhookEndpoint,
  type WebhookEndpointInput,
  type WebhookEndpointPage,
  type WebhookEndpointPatch,
  type WebhookEndpointWithSecret,
} from './schemas.js';
import {
  countEndpointsAlone,
  deleteEndpoint,
  type EndpointRow,
  findEndpoint,
  findTargets,
  forgetHealth,
  insertEndpoint,
  listEndpoints,
  lockEndpoint,
  updateEndpoint,
} from './store.js';
import { preview, rotate, sendTest } from './trial.js';
import {
  type RotatedSecret,
  type SecretRotation,
  toSecret,
  type WebhookPreview,
  type WebhookPreviewInput,
  type WebhookSecret,
  type WebhookTest,
} from './trial-schemas.js';

export interface PageQuery {
  limit?: number;
  cursor?: string;
}

export interface EndpointChange {
  patch: WebhookEndpointPatch;
  expectedVersion: number | null | undefined;
}

export interface WebhooksService extends Targets {
  create(context: Context, input: WebhookEndpointInput): Promise<WebhookEndpointWithSecret>;
  get(context: Context, id: string): Promise<WebhookEndpoint>;
  secret(context: Context, id: string): Promise<WebhookSecret>;
  /** A new secret, beside which the earlier ones sign for a time. */
  rotate(context: Context, id: string, rotation: SecretRotation): Promise<RotatedSecret>;
  list(context: Context, query: PageQuery): Promise<WebhookEndpointPage>;
  change(context: Context, id: string, change: EndpointChange): Promise<WebhookEndpoint>;
  /** Its deliveries go with it, the pending ones too. */
  remove(context: Context, id: string, expectedVersion: number | null | undefined): Promise<void>;
  /** Queues a `ping` or a sample for this endpoint alone, whatever it listens to. */
  test(context: Context, id: string, test: WebhookTest): Promise<Delivery>;
  /** The request that would be sent, without sending it. */
  preview(context: Context, id: string, asked: WebhookPreviewInput): Promise<WebhookPreview>;
  deliveries(context: Context, id: string, query: DeliveryQuery): Promise<DeliveryPage>;
}

const BY_ID = cursorScope('webhook_endpoints', ['uuid']);

export function createWebhooksService(deps: WebhooksDeps): WebhooksService {
  const { database, deliveries, secrets } = deps;
  const keyring = createKeyring(secrets);
  const endpoints: Endpoints = { ...deps, keyring };
  const read = ({ tenantId }: Context, id: string): Promise<EndpointRow> =>
    database.read(tenantId, async (executor) => known(await findEndpoint(executor, { tenantId, id })));

  return {
    create: (context, input) => create(endpoints, context, input),
    async get(context, id) {
      const row = await read(context, id);
      return toEndpoint(row, keyring.find(row));
    },
    secret: async (context, id) => toSecret(keyring.get(await read(context, id))),
    rotate: (context, id, rotation) => rotate(endpoints, context, { id, ...rotation }),
    list: ({ tenantId }, query) => list(endpoints, tenantId, query),
    change: (context, id, change) => applyChange(endpoints, context, { id, ...change }),
    remove: (context, id, expectedVersion) => remove(endpoints, context, { id, expectedVersion }),
    test: (context, id, test) => sendTest(endpoints, context, { id, ...test }),
    preview: (context, id, asked) => preview(endpoints, context, { id, ...asked }),
    async deliveries(context, id, query) {
      await read(context, id);
      return deliveries.list(context, id, query);
    },
    async load(executor, { tenantId, endpointIds, now }) {
      const rows = await findTargets(executor, tenantId, endpointIds);
      return new Map(
        rows.map(({ id, secret, retiredSecrets, ...row }) => {
          const keeper = { tenantId, id, secret, retiredSecrets };
          return [id, { ...row, secrets: keyring.valid(keeper, now) }];
        }),
      );
    },
    disable,
  };
}

async function create(
  { database, urlPolicy, keyring }: Endpoints,
  context: Context,
  input: WebhookEndpointInput,
): Promise<WebhookEndpointWithSecret> {
  const { tenantId, now } = context;
  const wanted = fromInput(input, urlPolicy);
  const secret = checkedSecret(input) ?? makeSecret(input.signing ?? 'v1');
  const id = newId();
  const row: EndpointRow = {
    tenantId,
    id,
    ...wanted,
    disabledReason: null,
    disabledAt: null,
    secret: keyring.seal(secret, { tenantId, id }),
    retiredSecrets: [],
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
  return database.write(context, async (tx) => {
    if ((await countEndpointsAlone(tx, tenantId)) >= ENDPOINTS_MAX) {
      throw new ConflictError(
        'too_many_webhook_endpoints',
        `A tenant has at most ${ENDPOINTS_MAX} webhook endpoints.`,
      );
    }
    await insertEndpoint(tx, row);
    return { ...toEndpoint(row, viewOf(secret)), secret };
  });
}

async function list(
  { database, keyring }: Endpoints,
  tenantId: string,
  { limit = PAGE_LIMIT_DEFAULT, cursor }: PageQuery,
): Promise<WebhookEndpointPage> {
  const [afterId] = cursor === undefined ? [] : decodeCursor(BY_ID, {}, cursor);
  const range = { tenantId, afterId, limit: limit + 1 };
  const rows = await database.read(tenantId, (executor) => listEndpoints(executor, range));
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  const nextCursor = last === undefined ? null : encodeCursor(BY_ID, {}, [last.id]);
  return { data: page.map((row) => toEndpoint(row, keyring.find(row))), nextCursor };
}

async function applyChange(
  { database, deliveries, replays, urlPolicy, keyring }: Endpoints,
  context: Context,
  { id, patch, expectedVersion }: EndpointChange & { id: string },
): Promise<WebhookEndpoint> {
  const { tenantId, now } = context;
  const change = fromPatch(patch, urlPolicy);
  const { before, after } = await database.write(context, async (tx) => {
    const row = known(await lockEndpoint(tx, { tenantId, id }));
    expect(row, expectedVersion);
    const changed = change(row);
    if (changed === row) return { before: row, after: row };
    const next = { ...changed, version: row.version + 1, updatedAt: now };
    await updateEndpoint(tx, next);
    // Whatever was learnt of it was learnt of another address, or before it was mended.
    if (next.url !== row.url || (row.status === 'paused' && next.status === 'active')) {
      await forgetHealth(tx, { tenantId, id });
    }
    if (row.status === 'disabled' && next.status !== 'disabled') {
      await revive(tx, context, { row, resendMissed: patch.resendMissed, replays });
    }
    return { before: row, after: next };
  });
  // After the commit: a worker that claims now reads that the endpoint is active.
  if (after.status === 'active' && before.status !== 'active') await deliveries.resume(context, id);
  return toEndpoint(after, keyring.find(after));
}

/** Disabled first, so that what is dropped is what there was, and nothing is queued for it meanwhile. */
async function remove(
  { database, deliveries }: Endpoints,
  context: Context,
  { id, expectedVersion }: { id: string; expectedVersion: number | null | undefined },
): Promise<void> {
  const { tenantId, now } = context;
  // An idempotency key belongs to the deletion itself.
  const { idempotency: _, ...plain } = context;
  await database.write(plain, async (tx) => {
    const row = known(await lockEndpoint(tx, { tenantId, id }));
    expect(row, expectedVersion);
    const disabled = { status: 'disabled' as const, disabledReason: 'It is being deleted.', disabledAt: now };
    await updateEndpoint(tx, { ...row, ...disabled, version: row.version + 1, updatedAt: now });
  });
  await deliveries.drop(context, id);
  await database.write(context, async (tx) => {
    known(await lockEndpoint(tx, { tenantId, id }));
    await deleteEndpoint(tx, { tenantId, id });
  });
}

function expect(row: EndpointRow, version: number | null | undefined): void {
  if (version != null && version !== row.version) throw versionMismatch();
}
