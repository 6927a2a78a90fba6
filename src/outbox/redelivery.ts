// Owns what a person does with one delivery: sending it again, and giving it up. Does not own sending many
// again (replays-service.ts), nor the walk that delivers (deliver.ts).

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import { ConflictError } from '../errors.js';
import { newId } from '../ids.js';
import { findDelivery } from './deliveries-store.js';
import { unknownDelivery } from './errors.js';
import { holdSuccessors } from './order-store.js';
import { discardDelivery, insertAgain, lockResendable, lockStatus } from './requeue-store.js';
import { type Delivery, toDelivery } from './schemas.js';

/** Queues the same event for the same endpoint anew: a delivery of its own, with all its attempts. */
export function resend(database: Database, context: Context, id: string): Promise<Delivery> {
  const { tenantId, now } = context;
  return database.write(context, async (tx) => {
    const before = await lockResendable(tx, tenantId, id);
    if (before === undefined) throw unknownDelivery();
    const { eventId, eventType, endpointId, status, endpointStatus } = before;
    if (status === 'pending') {
      throw new ConflictError('delivery_pending', 'The delivery is not finished: it is being sent as it is.');
    }
    if (endpointStatus !== 'active') {
      throw new ConflictError(
        'endpoint_not_active',
        `The endpoint is ${endpointStatus}: it is sent nothing.`,
      );
    }
    const again = { id: newId(), eventId };
    await insertAgain(tx, tenantId, { endpointId, replayOf: id, now, rows: [again], isFiltered: false });
    tx.announce('deliveries');
    return toDelivery({
      ...{ ...again, eventType, endpointId, status: 'pending', attempts: 0, dueAt: now, isClaimed: false },
      ...{ firstAttemptAt: null, createdAt: now, finishedAt: null, replayOf: id, afterDeadLetter: null },
    });
  });
}

/** Once given up, it stays so: giving it up again changes nothing. */
export function discard(database: Database, context: Context, id: string): Promise<Delivery> {
  const { tenantId, now } = context;
  return database.write(context, async (tx) => {
    // Before the delivery itself, as whoever records an outcome does: the other way round they could wait for
    // each other.
    await holdSuccessors(tx, tenantId, [id]);
    const status = await lockStatus(tx, tenantId, id);
    if (status === 'succeeded') {
      throw new ConflictError(
        'delivery_succeeded',
        'The delivery has succeeded: there is nothing to give up.',
      );
    }
    if (status === 'pending' || status === 'exhausted') {
      await discardDelivery(tx, tenantId, { id, now, wasPending: status === 'pending' });
    }
    const row = await findDelivery(tx, tenantId, id);
    if (row === undefined) throw unknownDelivery();
    tx.announce('deliveries');
    return toDelivery(row);
  });
}
