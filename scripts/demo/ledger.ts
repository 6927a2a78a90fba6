// Owns what is counted from the ledger: how many customers stand in which stage on which day, and how many
// moved from where to where. Does not own where its rows come from (the API).

import { LIFECYCLE_TEMPLATES } from '../../src/lifecycle/templates.js';

/** A row of the ledger in force, as far as the counting needs it. */
export interface Move {
  from: string | null;
  to: string;
  /** RFC 3339. */
  effectiveAt: string;
}

export type StageCounts = Record<string, number>;

export const STAGES = LIFECYCLE_TEMPLATES.ecommerce.stages;

export function noStages(): StageCounts {
  return Object.fromEntries(STAGES.map(({ key }) => [key, 0]));
}

/** The counts after these moves, whatever their order. */
export function afterMoves(before: StageCounts, moves: readonly Move[]): StageCounts {
  const counts = { ...before };
  for (const { from, to } of moves) {
    if (from !== null) counts[from] = (counts[from] ?? 0) - 1;
    counts[to] = (counts[to] ?? 0) + 1;
  }
  return counts;
}

/** `null→new` for a customer's first row. */
export function countMoves(moves: readonly Move[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { from, to } of moves) {
    const name = `${from}→${to}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
}
