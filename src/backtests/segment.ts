// Owns which segment a customer is counted in. Pure. The profile is taken as it stands now: what a business asks
// is how its customers of today would have been judged.

import type { CustomerSnapshot } from '../transitions/work.js';

/** Fields of the profile that segments can be made by; attributes besides, as `attribute:<key>`. */
export const SEGMENT_FIELDS = ['channel', 'country', 'owner', 'kind'] as const;
export const ATTRIBUTE_PREFIX = 'attribute:';

const NAME_LENGTH_MAX = 200;

/** Null where the customer has no such value, or one that names nothing, such as a list. */
export function segmentNameOf(customer: CustomerSnapshot, segmentBy: string | null): string | null {
  return nameOf(fieldOf(customer, segmentBy));
}

function nameOf(value: unknown): string | null {
  if (typeof value === 'string') return value === '' ? null : cut(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

/** A value that a dated field of a profile has, or once had: `owner` or `attributes.<key>`. */
export interface SaidValue {
  field: string;
  value: unknown;
}

const DATED_ATTRIBUTE = 'attributes.';

/** The segment that a value makes where it may tell who somebody is; yes and no tell of nobody. */
export function namesMade({ field, value }: SaidValue): { segmentBy: string; name: string }[] {
  const isAttribute = field.startsWith(DATED_ATTRIBUTE);
  const name = nameOf(value);
  if ((!isAttribute && field !== 'owner') || name === null || typeof value === 'boolean') return [];
  return [
    { segmentBy: isAttribute ? `${ATTRIBUTE_PREFIX}${field.slice(DATED_ATTRIBUTE.length)}` : field, name },
  ];
}

/** By whole characters. */
function cut(name: string): string {
  return name.length <= NAME_LENGTH_MAX ? name : [...name].slice(0, NAME_LENGTH_MAX).join('');
}

function fieldOf(customer: CustomerSnapshot, segmentBy: string | null): unknown {
  if (segmentBy === null) return null;
  if (segmentBy.startsWith(ATTRIBUTE_PREFIX)) {
    const key = segmentBy.slice(ATTRIBUTE_PREFIX.length);
    return Object.hasOwn(customer.attributes, key) ? customer.attributes[key] : null;
  }
  const field = SEGMENT_FIELDS.find((name) => name === segmentBy);
  return field === undefined ? null : customer[field];
}
