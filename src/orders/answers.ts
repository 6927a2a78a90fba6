// Owns what the API answers of an order that was saved, alone or in a batch. Does not own the shape of an order
// (schemas.ts).

import { toApiOrder } from './schemas.js';
import type { Recorded } from './service.js';

export type Saved = Recorded | Error | undefined;

export function recorded(saved: Saved): Recorded {
  if (saved === undefined) throw new Error('one order in, one result out');
  if (saved instanceof Error) throw saved;
  return saved;
}

export function answerOf({ order, outcome }: Recorded) {
  return { status: statusOf(outcome), body: toApiOrder(order) };
}

/** As the result of a batch has it. */
export function resultOf(saved: Saved) {
  const { order, outcome } = recorded(saved);
  const { id, customerId, version } = order;
  return { status: statusOf(outcome), data: { id, customerId, version } };
}

function statusOf(outcome: Recorded['outcome']): number {
  return outcome === 'created' ? 201 : 200;
}
