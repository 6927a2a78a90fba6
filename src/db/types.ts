// Owns how values of Postgres become values of ours. Does not own how ours become parameters (recordset.ts).

import pg from 'pg';

const INT8_OID = 20;
const TIMESTAMPTZ_OID = 1184;

const general = pg.types.getTypeParser(TIMESTAMPTZ_OID) as (text: string) => Date;

/** For a connection whose time zone is UTC, as the pool makes them. */
export const TYPES = {
  getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
    // Amounts and counters stay below 2^53 by the API's own limits, so int8 can be a number.
    if (oid === INT8_OID) return Number;
    if (oid === TIMESTAMPTZ_OID) return parseInstant;
    return pg.types.getTypeParser(oid, format as 'text');
  },
};

/**
 * `2026-11-22 09:31:54.697+00`, by the places of its digits: a customer's row has seven of them, and the general
 * parser's regular expressions took more time than the rest of the row.
 */
export function parseInstant(text: string): Date {
  const end = text.length - 3;
  if (end < 19 || end > 23 || text.charCodeAt(4) !== DASH || !text.endsWith('+00')) return general(text);
  let ms = 0;
  for (let place = 20, weight = 100; place < end; place += 1, weight /= 10) ms += digit(text, place) * weight;
  const year = digit(text, 0) * 1000 + digit(text, 1) * 100 + pair(text, 2);
  const at = Date.UTC(
    year,
    pair(text, 5) - 1,
    pair(text, 8),
    pair(text, 11),
    pair(text, 14),
    pair(text, 17),
    ms,
  );
  // Before the year 100 Date.UTC means another century.
  return year < 100 ? general(text) : new Date(at);
}

const DASH = 45;
const ZERO = 48;

function digit(text: string, place: number): number {
  return text.charCodeAt(place) - ZERO;
}

function pair(text: string, place: number): number {
  return digit(text, place) * 10 + digit(text, place + 1);
}
