// Owns where a contradiction lies: the part of a condition that can never hold, and the one beside it that
// keeps it from holding. Does not own how that is seen (implication.ts), nor what is said of it (validation.ts).

import type { Effort } from './claims.js';
import { type Placed, partsAt } from './conditions.js';
import { excludeEachOther, neverHolds } from './implication.js';

export interface Contradiction {
  /** The part that cannot hold. */
  pointer: string;
  /** The others that keep it from holding, none of them needlessly; empty where it does so by itself. */
  beside: readonly string[];
}

/** The innermost contradiction that keeps a condition from ever holding; undefined where none is seen. */
export function contradictionIn({ part, pointer }: Placed, effort: Effort): Contradiction | undefined {
  if (!neverHolds(part, effort)) return undefined;
  if (part.type !== 'all') return { pointer, beside: [] };
  const together = conjuncts({ part, pointer });
  for (const [i, later] of together.entries()) {
    const found = contradictionIn(later, effort) ?? contradictionWith(later, together.slice(0, i), effort);
    if (found !== undefined) return found;
  }
  return { pointer, beside: [] };
}

/** A branch of an `any` that can never hold, and why. */
export interface DeadBranch {
  pointer: string;
  because: Contradiction;
}

/**
 * Of every `any`: by themselves, or beside what is `around` it. Where one part of an `all` does not hold, nothing
 * depends on the others, denied or not: so what is around is all that stands beside on the way down to there.
 */
export function deadBranchesOf(
  { part, pointer }: Placed,
  effort: Effort,
  around: readonly Placed[] = [],
): DeadBranch[] {
  const parts = partsAt({ part, pointer });
  if (part.type === 'any') {
    return parts.flatMap((branch) => {
      const because = contradictionIn(branch, effort) ?? contradictionWith(branch, around, effort);
      if (because === undefined) return deadBranchesOf(branch, effort, around);
      return [{ pointer: branch.pointer, because }];
    });
  }
  return parts.flatMap((one) => {
    return deadBranchesOf(one, effort, [...around, ...parts.filter((other) => other !== one)]);
  });
}

function contradictionWith(
  { part, pointer }: Placed,
  others: readonly Placed[],
  effort: Effort,
): Contradiction | undefined {
  const beside = fewestOf(others, (some) => {
    return excludeEachOther([part, ...some.map((other) => other.part)], effort);
  });
  return beside.length === 0 ? undefined : { pointer, beside: beside.map((other) => other.pointer) };
}

/**
 * Some that suffice, of which none is needless, where more of them suffice whenever fewer do: one where one
 * does; none where all of them do not.
 */
export function fewestOf<T>(all: readonly T[], suffice: (some: readonly T[]) => boolean): readonly T[] {
  if (all.length === 0 || !suffice(all)) return [];
  const one = all.find((item) => suffice([item]));
  if (one !== undefined) return [one];
  return all.reduce((kept, item) => {
    const fewer = kept.filter((other) => other !== item);
    return suffice(fewer) ? fewer : kept;
  }, all);
}

/** All that has to hold for a condition to hold, through every `all` within `all`. */
function conjuncts(placed: Placed): Placed[] {
  return placed.part.type === 'all' ? partsAt(placed).flatMap(conjuncts) : [placed];
}
