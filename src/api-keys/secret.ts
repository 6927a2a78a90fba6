// Owns how an API key is made and what of it is kept. A key is long and random, so one SHA-256 finds it: a
// slow hash protects short passwords, and would be paid on every request.

import { hash, randomInt } from 'node:crypto';

export const KEY_PREFIX = 'pk_';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 43 characters of 62 carry 256 bits. */
const RANDOM_CHARS = 43;
const HINT_CHARS = 4;

export function makeKey(): string {
  let key = KEY_PREFIX;
  for (let i = 0; i < RANDOM_CHARS; i++) key += ALPHABET[randomInt(ALPHABET.length)];
  return key;
}

export function hashKey(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}

/** The last characters, by which people tell keys apart. */
export function hintOf(key: string): string {
  return key.slice(-HINT_CHARS);
}
