// Owns how a touchpoint reads outside of this service, in an answer of the API and in an event. Pure.

import type { Satisfaction, Touchpoint } from './schemas.js';
import type { TouchpointRow } from './store.js';

export function toApiTouchpoint(row: TouchpointRow): Touchpoint {
  const { namespace, externalId } = row;
  return {
    id: row.id,
    customerId: row.customerId,
    channel: row.channel,
    direction: row.direction,
    kind: row.kind,
    outcome: row.outcome,
    actor: row.actor,
    note: row.note,
    satisfaction: satisfactionOf(row),
    occurredAt: row.occurredAt.toISOString(),
    externalId: namespace === null || externalId === null ? null : { namespace, id: externalId },
    version: 1,
    createdAt: row.createdAt.toISOString(),
  };
}

/** Its two columns as one value. */
export function satisfactionOf({ satisfactionScale, satisfactionScore }: TouchpointRow): Satisfaction | null {
  if (satisfactionScale === null || satisfactionScore === null) return null;
  return { scale: satisfactionScale, score: satisfactionScore };
}
