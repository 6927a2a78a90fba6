// Owns the SQL that gives out the slots of rate-limited endpoints, one after the other whoever asks. Does not
// own how far apart they lie or what they are good for (slots.ts).

import type { Transaction } from '../db/executor.js';

export interface SlotRequest {
  endpointId: string;
  count: number;
  eachMs: number;
}

export interface GivenSlots {
  /** Of the first; epoch milliseconds of the database, as is `databaseMs`. */
  firstMs: number;
  databaseMs: number;
}

const CLOCK = 'extract(epoch FROM clock_timestamp())::float8 * 1000';
/** A next slot that lies further ahead tells of a clock that has been set back, and not of that much demand. */
const AHEAD_MAX_MS = 300_000;

/** Undefined where the endpoint is gone. The row's lock makes askers queue for the instant this takes. */
export async function giveSlots(
  tx: Transaction,
  tenantId: string,
  { endpointId, count, eachMs }: SlotRequest,
): Promise<GivenSlots | undefined> {
  const [row] = await tx.lastRows<GivenSlots>({
    name: 'outbox_give_slots',
    text: `INSERT INTO webhook_endpoint_health AS h (tenant_id, endpoint_id, failures, openings, next_slot_ms)
           SELECT $1, id, 0, 0, ${CLOCK} + $3::float8 FROM webhook_endpoints WHERE tenant_id = $1 AND id = $2
           ON CONFLICT (tenant_id, endpoint_id) DO UPDATE
              SET next_slot_ms = $3::float8 +
                  CASE WHEN h.next_slot_ms < ${CLOCK} + ${AHEAD_MAX_MS} THEN greatest(h.next_slot_ms, ${CLOCK})
                       ELSE ${CLOCK} END
           RETURNING h.next_slot_ms - $3::float8 AS "firstMs", ${CLOCK} AS "databaseMs"`,
    values: [tenantId, endpointId, count * eachMs],
  });
  return row;
}
