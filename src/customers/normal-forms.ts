// Owns the normal forms by which an e-mail address and a phone number are told to be the same one. Does not
// own what a customer is known by (identities.ts). Pure; what cannot be read comes back as undefined.

import { createRequire } from 'node:module';
import type { CountryCode } from 'libphonenumber-js';

type Phones = typeof import('libphonenumber-js');

const load = createRequire(import.meta.url);
let loaded: Phones | undefined;

/** The metadata of all countries takes a tenth of a start to load, and the first number is soon enough. */
function phones(): Phones {
  loaded ??= load('libphonenumber-js') as Phones;
  return loaded;
}

export const EMAIL_LENGTH_MAX = 254;
const LOCAL_PART_LENGTH_MAX = 64;
/** Room for spaces, brackets and a country's own way of writing; the normal form has 16 characters at most. */
export const PHONE_LENGTH_MAX = 40;

/**
 * Dot-separated atoms (letters beyond ASCII included), an `@`, and a domain of at least two labels. Quoted
 * local parts and address literals are refused: in a list of customers they are mistakes.
 */
const EMAIL =
  /^[\p{L}\p{N}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{N}!#$%&'*+/=?^_`{|}~-]+)*@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?$/u;

/** Trimmed and in lower case. The standard lets the local part keep its case; no provider in use tells by it. */
export function normalEmail(given: string): string | undefined {
  const email = given.trim().normalize('NFC').toLowerCase();
  if (email.length > EMAIL_LENGTH_MAX || email.indexOf('@') > LOCAL_PART_LENGTH_MAX) return undefined;
  return EMAIL.test(email) ? email : undefined;
}

/**
 * E.164, read as a number of `country` unless it starts with `+`. A number has to be possible, not assigned:
 * number ranges are opened faster than any library follows, and a customer's real number must not be refused.
 */
export function normalPhone(given: string, country: string | null): string | undefined {
  const { isSupportedCountry, parsePhoneNumberFromString } = phones();
  const region = country !== null && isSupportedCountry(country) ? (country as CountryCode) : undefined;
  // `extract: false` refuses text around the number, which would otherwise be dropped in silence.
  const options = region === undefined ? { extract: false } : { extract: false, defaultCountry: region };
  const phone = parsePhoneNumberFromString(given.trim(), options);
  // An extension has no place in E.164, and two people behind one switchboard are not one customer.
  if (phone === undefined || phone.ext !== undefined || !phone.isPossible()) return undefined;
  return phone.number;
}
