// What the tables hold of one customer, for tests to look at behind the API.

import type { TestService } from '../helpers/service.js';

export interface StoredEvent {
  type: string;
  sequence: number;
  deliver: boolean;
  data: Record<string, unknown>;
  previous?: Record<string, unknown>;
}

/** In the order of their sequence. */
export function eventsOf({ database, tenant }: TestService, customerId: string): Promise<StoredEvent[]> {
  return database.read(tenant.id, async (executor) => {
    const rows = await executor.rows<{ type: string; sequence: number; deliver: boolean; body: string }>({
      text: `SELECT type, sequence, deliver, body FROM events
              WHERE tenant_id = $1 AND customer_id = $2 ORDER BY sequence`,
      values: [tenant.id, customerId],
    });
    return rows.map(({ body, ...row }) => ({ ...row, ...JSON.parse(body) }));
  });
}

/** By time, then by field. */
export function factsOf({ database, tenant }: TestService, customerId: string) {
  return database.read(tenant.id, async (executor) => {
    const rows = await executor.rows<{ field: string; value: unknown; at: Date }>({
      text: `SELECT field, value, effective_at AS at FROM customer_attribute_facts
              WHERE tenant_id = $1 AND customer_id = $2 ORDER BY effective_at, field COLLATE "C"`,
      values: [tenant.id, customerId],
    });
    return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
  });
}
