// Owns writing a profile that came about otherwise than by a request for it: joined of two, given back, or made
// anonymous. Does not own what such a profile holds (merges/, privacy/) nor the rows (store.ts).

import type { Transaction } from '../db/executor.js';
import { newId } from '../ids.js';
import type { ProfileChangeFact } from '../lifecycle/facts.js';
import type { CustomerSnapshot, LockedCustomer } from '../transitions/work.js';
import { factsBetween } from './profile.js';
import { deleteTags, writeProfiles } from './store.js';
import { tagOfField } from './tags.js';

export interface DatedValue {
  field: string;
  value: unknown;
}

export interface Rewrite {
  /** Its snapshot is the profile as it is to be. */
  customer: LockedCustomer;
  /** The e-mail, phone and external ids that the tables have of the customer. */
  identities: Pick<CustomerSnapshot, 'email' | 'phone' | 'externalIds'>;
  /** The dated values that it takes on: `datedChanges` tells them. */
  facts: ProfileChangeFact[];
}

/** Writes the rows, identities, tags and dated values of profiles. Advances nobody: the caller does. */
export async function rewriteProfiles(
  tx: Transaction,
  tenantId: string,
  rewrites: readonly Rewrite[],
  now: Date,
): Promise<void> {
  const entries = rewrites.map(({ customer, identities, facts }) => {
    // Tags are kept by the time of creation, which may be another now: all are written anew.
    return { customer, before: { ...customer.snapshot, ...identities, tags: [] }, facts };
  });
  await Promise.all([
    deleteTags(
      tx,
      tenantId,
      rewrites.map(({ customer }) => customer.snapshot.id),
    ),
    writeProfiles(tx, tenantId, entries, now),
  ]);
}

/** The dated values that a profile takes on where the last ones that the tables have say otherwise. */
export function datedChanges(
  profile: CustomerSnapshot,
  dated: readonly DatedValue[],
  now: Date,
): ProfileChangeFact[] {
  const facts = factsBetween(asDated(profile, dated), profile);
  return facts.map(({ field, value }) => ({ id: newId(), at: now.getTime(), field, value }));
}

/** The profile as its dated values alone tell it. */
function asDated(snapshot: CustomerSnapshot, values: readonly DatedValue[]): CustomerSnapshot {
  const told = { ...snapshot, country: null, channel: null, owner: null, tags: [] as string[] };
  const attributes = new Map<string, unknown>();
  for (const { field, value } of values) {
    const tag = tagOfField(field);
    if (tag !== undefined) {
      if (value === true) told.tags.push(tag);
    } else if (field.startsWith(ATTRIBUTES)) {
      if (value !== null) attributes.set(field.slice(ATTRIBUTES.length), value);
    } else Object.assign(told, { [field]: value });
  }
  told.tags.sort();
  // A key that holds null leaves the same fact behind as one that was removed.
  for (const [key, value] of Object.entries(snapshot.attributes))
    if (value === null && !attributes.has(key)) attributes.set(key, null);
  return { ...told, attributes: Object.fromEntries(attributes) };
}

const ATTRIBUTES = 'attributes.';
