// Owns counting and listing what was told of one customer, and to whom, for who hands it over.

import type { Executor } from '../db/executor.js';

export interface HeldDelivery {
  id: string;
  eventId: string;
  endpointId: string;
  status: string;
  attempts: number;
  createdAt: Date;
  firstAttemptAt: Date | null;
  finishedAt: Date | null;
}

/** Where these events were sent, or are to be. */
export function deliveriesOf(
  executor: Executor,
  tenantId: string,
  eventIds: string[],
): Promise<HeldDelivery[]> {
  return executor.rows({
    name: 'outbox_held_deliveries',
    text: `SELECT d.id, d.event_id AS "eventId", d.endpoint_id AS "endpointId", d.status, d.attempts,
                  d.created_at AS "createdAt", d.first_attempt_at AS "firstAttemptAt",
                  d.finished_at AS "finishedAt"
             FROM unnest($2::uuid[]) AS e(id)
            CROSS JOIN LATERAL (
              SELECT * FROM deliveries WHERE tenant_id = $1 AND event_id = e.id OFFSET 0) d
            ORDER BY d.event_id, d.endpoint_id, d.id`,
    values: [tenantId, eventIds],
  });
}

export interface ToldCounts {
  events: number;
  deliveries: number;
}

export async function countTold(executor: Executor, tenantId: string, ids: string[]): Promise<ToldCounts> {
  const [counts] = await executor.rows<ToldCounts>({
    name: 'outbox_count_told',
    text: `SELECT count(*)::int AS events, coalesce(sum(d.count), 0)::int AS deliveries
             FROM unnest($2::uuid[]) AS c(id)
            CROSS JOIN LATERAL (
              SELECT id FROM events WHERE tenant_id = $1 AND customer_id = c.id ORDER BY sequence OFFSET 0) e
            CROSS JOIN LATERAL (
              SELECT count(*) AS count FROM (
                SELECT 1 FROM deliveries WHERE tenant_id = $1 AND event_id = e.id OFFSET 0) f) d`,
    values: [tenantId, ids],
  });
  return counts ?? { events: 0, deliveries: 0 };
}
