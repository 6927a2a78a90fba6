// Owns what a change of a profile means: normal forms, what stays and what goes, and the difference between
// two states. Does not own who holds an identity (admission.ts) nor the rows (store.ts). Pure.

import { type Fault, InvalidError } from '../errors.js';
import type { CustomerSnapshot } from '../transitions/work.js';
import { EXTERNAL_IDS_MAX, identityKey, isReserved, sameIdentities, withIdentities } from './identities.js';
import type { CustomerDetails, ExternalId } from './kinds.js';
import { normalEmail, normalPhone } from './normal-forms.js';
import { ATTRIBUTES_MAX, type AttributeValue, type CustomerInput, type CustomerPatch } from './schemas.js';
import { checkedTags, factField, sameTags, TAGS_MAX, tagChanges, withTags } from './tags.js';

type Attributes = Record<string, unknown>;

/** The fields that a caller can set, in normal form; one that is not given is undefined. */
export interface ProfileChange extends Partial<Omit<CustomerDetails, 'id' | 'attributes'>> {
  externalIds?: ExternalId[];
  attributes?: Record<string, AttributeValue>;
}

/** Those that hold one value each. */
export const FIELDS = ['kind', 'name', 'email', 'phone', 'country', 'channel', 'owner'] as const;
/** Fields whose every value is kept with its time, because dated rules may come to ask for them. */
const DATED_FIELDS = ['country', 'channel', 'owner'] as const;

/**
 * Brings what was given into normal form; `country` is the customer's own, for a phone number that comes
 * without one. Throws one InvalidError that names every fault.
 */
export function normalProfile(input: CustomerInput | CustomerPatch, country: string | null): ProfileChange {
  const faults: Fault[] = [];
  const { email, phone, tags, externalIds, attributes, ...rest } = input;
  const change: ProfileChange = { ...rest };
  if (tags !== undefined) change.tags = checkedTags(tags ?? [], faults);
  if (externalIds !== undefined) change.externalIds = checkedExternalIds(externalIds ?? [], faults);
  if (attributes != null) change.attributes = attributes as Record<string, AttributeValue>;
  if (email === null) change.email = null;
  else if (email !== undefined) {
    change.email = normalEmail(email);
    if (change.email === undefined) faults.push({ pointer: '/email', detail: 'is not an e-mail address' });
  }
  if (phone === null) change.phone = null;
  else if (phone !== undefined) {
    const region = input.country === undefined ? country : input.country;
    change.phone = normalPhone(phone, region);
    if (change.phone === undefined) faults.push({ pointer: '/phone', detail: phoneFault(phone, region) });
  }
  if (faults.length > 0) throw invalidProfile(faults);
  return change;
}

/** A profile that begins with `change`. */
export function newSnapshot(id: string, change: ProfileChange, now: Date): CustomerSnapshot {
  return withinBounds({
    id,
    kind: change.kind ?? 'person',
    name: change.name ?? null,
    email: change.email ?? null,
    phone: change.phone ?? null,
    country: change.country ?? null,
    channel: change.channel ?? null,
    owner: change.owner ?? null,
    tags: change.tags ?? [],
    externalIds: change.externalIds ?? [],
    attributes: change.attributes ?? {},
    profileVersion: 1,
    createdAt: now,
    updatedAt: now,
    erasedAt: null,
  });
}

/**
 * The profile with the given fields in the place of what was there. Tags and external ids are added: a shop
 * that sends its own must not take away those that the CRM gave.
 */
export function overwritten(snapshot: CustomerSnapshot, change: ProfileChange): CustomerSnapshot {
  const next = withFields(snapshot, change);
  if (change.tags !== undefined) next.tags = withTags(snapshot.tags, change.tags);
  if (change.externalIds !== undefined)
    next.externalIds = withIdentities(snapshot.externalIds, change.externalIds);
  if (change.attributes !== undefined) next.attributes = change.attributes;
  return withinBounds(next);
}

/** The profile after a JSON merge patch; `change` is `patch` in normal form. */
export function patched(
  snapshot: CustomerSnapshot,
  change: ProfileChange,
  patch: CustomerPatch,
): CustomerSnapshot {
  const next = withFields(snapshot, change);
  if (change.tags !== undefined) next.tags = change.tags;
  if (change.externalIds !== undefined) next.externalIds = change.externalIds;
  if (patch.attributes === null) next.attributes = {};
  else if (change.attributes !== undefined) next.attributes = merged(snapshot.attributes, change.attributes);
  return withinBounds(next);
}

