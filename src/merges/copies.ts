// Owns the copies that a merge keeps of the profiles that it joins. Does not own how they are joined (joining.ts).

import type { ExternalId } from '../customers/kinds.js';
import type { MovedRows } from '../transitions/merging.js';
import type { CustomerSnapshot } from '../transitions/work.js';

export type MovedIdentity = ExternalId;

export interface MovedCounts extends MovedRows {
  identity: number;
}

/** A profile as it was. */
export type ProfileCopy = Omit<
  CustomerSnapshot,
  'profileVersion' | 'createdAt' | 'updatedAt' | 'erasedAt'
> & { createdAt: string };

export function copyOf(snapshot: CustomerSnapshot): ProfileCopy {
  const { profileVersion: _, updatedAt: __, erasedAt: ___, createdAt, ...rest } = snapshot;
  return { ...rest, createdAt: createdAt.toISOString() };
}
