// Owns the SQL of the endpoints' health, which all processes share. It is written only where a failure is
// recorded or a probe is taken; the reset by a success travels with the outcomes (settle-store.ts). Does not own
// what the figures mean (health.ts) nor the slots of the rate limit beside them (pace-store.ts).

import type { Transaction } from '../db/executor.js';
import type { Health } from './health.js';

/**
 * Holds the endpoints' health until the transaction ends, in the order of their ids, so that two sets of
 * outcomes never wait for each other. An endpoint that was deleted is left out.
 */
export async function lockHealth(
  tx: Transaction,
  tenantId: string,
  endpointIds: readonly string[],
): Promise<Map<string, Health>> {
  const values = [tenantId, endpointIds];
  const [, rows] = await Promise.all([
    tx.rows({
      name: 'outbox_health_open',
      text: `INSERT INTO webhook_endpoint_health (tenant_id, endpoint_id, failures, openings)
             SELECT $1, id, 0, 0 FROM webhook_endpoints
              WHERE tenant_id = $1 AND id = ANY($2::uuid[]) ORDER BY id
             ON CONFLICT DO NOTHING`,
      values,
    }),
    tx.rows<Health & { endpointId: string }>({
      name: 'outbox_health_lock',
      text: `SELECT endpoint_id AS "endpointId", failures, failing_since AS "failingSince", openings,
                    open_until AS "openUntil"
               FROM webhook_endpoint_health
              WHERE tenant_id = $1 AND endpoint_id = ANY($2::uuid[]) ORDER BY endpoint_id FOR NO KEY UPDATE`,
      values,
    }),
  ]);
  return new Map(rows.map(({ endpointId, ...health }) => [endpointId, health]));
}

/** Of rows that are held. */
export async function saveHealth(
  tx: Transaction,
  tenantId: string,
  changed: ReadonlyMap<string, Health>,
): Promise<void> {
  const rows = [...changed].map(([id, health]) => ({ id, ...health }));
  await tx.rows({
    name: 'outbox_health_save',
    text: `UPDATE webhook_endpoint_health h
              SET failures = r.failures, failing_since = r."failingSince", openings = r.openings,
                  open_until = r."openUntil"
             FROM json_to_recordset($2::json) AS r(
               id uuid, failures int, "failingSince" timestamptz, openings int, "openUntil" timestamptz)
            WHERE h.tenant_id = $1 AND h.endpoint_id = r.id`,
    values: [tenantId, JSON.stringify(rows)],
  });
}

export interface ProbeSeeker {
  endpointId: string;
  /** As it was read: who finds it changed has come too late. */
  openUntil: Date;
}

/** Takes the probes that nobody else has taken, each until `until`, and answers whose they are. */
export async function takeProbes(
  tx: Transaction,
  tenantId: string,
  { seekers, until }: { seekers: readonly ProbeSeeker[]; until: Date },
): Promise<ReadonlySet<string>> {
  const rows = await tx.lastRows<{ endpointId: string }>({
    name: 'outbox_probe',
    text: `UPDATE webhook_endpoint_health h SET open_until = $3
             FROM json_to_recordset($2::json) AS r("endpointId" uuid, "openUntil" timestamptz)
            WHERE h.tenant_id = $1 AND h.endpoint_id = r."endpointId" AND h.open_until = r."openUntil"
        RETURNING h.endpoint_id AS "endpointId"`,
    values: [tenantId, JSON.stringify(seekers), until],
  });
  return new Set(rows.map(({ endpointId }) => endpointId));
}
