// Owns the shapes of likely duplicates in the API.

import Type, { type Static } from 'typebox';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import { page, pageQuery, Timestamp, text, Uuid } from '../api/shapes.js';
import { Customer } from '../customers/schemas.js';
import { REASONS } from './keys.js';

const duplicate = {
  id: ref(Uuid),
  score: Type.Integer({
    format: 'int32',
    minimum: 1,
    maximum: 100,
    description: 'How likely they are one, of 100.',
  }),
  reasons: Type.Array(choice(REASONS), {
    maxItems: REASONS.length,
    description:
      '`email`: the same but for case, dots or what follows a `+`; `phone`: the same last nine digits; `identity`: ' +
      'the same external id, in another namespace; `name_and_address`: similar names at one address, by the ' +
      'attributes `address` or `street`, `postcode` or `zip`, `city`.',
  }),
  foundAt: ref(Timestamp),
};

export const Duplicate = shared(
  'Duplicate',
  closed(
    { ...duplicate, customers: Type.Array(ref(Customer), { minItems: 2, maxItems: 2 }) },
    { description: 'Two customers who may be one.' },
  ),
);

export const DismissedDuplicate = shared(
  'DismissedDuplicate',
  closed({
    ...duplicate,
    customerIds: Type.Array(ref(Uuid), { minItems: 2, maxItems: 2 }),
    dismissedAt: nullable(ref(Timestamp)),
    dismissedBy: nullable(text({ max: 300 })),
  }),
);
export type DismissedDuplicate = Static<typeof DismissedDuplicate>;

export const DuplicatePage = shared('DuplicatePage', page(ref(Duplicate)));
export type DuplicatePage = Static<typeof DuplicatePage>;
export const duplicateQuery = closed(pageQuery);
export type DuplicateQuery = Static<typeof duplicateQuery>;
export const duplicatePath = closed({ id: ref(Uuid) });

/** For registration. */
export const DUPLICATE_SCHEMAS: Shared[] = [Duplicate, DismissedDuplicate, DuplicatePage];
