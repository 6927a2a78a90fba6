// Owns the use cases of webhook endpoints: making, showing, changing, deleting, trying one out; and what the
// delivery walk needs to know of them. Does not own the deliveries (outbox/) or the network (transport.ts).

import { randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { cursorScope, decodeCursor, encodeCursor } from '../api/cursor.js';
import { versionMismatch } from '../api/etag.js';
import { PAGE_LIMIT_DEFAULT } from '../api/shapes.js';
import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Transaction } from '../db/executor.js';
import { ConflictError, NotFoundError, PerennialError } from '../errors.js';
import type { Targets } from '../outbox/claim.js';
import type { DeliveriesService, DeliveryQuery } from '../outbox/deliveries-service.js';
import type { Delivery, DeliveryPage } from '../outbox/schemas.js';
import type { UrlPolicy } from './addresses.js';
import { checkedSecret, checkedUrl, fromPatch } from './draft.js';
import {
  ENDPOINTS_MAX,
  EVENT_TYPES_DEFAULT,
  toEndpoint,
  type WebhookEndpoint,
  type WebhookEndpointInput,
  type WebhookEndpointPage,
  type WebhookEndpointPatch,
  type WebhookEndpointWithSecret,
} from './schemas.js';
import type { SecretBox } from './secrets.js';
import { newSecret } from './sign.js';
import {
  countEndpointsAlone,
  deleteEndpoint,
  disableEndpoints,
  type EndpointRow,
  findEndpoint,
  findTargets,
  insertEndpoint,
  listEndpoints,
  lockEndpoint,
  updateEndpoint,
} from './store.js';

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
  secret(context: Context, id: string): Promise<string>;
  list(context: Context, query: PageQuery): Promise<WebhookEndpointPage>;
  change(context: Context, id: string, change: EndpointChange): Promise<WebhookEndpoint>;
  /** Its deliveries go with it, the pending ones too. */
  remove(context: Context, id: string, expectedVersion: number | null | undefined): Promise<void>;
  /** Queues a `ping` for this endpoint alone, whatever it listens to. */
  ping(context: Context, id: string): Promise<Delivery>;
  deliveries(context: Context, id: string, query: DeliveryQuery): Promise<DeliveryPage>;
}

export interface WebhooksDeps {
  database: Database;
  deliveries: DeliveriesService;
  urlPolicy: UrlPolicy;
  secrets: SecretBox;
}

const BY_ID = cursorScope('webhook_endpoints', ['uuid']);
const SECRET_BYTES = 32;
const GONE = 'The receiver answered 410 Gone.';

export function createWebhooksService(deps: WebhooksDeps): WebhooksService {
  const { database, deliveries, secrets } = deps;
  const read = ({ tenantId }: Context, id: string): Promise<EndpointRow> =>
    database.read(tenantId, async (executor) => known(await findEndpoint(executor, { tenantId, id })));

  return {
    create: (context, input) => create(deps, context, input),
    get: async (context, id) => toEndpoint(await read(context, id)),
    async secret(context, id) {
      const row = await read(context, id);
      const secret = secrets.open(row.secret, ownerOf(row));
      if (secret !== null) return secret;
      throw new PerennialError(
        'conflict',
        'secret_unreadable',
        'The secret was kept with a key that is not in use any more.',
      );
    },
    list: ({ tenantId }, query) => list(database, tenantId, query),
    change: (context, id, change) => applyChange(deps, context, { id, ...change }),
    async remove(context, id, expectedVersion) {
      const { tenantId } = context;
      const row = await read(context, id);
      expect(row, expectedVersion);
      await deliveries.drop(context, id);
      await database.write(context, async (tx) => {
        expect(known(await lockEndpoint(tx, { tenantId, id })), expectedVersion);
        await deleteEndpoint(tx, { tenantId, id });
      });
    },
    ping: (context, id) =>
      database.write(context, async (tx) => {
        const row = known(await lockEndpoint(tx, { tenantId: context.tenantId, id }));
        if (row.status !== 'active') {
          throw new ConflictError(
            'endpoint_not_active',
            `The endpoint is ${row.status}: it is sent nothing.`,
          );
        }
        const draft = { type: 'ping' as const, occurredAt: context.now, data: { endpointId: id } };
        return deliveries.tellOne(tx, context, { endpointId: id, draft });
      }),
    async deliveries(context, id, query) {
      await read(context, id);
      return deliveries.list(context, id, query);
    },
    async load(executor, tenantId, ids) {
      const rows = await findTargets(executor, tenantId, ids);
      return new Map(
        rows.map(({ id, secret, ...row }) => {
          const opened = secrets.open(secret, ownerOf({ tenantId, id }));
          return [id, { ...row, secrets: opened === null ? [] : [opened] }];
        }),
      );
    },
    disable: (tx, { tenantId, now }, ids) => disableEndpoints(tx, tenantId, { ids, reason: GONE, now }),
  };
}