function withFields(snapshot: CustomerSnapshot, change: ProfileChange): CustomerSnapshot {
  const next = { ...snapshot };
  for (const field of FIELDS) {
    if (change[field] !== undefined) Object.assign(next, { [field]: change[field] });
  }
  return next;
}

/** RFC 7396. Values are never objects, so the merge has one level. */
function merged(attributes: Attributes, patch: Attributes): Attributes {
  const entries = new Map(Object.entries(attributes));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) entries.delete(key);
    else entries.set(key, value);
  }
  return Object.fromEntries(entries);
}

/** What was given is bounded by its schema; what it adds up to with what was there is bounded here. */
function withinBounds(next: CustomerSnapshot): CustomerSnapshot {
  const faults: Fault[] = [];
  if (next.tags.length > TAGS_MAX) {
    faults.push({ pointer: '/tags', detail: `a customer has at most ${TAGS_MAX} tags` });
  }
  if (next.externalIds.length > EXTERNAL_IDS_MAX) {
    faults.push({
      pointer: '/externalIds',
      detail: `a customer has at most ${EXTERNAL_IDS_MAX} external ids`,
    });
  }
  if (Object.keys(next.attributes).length > ATTRIBUTES_MAX) {
    faults.push({ pointer: '/attributes', detail: `a customer has at most ${ATTRIBUTES_MAX} attributes` });
  }
  if (faults.length > 0) throw invalidProfile(faults);
  return next;
}

/**
 * What the fields that differ held before, undefined where none does. Of attributes only the keys that
 * differ, null for one that was not there.
 */
export function previousOf(
  before: CustomerSnapshot,
  after: CustomerSnapshot,
): Record<string, unknown> | undefined {
  const previous: Record<string, unknown> = {};
  for (const field of FIELDS) if (before[field] !== after[field]) previous[field] = before[field];
  if (!sameTags(before.tags, after.tags)) previous.tags = before.tags;
  if (!sameIdentities(before.externalIds, after.externalIds)) previous.externalIds = before.externalIds;
  const keys = changedKeys(before.attributes, after.attributes);
  if (keys.length > 0) {
    previous.attributes = Object.fromEntries(keys.map((key) => [key, held(before.attributes, key)]));
  }
  return Object.keys(previous).length === 0 ? undefined : previous;
}

/** A value that a dated field has taken on; null where it was removed, of a tag whether it is there. */
export interface AttributeFact {
  field: string;
  value: unknown;
}

/** The dated fields that differ; `before` is null for a new customer, of whom every value is a fact. */
export function factsBetween(before: CustomerSnapshot | null, after: CustomerSnapshot): AttributeFact[] {
  const facts: AttributeFact[] = [];
  for (const field of DATED_FIELDS) {
    if ((before?.[field] ?? null) !== after[field]) facts.push({ field, value: after[field] });
  }
  const tags = tagChanges(before?.tags ?? [], after.tags);
  for (const tag of tags.removed) facts.push({ field: factField(tag), value: false });
  for (const tag of tags.added) facts.push({ field: factField(tag), value: true });
  for (const key of changedKeys(before?.attributes ?? {}, after.attributes)) {
    facts.push({ field: `attributes.${key}`, value: held(after.attributes, key) });
  }
  return facts;
}

/** Only the customer's own keys: `constructor` is a permitted one, and every object inherits that. */
function held(attributes: Attributes, key: string): unknown {
  return Object.hasOwn(attributes, key) ? attributes[key] : null;
}

function changedKeys(before: Attributes, after: Attributes): string[] {
  if (before === after) return [];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => {
    // A key that holds null and a key that is not there are two things to a reader of the profile.
    return Object.hasOwn(before, key) !== Object.hasOwn(after, key) || !sameValue(before[key], after[key]);
  });
}

function sameValue(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

function checkedExternalIds(given: readonly ExternalId[], faults: Fault[]): ExternalId[] {
  const seen = new Set<string>();
  for (const [index, identity] of given.entries()) {
    const pointer = `/externalIds/${index}`;
    const key = identityKey(identity);
    if (isReserved(identity.namespace)) {
      const detail = `is reserved: the field ${identity.namespace} holds it`;
      faults.push({ pointer: `${pointer}/namespace`, detail });
    }
    if (seen.has(key)) faults.push({ pointer, detail: 'is given twice' });
    seen.add(key);
  }
  return [...given];
}

function phoneFault(phone: string, region: string | null): string {
  if (region === null && !phone.trim().startsWith('+')) return 'needs + and the country code, or a country';
  return 'is not a phone number';
}

function invalidProfile(faults: Fault[]): InvalidError {
  const [first] = faults;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  return new InvalidError('invalid_request', `${first?.pointer} ${first?.detail}${more}`, { faults });
}
