// Owns the wait until a service has nothing left to do: nothing due, nothing to be numbered, nothing on its way.

import { setTimeout as pause } from 'node:timers/promises';
import type { Sql } from './audit.js';

const LOOK_EVERY_MS = 50;
const PATIENCE_MS = 60_000;
/** A partner's library refuses signatures from more than five minutes ahead: four jumps stay within that. */
const JUMPS_MAX = 4;
const JUMP_EVERY_MS = 5_000;

const LEFT = `
  SELECT (SELECT count(*)::int FROM customer_lifecycles WHERE due_at IS NOT NULL) AS customers,
         (SELECT count(*)::int FROM recomputations WHERE finished_at IS NULL) AS walks,
         (SELECT count(*)::int FROM events WHERE position IS NULL) AS unnumbered,
         (SELECT count(*)::int FROM deliveries WHERE due_at IS NOT NULL) AS deliveries`;

/** What would have to be known of each. */
const WAITING = `
  (SELECT 'customer' AS what, to_json(l) AS row FROM customer_lifecycles l WHERE due_at IS NOT NULL LIMIT 2)
  UNION ALL
  (SELECT 'walk', to_json(r) FROM recomputations r WHERE finished_at IS NULL LIMIT 2)
  UNION ALL
  (SELECT 'delivery', to_json(d) FROM deliveries d WHERE due_at IS NOT NULL LIMIT 2)`;

/**
 * `jump` makes the service's clocks jump over the leases of whoever was killed; it is called at once, and again
 * where something is left. So many customers may have something due later. Throws, saying what that is, when the service does not come to rest.
 */
export async function untilSettled(
  sql: Sql,
  jump: () => void,
  { customers = 0 }: { customers?: number } = {},
): Promise<void> {
  const begun = performance.now();
  const deadline = begun + PATIENCE_MS;
  for (let jumps = 0; ; ) {
    if (jumps < JUMPS_MAX && performance.now() >= begun + jumps * JUMP_EVERY_MS) {
      jump();
      jumps += 1;
    }
    const [left] = await sql<Record<string, number>>(LEFT);
    const wanted: Record<string, number> = { customers };
    if (left === undefined || Object.entries(left).every(([what, count]) => count === (wanted[what] ?? 0)))
      return;
    if (performance.now() > deadline) {
      const waiting = await sql(WAITING);
      throw new Error(`the service does not come to rest: ${JSON.stringify({ left, waiting })}`);
    }
    await pause(LOOK_EVERY_MS);
  }
}