async function create(
  { database, urlPolicy, secrets }: WebhooksDeps,
  context: Context,
  input: WebhookEndpointInput,
): Promise<WebhookEndpointWithSecret> {
  const { tenantId, now } = context;
  const url = checkedUrl(input.url, urlPolicy);
  const secret = checkedSecret(input.secret) ?? newSecret(randomBytes(SECRET_BYTES));
  const id = uuidv7();
  const row: EndpointRow = {
    tenantId,
    id,
    url,
    description: input.description ?? null,
    eventTypes: [...(input.eventTypes ?? EVENT_TYPES_DEFAULT)],
    status: input.status ?? 'active',
    disabledReason: null,
    disabledAt: null,
    secret: secrets.seal(secret, ownerOf({ tenantId, id })),
    retiredSecrets: [],
    filter: null,
    filterPath: null,
    ordering: 'none',
    rateLimitPerS: null,
    headers: {},
    metadata: {},
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
    return { ...toEndpoint(row), secret };
  });
}

async function list(
  database: Database,
  tenantId: string,
  { limit = PAGE_LIMIT_DEFAULT, cursor }: PageQuery,
): Promise<WebhookEndpointPage> {
  const [afterId] = cursor === undefined ? [] : decodeCursor(BY_ID, {}, cursor);
  const range = { tenantId, afterId, limit: limit + 1 };
  const rows = await database.read(tenantId, (executor) => listEndpoints(executor, range));
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  const nextCursor = last === undefined ? null : encodeCursor(BY_ID, {}, [last.id]);
  return { data: page.map(toEndpoint), nextCursor };
}

async function applyChange(
  { database, deliveries, urlPolicy }: WebhooksDeps,
  context: Context,
  { id, patch, expectedVersion }: EndpointChange & { id: string },
): Promise<WebhookEndpoint> {
  const { tenantId, now } = context;
  const change = fromPatch(patch, urlPolicy);
  const { before, after } = await database.write(context, async (tx: Transaction) => {
    const row = known(await lockEndpoint(tx, { tenantId, id }));
    expect(row, expectedVersion);
    const changed = change(row);
    if (changed === row) return { before: row, after: row };
    const next = { ...changed, version: row.version + 1, updatedAt: now };
    await updateEndpoint(tx, next);
    return { before: row, after: next };
  });
  // After the commit: a worker that claims now reads that the endpoint is active.
  if (after.status === 'active' && before.status !== 'active') await deliveries.resume(context, id);
  return toEndpoint(after);
}

function expect(row: EndpointRow, version: number | null | undefined): void {
  if (version != null && version !== row.version) throw versionMismatch();
}

function known(row: EndpointRow | undefined): EndpointRow {
  if (row === undefined)
    throw new NotFoundError('webhook_endpoint_not_found', 'There is no such webhook endpoint.');
  return row;
}

function ownerOf({ tenantId, id }: { tenantId: string; id: string }): string {
  return `${tenantId}/${id}`;
}
