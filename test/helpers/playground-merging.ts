// The part of the playground in which customers are merged and parted, and what their profiles say is compared with
// their dated values.

import type { Context } from '../../src/context.js';
import type { Database } from '../../src/db/database.js';
import { ConflictError } from '../../src/errors.js';
import type { Services } from '../../src/services.js';

interface World {
  database: Database;
  services: Services;
}

export function mergingOn({ database, services }: World, contextOf: (nowMs: number) => Context) {
  const { tenantId } = contextOf(0);
  return {
    async patch(customer: number, patch: { owner: string; tags: string[] }, nowMs: number): Promise<void> {
      const target = { ref: `ext:c:${customer}`, expected: undefined };
      await services.customers.patch(contextOf(nowMs), target, patch);
    },
    /** False where both are one by now: then the service refuses it. */
    async merge({ customer, from }: { customer: number; from: number }, nowMs: number): Promise<boolean> {
      try {
        const input = { from: `ext:c:${from}` };
        await services.merges.merge(contextOf(nowMs), `ext:c:${customer}`, input);
        return true;
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
        return false;
      }
    },
    /** Of the last merge that can be undone; false where there is none. */
    async undo(customer: number, nowMs: number): Promise<boolean> {
      const { merges } = services;
      const context = contextOf(nowMs);
      const ref = `ext:c:${customer}`;
      const { data } = await merges.list(context, ref, {});
      const last = data.find(({ undoneAt }) => undoneAt === null);
      if (last === undefined || Date.parse(last.undoableUntil) < nowMs) return false;
      await merges.undo(context, { ref, mergeId: last.id }, {});
      return true;
    },
    /** Owner and tags of everybody who stands for themselves, by their profiles. */
    profiles: () =>
      database.read(tenantId, (executor) =>
        executor.rows<{ id: string; owner: string | null; tags: string[] }>({
          text: `SELECT id, owner, tags FROM customers WHERE tenant_id = $1 AND merged_into IS NULL ORDER BY id`,
          values: [tenantId],
        }),
      ),
    /** The same by the last of their dated values. */
    datedProfiles: () =>
      database.read(tenantId, (executor) =>
        executor.rows<{ id: string; owner: string | null; tags: string[] }>({
          text: `WITH last AS (
                   SELECT DISTINCT ON (customer_id, field) customer_id, field, value FROM customer_attribute_facts
                    WHERE tenant_id = $1 ORDER BY customer_id, field, effective_at DESC, id DESC)
                 SELECT c.id, (SELECT value #>> '{}' FROM last WHERE customer_id = c.id AND field = 'owner') AS owner,
                        ARRAY(SELECT substr(field, 5) FROM last
                               WHERE customer_id = c.id AND field LIKE 'tag:%' AND value = 'true'::jsonb
                               ORDER BY substr(field, 5) COLLATE "C") AS tags
                   FROM customers c WHERE tenant_id = $1 AND merged_into IS NULL ORDER BY c.id`,
          values: [tenantId],
        }),
      ),
  };
}
