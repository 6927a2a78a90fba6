// Owns the two ways to name a customer or an order: its id, or `ext:<namespace>:<id>`. Does not own what is
// found under a reference (each module's service).

import Type from 'typebox';
import { InvalidError } from '../errors.js';
import { PATTERNS } from './patterns.js';
import { closed, shared } from './schema.js';

/** `ext:`, the longest namespace, a colon and the longest id, in characters. */
const REFERENCE_LENGTH_MAX = 4 + 63 + 1 + 256;

function reference(what: string) {
  return Type.String({
    pattern: PATTERNS.reference,
    maxLength: REFERENCE_LENGTH_MAX,
    description: `The ${what}'s id, or \`ext:<namespace>:<id>\` for an external id.`,
  });
}

export const CustomerRef = shared('CustomerRef', reference('customer'));
export const OrderRef = shared('OrderRef', reference('order'));

export const Namespace = shared(
  'Namespace',
  Type.String({
    pattern: PATTERNS.namespace,
    maxLength: 63,
    description: 'The system that gave an external id, for example `shopify`.',
  }),
);

export const ExternalId = shared(
  'ExternalId',
  closed(
    {
      namespace: Type.String({ pattern: PATTERNS.namespace, maxLength: 63 }),
      id: Type.String({ pattern: PATTERNS.externalId, minLength: 1, maxLength: 256 }),
    },
    { description: 'An id that another system gave. Unique within its namespace.' },
  ),
);

export type Reference = { kind: 'id'; id: string } | { kind: 'external'; namespace: string; id: string };

const PATTERN = new RegExp(PATTERNS.reference, 'u');

/** Reads a reference. One that has passed the schema never fails; ids come out in lower case. */
export function parseRef(ref: string): Reference {
  if (!PATTERN.test(ref))
    throw new InvalidError('invalid_reference', 'This is neither an id nor `ext:<namespace>:<id>`.');
  if (!ref.startsWith('ext:')) return { kind: 'id', id: ref.toLowerCase() };
  const colon = ref.indexOf(':', 4);
  return { kind: 'external', namespace: ref.slice(4, colon), id: ref.slice(colon + 1) };
}
