// Owns reading and rewriting the events of one customer, for who takes the personal data out of them, and what
// receivers answered to them.

import type { Executor, Transaction } from '../db/executor.js';

export interface EventText {
  id: string;
  sequence: number;
  body: string;
}

export interface EventStretch {
  customerId: string;
  /** Of the events that were recorded in between, both included; null for all. */
  recorded: { from: Date; to: Date } | null;
  /** The sequence of the last one that was read. */
  after: number;
  limit: number;
}

/** The next events of a customer, in their order. */
export function eventsOfCustomer(
  executor: Executor,
  tenantId: string,
  { customerId, recorded, after, limit }: EventStretch,
): Promise<(EventText & { isIn: boolean })[]> {
  return executor.rows({
    name: `outbox_events_of_customer:${limit}`,
    text: `SELECT id, sequence, body, recorded_at BETWEEN $4 AND $5 AS "isIn" FROM events
            WHERE tenant_id = $1 AND customer_id = $2 AND sequence > $3
            ORDER BY sequence LIMIT ${limit}`,
    values: [tenantId, customerId, after, recorded?.from ?? '-infinity', recorded?.to ?? 'infinity'],
  });
}

export async function saveBodies(
  tx: Transaction,
  tenantId: string,
  events: readonly EventText[],
): Promise<void> {
  await tx.rows({
    name: 'outbox_save_bodies',
    text: `UPDATE events SET body = ($3::text[])[array_position($2::uuid[], id)]
            WHERE tenant_id = $1 AND id = ANY ($2::uuid[])`,
    values: [tenantId, events.map(({ id }) => id), events.map(({ body }) => body)],
  });
}

/** A receiver may answer with what it was sent. */
export async function forgetAnswers(tx: Transaction, tenantId: string, eventIds: string[]): Promise<void> {
  await tx.rows({
    name: 'outbox_forget_answers',
    text: `UPDATE delivery_attempts SET response_body = NULL
            WHERE tenant_id = $1 AND ctid = ANY (ARRAY(
              SELECT a.place FROM unnest($2::uuid[]) AS e(id)
               CROSS JOIN LATERAL (
                 SELECT id FROM deliveries WHERE tenant_id = $1 AND event_id = e.id OFFSET 0) d
               CROSS JOIN LATERAL (
                 SELECT ctid AS place FROM delivery_attempts
                  WHERE tenant_id = $1 AND delivery_id = d.id AND response_body IS NOT NULL OFFSET 0) a))`,
    values: [tenantId, eventIds],
  });
}
