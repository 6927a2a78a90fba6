// What the driver has and its types do not tell of.

declare module 'pg/lib/utils.js' {
  /** As the driver makes a parameter of a value: text, or bytes as they are. */
  export function prepareValue(value: unknown): unknown;
}
