// Owns what people do with deliveries: looking at them and their attempts, and what the module of the
// endpoints needs of the queue. Does not own the walk that delivers them (deliver.ts).

import { cursorScope, decodeCursor, encodeCursor } from '../api/cursor.js';
import { PAGE_LIMIT_DEFAULT } from '../api/shapes.js';
import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Transaction } from '../db/executor.js';
import { newId } from '../ids.js';
import {
  type DeliveryFilter,
  dropDeliveries,
  findDelivery,
  insertEventTo,
  listAttempts,
  listDeliveries,
  pullForward,
} from './deliveries-store.js';
import { unknownDelivery } from './errors.js';
import { type DraftEvent, prepareEvents } from './events.js';
import { discard, resend } from './redelivery.js';
import {
  type Delivery,
  type DeliveryPage,
  type DeliveryWithAttempts,
  toAttempt,
  toDelivery,
} from './schemas.js';
import type { EventName } from './topics.js';

/** Times are RFC 3339 texts, as they were asked for. */
export interface DeliveryQuery {
  status?: Delivery['status'];
  eventType?: EventName;
  createdFrom?: string;
  createdTo?: string;
  limit?: number;
  cursor?: string;
}

export interface OneEvent {
  endpointId: string;
  draft: DraftEvent & { type: EventName };
}

export interface DeliveriesService {
  get(context: Context, id: string): Promise<DeliveryWithAttempts>;
  /** Of an endpoint that the caller has found to exist; newest first. */
  list(context: Context, endpointId: string, query: DeliveryQuery): Promise<DeliveryPage>;
  /** Of all the tenant's endpoints, or of one that need not exist; newest first. */
  search(context: Context, query: DeliveryQuery & { endpointId?: string }): Promise<DeliveryPage>;
  /** A finished one, once more: a new delivery of the same event. */
  resend(context: Context, id: string): Promise<Delivery>;
  /** One that has not succeeded, for good. */
  discard(context: Context, id: string): Promise<Delivery>;
  /** Writes an event that concerns no customer and goes to one endpoint only. */
  tellOne(tx: Transaction, context: Context, to: OneEvent): Promise<Delivery>;
  /** An endpoint takes deliveries again: those that waited for it are due now. */
  resume(context: Context, endpointId: string): Promise<void>;
  /** Before an endpoint is deleted: its deliveries go in batches, so that no transaction grows with their number. */
  drop(context: Context, endpointId: string): Promise<void>;
}

const BY_CREATION = cursorScope('deliveries', ['time', 'uuid']);
const BATCH_SIZE = 5_000;

export function createDeliveriesService({ database }: { database: Database }): DeliveriesService {
  return {
    async get({ tenantId }, id) {
      const [row, attempts] = await database.read(tenantId, (executor) =>
        Promise.all([findDelivery(executor, tenantId, id), listAttempts(executor, tenantId, id)]),
      );
      if (row === undefined) throw unknownDelivery();
      return { ...toDelivery(row), attempts: attempts.map(toAttempt) };
    },
    list: ({ tenantId }, endpointId, query) => list(database, tenantId, { ...query, endpointId }),
    search: ({ tenantId }, query) => list(database, tenantId, query),
    resend: (context, id) => resend(database, context, id),
    discard: (context, id) => discard(database, context, id),
    async tellOne(tx, context, { endpointId, draft }) {
      const [event] = prepareEvents(context, [{ draft, customerId: null, sequence: null, deliver: true }]);
      if (event === undefined) throw new Error('one draft makes one event');
      const deliveryId = newId();
      await insertEventTo(tx, context.tenantId, { event, deliveryId, endpointId });
      tx.announce('deliveries');
      return toDelivery({
        id: deliveryId,
        eventId: event.id,
        eventType: draft.type,
        endpointId,
        status: 'pending',
        attempts: 0,
        dueAt: context.now,
        isClaimed: false,
        firstAttemptAt: null,
        createdAt: context.now,
        finishedAt: null,
        replayOf: null,
        afterDeadLetter: null,
      });
    },
    resume: (context, endpointId) =>
      inBatches(database, context, (tx) => {
        tx.announce('deliveries');
        return pullForward(tx, context.tenantId, { endpointId, now: context.now, limit: BATCH_SIZE });
      }),
    drop: (context, endpointId) =>
      inBatches(database, context, (tx) =>
        dropDeliveries(tx, context.tenantId, { endpointId, limit: BATCH_SIZE }),
      ),
  };
}

/** A transaction a batch, none of which holds an idempotency key: that belongs to the work that comes with it. */
async function inBatches(
  database: Database,
  context: Context,
  batch: (tx: Transaction) => Promise<number>,
): Promise<void> {
  const { idempotency: _, ...plain } = context;
  while ((await database.write(plain, batch)) === BATCH_SIZE) {
    // Until a batch is not full.
  }
}

async function list(
  database: Database,
  tenantId: string,
  { limit = PAGE_LIMIT_DEFAULT, cursor, ...asked }: DeliveryQuery & { endpointId?: string },
): Promise<DeliveryPage> {
  const { createdFrom, createdTo, ...plain } = asked;
  const filter: DeliveryFilter = {
    ...plain,
    ...(createdFrom === undefined ? {} : { createdFrom: new Date(createdFrom) }),
    ...(createdTo === undefined ? {} : { createdTo: new Date(createdTo) }),
  };
  const sealed = { ...filter };
  const before = cursor === undefined ? null : decodeCursor(BY_CREATION, sealed, cursor);
  const range = { filter, before, limit: limit + 1 };
  const rows = await database.read(tenantId, (executor) => listDeliveries(executor, tenantId, range));
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  const nextCursor =
    last === undefined ? null : encodeCursor(BY_CREATION, sealed, [last.createdAt.toISOString(), last.id]);
  return { data: page.map(toDelivery), nextCursor };
}
