// Owns the events that an endpoint is tried out with: a `ping`, the example of any type, or one that has
// happened. Does not own the examples (examples.ts).

import type { Context } from '../context.js';
import type { Executor, Transaction } from '../db/executor.js';
import { NotFoundError } from '../errors.js';
import type { DeliveriesService } from './deliveries-service.js';
import { type DraftEvent, prepareEvents } from './events.js';
import { EXAMPLE_DATA } from './examples.js';
import { findBody } from './feed-store.js';
import { keepOutOfFeed } from './samples-store.js';
import type { Delivery } from './schemas.js';
import type { EventName } from './topics.js';

export interface SampleOf {
  endpointId: string;
  type: EventName;
}

export interface EventText {
  id: string;
  type: string;
  body: string;
}

/** A sample as it would be sent. */
export function preparedSample(context: Pick<Context, 'now'>, sample: SampleOf): EventText {
  const draft = sampleOf(sample, context.now);
  const [event] = prepareEvents(context, [{ draft, customerId: null, sequence: null, deliver: false }]);
  if (event === undefined) throw new Error('one draft makes one event');
  return event;
}

/** One that has happened, as it was told. */
export async function toldEvent(executor: Executor, tenantId: string, id: string): Promise<EventText> {
  const body = await findBody(executor, tenantId, id);
  if (body === undefined) throw new NotFoundError('event_not_found', 'There is no such event.');
  const { type } = JSON.parse(body) as { type: string };
  return { id, type, body };
}

/** Queues a sample for an endpoint alone, whatever it listens to. */
export async function tellSample(
  deliveries: Pick<DeliveriesService, 'tellOne'>,
  tx: Transaction,
  context: Context,
  sample: SampleOf,
): Promise<Delivery> {
  const draft = sampleOf(sample, context.now);
  const delivery = await deliveries.tellOne(tx, context, { endpointId: sample.endpointId, draft });
  if (draft.test === true) await keepOutOfFeed(tx, context.tenantId, delivery.eventId);
  return delivery;
}

/** A `ping` is what it says; all others say, in the text that is signed, that nothing has happened. */
function sampleOf({ endpointId, type }: SampleOf, now: Date): DraftEvent & { type: EventName } {
  if (type === 'ping') return { type, occurredAt: now, data: { endpointId } };
  const { data, previous } = EXAMPLE_DATA[type];
  return { type, occurredAt: now, data, test: true, ...(previous === undefined ? {} : { previous }) };
}
