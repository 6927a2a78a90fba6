// Owns the wait until a service has nothing left to do: nothing due, nothing to be numbered, nothing on its way.

import { setTimeout as pause } from 'node:timers/promises';
import type { Sql } from './audit.js';

const LOOK_EVERY_MS = 50;
const PATIENCE_MS = 30_000;

const LEFT = `
  SELECT (SELECT count(*)::int FROM customer_lifecycles WHERE due_at IS NOT NULL) AS customers,
         (SELECT count(*)::int FROM recomputations WHERE finished_at IS NULL) AS walks,
         (SELECT count(*)::int FROM events WHERE position IS NULL) AS unnumbered,
         (SELECT count(*)::int FROM deliveries WHERE due_at IS NOT NULL) AS deliveries`;

const WAITING = `
  SELECT due_at, review_at, next_fact_at, failures, stage, stage_since, state, outlook FROM customer_lifecycles
   WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1`;

/** Throws, saying what is left, when it does not come to rest. */
export async function untilSettled(sql: Sql): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const [left] = await sql<Record<string, number>>(LEFT);
    if (left === undefined || Object.values(left).every((count) => count === 0)) return;
    if (performance.now() > deadline) {
      const [waiting] = await sql(WAITING);
      throw new Error(`the service does not come to rest: ${JSON.stringify({ ...left, ...waiting })}`);
    }
    await pause(LOOK_EVERY_MS);
  }
}
