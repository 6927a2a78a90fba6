// Owns the three ways to name a policy: its id, its version number, or `live`. Does not own what is found
// under it (policies-store.ts).

import Type from 'typebox';
import { PATTERNS } from '../api/patterns.js';
import { shared } from '../api/schema.js';
import { InvalidError } from '../errors.js';

export type PolicyRef = { kind: 'id'; id: string } | { kind: 'version'; version: number } | { kind: 'live' };

export const PolicyRefSchema = shared(
  'PolicyRef',
  Type.String({
    pattern: PATTERNS.policyReference,
    maxLength: 36,
    description: "The policy's id, its version number, or `live` for the one in force.",
  }),
);

/** Where the address of the live policy is one of its own. */
export const PolicyKeySchema = shared(
  'PolicyKey',
  Type.String({
    pattern: PATTERNS.policyKey,
    maxLength: 36,
    description: "The policy's id, or its version number.",
  }),
);

const PATTERN = new RegExp(PATTERNS.policyReference);
const VERSION_MAX = 2_147_483_647;

/** Reads a reference. One that has passed the schema never fails. */
export function parsePolicyRef(ref: string): PolicyRef {
  if (!PATTERN.test(ref)) {
    throw new InvalidError('invalid_reference', 'This is neither an id, nor a version number, nor `live`.');
  }
  if (ref === 'live') return { kind: 'live' };
  if (ref.includes('-')) return { kind: 'id', id: ref.toLowerCase() };
  // A number that no version can have is that of a policy that is not there.
  return { kind: 'version', version: Math.min(Number(ref), VERSION_MAX) };
}
