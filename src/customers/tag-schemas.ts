// Owns the shapes of tags in the API, in and out. Does not own what they mean (tags.ts).

import Type from 'typebox';
import { PATTERNS } from '../api/patterns.js';
import { CustomerRef } from '../api/references.js';
import { closed, ref, shared } from '../api/schema.js';
import { TAG_LENGTH_MAX, TAGS_MAX } from './tags.js';

export const Tag = shared(
  'Tag',
  Type.String({
    pattern: PATTERNS.tag,
    minLength: 1,
    maxLength: TAG_LENGTH_MAX,
    description: 'A word put on a customer; kept trimmed and in composed form (NFC). Case counts.',
  }),
);

/** Of a customer, as it is sent and as it is shown. */
export const tagList = Type.Array(ref(Tag), { maxItems: TAGS_MAX, description: 'Distinct and in order.' });

export const tagPath = closed({ ref: ref(CustomerRef), tag: ref(Tag) });
