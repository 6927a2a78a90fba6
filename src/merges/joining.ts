// Owns what becomes of two profiles that are joined, and of one that is to be without what came from another.
// Pure. Does not own the facts (transitions/merging.ts) nor the rows (customers/).

import { EXTERNAL_IDS_MAX, identityKey, withIdentities } from '../customers/identities.js';
import { FIELDS } from '../customers/profile.js';
import { ATTRIBUTES_MAX } from '../customers/schemas.js';
import { TAGS_MAX, withTags } from '../customers/tags.js';
import { ConflictError, type Fault } from '../errors.js';
import type { CustomerSnapshot } from '../transitions/work.js';
import type { ProfileCopy } from './copies.js';

/** A field that both have, with different values: the survivor's is kept. */
export interface ProfileConflict {
  field: string;
  kept: unknown;
  dropped: unknown;
}

export interface Joined {
  profile: CustomerSnapshot;
  conflicts: ProfileConflict[];
}

/** The survivor's fields win; what is empty is filled; lists are united. Throws where a list would be too long. */
export function joinProfiles(survivor: CustomerSnapshot, merged: CustomerSnapshot): Joined {
  const conflicts: ProfileConflict[] = [];
  const profile = { ...survivor };
  for (const field of FIELDS) {
    const kept = survivor[field];
    const dropped = merged[field];
    if (kept === null) Object.assign(profile, { [field]: dropped });
    else if (dropped !== null && dropped !== kept) conflicts.push({ field, kept, dropped });
  }
  profile.attributes = joinAttributes(survivor.attributes, merged.attributes, conflicts);
  profile.tags = withTags(survivor.tags, merged.tags);
  profile.externalIds = withIdentities(survivor.externalIds, merged.externalIds);
  if (merged.createdAt < survivor.createdAt) profile.createdAt = merged.createdAt;
  refuseTooMany(profile);
  return { profile, conflicts };
}

type Attributes = Record<string, unknown>;

function joinAttributes(own: Attributes, other: Attributes, conflicts: ProfileConflict[]): Attributes {
  const values = new Map(Object.entries(own));
  for (const [key, dropped] of Object.entries(other)) {
    const kept = values.get(key) ?? null;
    if (kept === null) values.set(key, dropped);
    else if (!isSame(kept, dropped)) conflicts.push({ field: `attributes.${key}`, kept, dropped });
  }
  return Object.fromEntries(values);
}

function refuseTooMany({ externalIds, attributes, tags }: CustomerSnapshot): void {
  const faults: Fault[] = [];
  const check = (name: string, count: number, max: number) => {
    if (count <= max) return;
    const detail = `together they have ${count} ${name}, and one customer has at most ${max}`;
    faults.push({ pointer: '/from', detail });
  };
  check('external ids', externalIds.length, EXTERNAL_IDS_MAX);
  check('attributes', Object.keys(attributes).length, ATTRIBUTES_MAX);
  check('tags', tags.length, TAGS_MAX);
  const [first] = faults;
  if (first === undefined) return;
  throw new ConflictError('merge_exceeds_bounds', `They cannot be merged: ${first.detail}.`, { faults });
}

/** What it takes to tell what came from the other. */
export interface Parted {
  before: ProfileCopy;
  after: ProfileCopy;
  /** The external ids, e-mail and phone that have gone back to the other, by their keys. */
  returned: ReadonlySet<string>;
}

/**
 * The survivor's profile without what the merge had filled in: a field that still is as the merge left it becomes
 * what it was before; one that was changed since stays.
 */
export function partProfile(now: CustomerSnapshot, { before, after, returned }: Parted): CustomerSnapshot {
  const profile = { ...now };
  for (const field of FIELDS) {
    if (after[field] !== before[field] && isSame(now[field], after[field]))
      Object.assign(profile, { [field]: before[field] });
  }
  profile.attributes = partAttributes(now.attributes, before.attributes, after.attributes);
  const given = after.tags.filter((tag) => !before.tags.includes(tag));
  profile.tags = now.tags.filter((tag) => !given.includes(tag));
  profile.externalIds = now.externalIds.filter((identity) => !returned.has(identityKey(identity)));
  for (const namespace of ['email', 'phone'] as const) {
    const value = profile[namespace];
    // Taken on since, it went back to whom it came from all the same.
    if (value !== null && returned.has(identityKey({ namespace, id: value })))
      profile[namespace] = before[namespace];
  }
  if (now.createdAt.toISOString() === after.createdAt) profile.createdAt = new Date(before.createdAt);
  return profile;
}

function partAttributes(now: Attributes, before: Attributes, after: Attributes): Attributes {
  const values = new Map(Object.entries(now));
  for (const [key, value] of Object.entries(after)) {
    const had = Object.hasOwn(before, key) ? before[key] : undefined;
    if (isSame(had ?? null, value) || !isSame(values.get(key), value)) continue;
    if (had === undefined) values.delete(key);
    else values.set(key, had);
  }
  return Object.fromEntries(values);
}

/** Values of profiles are scalars or lists of text. */
function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
