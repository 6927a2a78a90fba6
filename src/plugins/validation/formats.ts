// Owns which string formats are enforced and how. Does not own the schemas that use them.

import Format from 'typebox/format';

const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/**
 * RFC 3339, narrowed to what the language's own Date reads the same way: capital T and Z, days that exist
 * (Date would turn 30 February into 1 March), no leap second (Date has none) and no RFC 9557 suffix.
 */
function isDateTime(value: string): boolean {
  const parts = DATE_TIME.exec(value);
  if (parts === null) return false;
  const [, year, month, day] = parts.map(Number) as [number, number, number, number];
  if (month < 1 || month > 12 || day < 1) return false;
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** Formats of numbers: bounds say what they mean, so there is nothing to check. */
const NUMERIC = new Set(['int32', 'int64', 'float', 'double']);

/** Makes the strict date-time known; the registry is the library's own and serves the whole process. */
export function registerFormats(): void {
  Format.Set('date-time', isDateTime);
}

/** A format that nobody checks would be a promise that is silently broken, so it stops the start. */
export function assertFormatsKnown(schema: unknown, where: string): void {
  if (typeof schema !== 'object' || schema === null) return;
  const { format } = schema as { format?: unknown };
  if (typeof format === 'string' && !NUMERIC.has(format) && !Format.Has(format)) {
    throw new Error(`${where}: nothing checks the format '${format}'`);
  }
  for (const [key, part] of Object.entries(schema)) {
    if (key !== 'examples' && key !== 'example' && key !== 'default' && key !== 'enum') {
      assertFormatsKnown(part, where);
    }
  }
}
