// Owns the shapes of what customers are known by, in and out. Does not own which identities a customer may have
// (identities.ts, admission.ts).

import type { Static } from 'typebox';
import { CustomerRef, Namespace } from '../api/references.js';
import { closed, ref, type Shared, shared } from '../api/schema.js';
import { page, text } from '../api/shapes.js';

export const identityPath = closed({
  ref: ref(CustomerRef),
  namespace: ref(Namespace),
  id: text({ max: 256, description: 'The external id in its namespace.' }),
});

export const Identity = shared(
  'Identity',
  closed(
    { namespace: text({ max: 63 }), id: text({ max: 320 }) },
    { description: 'What a customer is known by: an external id, or the e-mail or phone in normal form.' },
  ),
);
export const IdentityPage = shared('IdentityPage', page(ref(Identity)));
export type IdentityPage = Static<typeof IdentityPage>;

/** For registration. */
export const IDENTITY_SCHEMAS: Shared[] = [Identity, IdentityPage];
