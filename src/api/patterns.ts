// Owns the patterns that shared shapes are written with, and what each of them says in words, for those who
// have broken it. Does not own the shapes (shapes.ts, references.ts).

const UUID = '[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}';
const NAMESPACE = '[a-z0-9][a-z0-9_.-]{0,62}';
const EXTERNAL_ID = '[^\\u0000-\\u001f\\u007f-\\u009f]{1,256}';

export const PATTERNS = {
  reference: `^(?:${UUID}|ext:${NAMESPACE}:${EXTERNAL_ID})$`,
  policyReference: `^(?:${UUID}|[1-9][0-9]{0,9}|live)$`,
  policyKey: `^(?:${UUID}|[1-9][0-9]{0,9})$`,
  namespace: `^${NAMESPACE}$`,
  externalId: `^${EXTERNAL_ID}$`,
  oneLine: '^[^\\u0000-\\u001f\\u007f-\\u009f]*$',
  manyLines: '^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]*$',
  anyText: '^[^\\u0000]*$',
  cursor: '^[A-Za-z0-9_-]*$',
  /** The classes do not overlap, so that no text is gone over twice. */
  tag: '^[^\\S\\u0000-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u001f\\u007f-\\u009f]*$',
  years: '^(?:19[7-9][0-9]|20[0-9]{2})-',
} as const;

export const PATTERN_WORDS: ReadonlyMap<string, string> = new Map([
  [PATTERNS.reference, 'must be an id or ext:<namespace>:<id>'],
  [PATTERNS.policyReference, 'must be an id, a version number or live'],
  [PATTERNS.policyKey, 'must be an id or a version number'],
  [
    PATTERNS.namespace,
    'must begin with a small letter or a digit and go on with those, dots, hyphens or underscores',
  ],
  [PATTERNS.externalId, 'must not have control characters'],
  [PATTERNS.oneLine, 'must not have control characters'],
  [PATTERNS.manyLines, 'must not have control characters but tabs and line breaks'],
  [PATTERNS.anyText, 'must not have the character NUL'],
  [PATTERNS.cursor, 'must be a cursor as a list gave it'],
  [PATTERNS.tag, 'must be one line of text that is not blank'],
  [PATTERNS.years, 'must lie between 1970 and 2099'],
]);
