// Owns by what two customers may be taken for one, and how likely that is. Pure. Does not own who else has a key.

import type { ExternalId } from '../customers/kinds.js';

export const REASONS = ['email', 'phone', 'identity', 'name_and_address'] as const;
export type Reason = (typeof REASONS)[number];

export interface Described {
  name: string | null;
  email: string | null;
  phone: string | null;
  country: string | null;
  externalIds: readonly ExternalId[];
  attributes: Record<string, unknown>;
}

export interface Key {
  kind: Reason;
  key: string;
  /** In normal form; of an address only, which by itself says nothing. */
  name: string | null;
}

/** Providers for whom dots in the local part are nothing. */
const DOTLESS = new Set(['gmail.com', 'googlemail.com']);
/** A shorter id is a number that two systems have counted to. */
const IDENTITY_LENGTH_MIN = 6;
const PHONE_DIGITS = 9;
const KEY_LENGTH_MAX = 200;

export function keysOf(customer: Described): Key[] {
  const keys: Key[] = [];
  const add = (kind: Reason, key: string | undefined, name: string | null = null) => {
    if (key === undefined || key === '' || key.length > KEY_LENGTH_MAX) return;
    if (!keys.some((other) => other.kind === kind && other.key === key)) keys.push({ kind, key, name });
  };
  if (customer.email !== null) add('email', canonicalEmail(customer.email));
  if (customer.phone !== null) add('phone', lastDigits(customer.phone));
  for (const { id } of customer.externalIds) {
    const value = id.trim().toLowerCase();
    if (value.length >= IDENTITY_LENGTH_MIN) add('identity', value);
    if (value.includes('@')) add('email', canonicalEmail(value));
  }
  const name = normalName(customer.name);
  if (name !== '') add('name_and_address', addressOf(customer), name);
  return keys;
}

/** Without what stands behind a `+`, and at some providers without dots. */
export function canonicalEmail(email: string): string | undefined {
  const at = email.lastIndexOf('@');
  if (at < 1) return undefined;
  const domain = email.slice(at + 1);
  const [local = ''] = email.slice(0, at).split('+');
  if (local === '') return email;
  return DOTLESS.has(domain) ? `${local.replaceAll('.', '')}@gmail.com` : `${local}@${domain}`;
}

/** Whatever country code and trunk digit stand before them. */
function lastDigits(phone: string): string | undefined {
  const digits = phone.replaceAll(/\D/g, '');
  return digits.length < PHONE_DIGITS ? undefined : digits.slice(-PHONE_DIGITS);
}

/**
 * Letters and digits of any script in one form, words in order: `Na Li` is `Li, Na`. Where words are not parted, as
 * in Chinese, a space says nothing, and all is one word.
 */
export function normalName(name: string | null): string {
  const plain = (name ?? '').normalize('NFKD').replaceAll(/\p{M}/gu, '').normalize('NFKC').toLowerCase();
  const words = plain.match(/[\p{L}\p{N}]+/gu) ?? [];
  if (/\p{Script=Han}/u.test(plain)) return words.join('');
  return words.sort().join(' ');
}

const STREETS = ['address', 'street', 'address1', 'addressLine1'];
const CODES = ['postcode', 'postalCode', 'postal_code', 'zip'];

/** A street with its postcode or town, or a postcode with its town: less is a whole district. */
function addressOf({ attributes, country }: Described): string | undefined {
  const [street, code, city] = [STREETS, CODES, ['city', 'town']].map((names) => {
    const value = names.map((name) => attributes[name]).find((held) => typeof held === 'string');
    return typeof value === 'string' ? normalAddress(value) : '';
  });
  if ([street, code, city].filter((part) => part !== '').length < 2 && !/\d/.test(street ?? ''))
    return undefined;
  return [country ?? '', code, city, street].join('|');
}

function normalAddress(text: string): string {
  const plain = text.normalize('NFKD').replaceAll(/\p{M}/gu, '').normalize('NFKC').toLowerCase();
  return (plain.replaceAll(/stra(?:ss|ß)e\b|str\b/g, 'str').match(/[\p{L}\p{N}]+/gu) ?? []).join('');
}

/** Of two names in normal form, 1 where they are the same: twice their common pairs of letters by all pairs. */
export function similarity(a: string, b: string): number {
  if (a === b) return 1;
  const pairs = pairsOf(a);
  const others = pairsOf(b);
  const all = pairs.length + others.length;
  if (all === 0) return 0;
  let common = 0;
  for (const pair of pairs) {
    const place = others.indexOf(pair);
    if (place < 0) continue;
    others.splice(place, 1);
    common += 1;
  }
  return (2 * common) / all;
}

function pairsOf(text: string): string[] {
  const letters = [...text];
  return letters.slice(1).map((letter, index) => `${letters[index]}${letter}`);
}

/** Less alike are two people of one household. */
export const SIMILAR_MIN = 0.7;

const WEIGHTS: Record<Reason, number> = { email: 0.9, phone: 0.6, identity: 0.6, name_and_address: 0.8 };

/** From 1 to 100: what is left of the doubt when each reason takes its part of it. */
export function scoreOf(reasons: readonly Reason[]): number {
  const doubt = reasons.reduce((left, reason) => left * (1 - WEIGHTS[reason]), 1);
  return Math.round((1 - doubt) * 100);
}
