// Owns the shapes of customers in the API, in and out. Does not own what is told beside of a single one
// (profile-schemas.ts) or what they are known by (identity-schemas.ts), nor what the fields mean: that is normal
// forms and rules of identity in profile.ts and admission.ts.

import Type, { type Static } from 'typebox';
import { asOfQuery } from '../api/as-of.js';
import { CustomerRef, ExternalId } from '../api/references.js';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import {
  page,
  pageQuery,
  prose,
  stageKey,
  Timestamp,
  TimestampInput,
  text,
  Uuid,
  Version,
} from '../api/shapes.js';
import { COUNTRIES } from './countries.js';
import { EXTERNAL_IDS_MAX } from './identities.js';
import { CUSTOMER_KINDS } from './kinds.js';
import { EMAIL_LENGTH_MAX, PHONE_LENGTH_MAX } from './normal-forms.js';
import { predictionQuery } from './prediction-schemas.js';
import { Tag, tagList } from './tag-schemas.js';

export const ATTRIBUTES_MAX = 100;
const ATTRIBUTE_KEY = '^[A-Za-z][A-Za-z0-9_.-]{0,63}$';

const attributeText = prose({ min: 0, max: 2000 });
const attributeValue = Type.Union([
  attributeText,
  Type.Number(),
  Type.Boolean(),
  Type.Array(attributeText, { maxItems: 100 }),
  Type.Null(),
]);
export type AttributeValue = Static<typeof attributeValue>;

export const Attributes = shared(
  'CustomerAttributes',
  Type.Record(Type.String({ pattern: ATTRIBUTE_KEY, maxLength: 64 }), attributeValue, {
    maxProperties: ATTRIBUTES_MAX,
    additionalProperties: false,
    description: 'Fields of your own: text, numbers, yes or no, or lists of text.',
  }),
);

export const Country = shared('Country', choice(COUNTRIES, { description: 'An ISO 3166-1 alpha-2 code.' }));

const email = text({ max: EMAIL_LENGTH_MAX + 66, description: 'Kept trimmed and in lower case.' });
const phone = text({
  max: PHONE_LENGTH_MAX,
  description: 'With `+` and the country code, or as it is dialled in `country`; kept in E.164.',
});
const channel = text({ max: 100, description: 'Where the customer came from.' });
const owner = text({ max: 200, description: 'Who looks after the customer.' });
const externalIds = Type.Array(ref(ExternalId), { maxItems: EXTERNAL_IDS_MAX });

const profileInput = {
  kind: Type.Optional(choice(CUSTOMER_KINDS, { description: '`person` unless it is said.' })),
  name: Type.Optional(nullable(text({ max: 300 }))),
  email: Type.Optional(nullable(email)),
  phone: Type.Optional(nullable(phone)),
  country: Type.Optional(nullable(ref(Country))),
  channel: Type.Optional(nullable(channel)),
  owner: Type.Optional(nullable(owner)),
};

export const CustomerInput = shared(
  'CustomerInput',
  closed(
    {
      ...profileInput,
      tags: Type.Optional(tagList),
      externalIds: Type.Optional(externalIds),
      attributes: Type.Optional(ref(Attributes)),
    },
    {
      description:
        'Where it changes a customer, a field that is given replaces the one that is there, a field that is ' +
        'not given stays, and tags and external ids are added.',
    },
  ),
);
export type CustomerInput = Static<typeof CustomerInput>;

const { kind, ...clearable } = profileInput;
export const CustomerPatch = shared(
  'CustomerPatch',
  closed(
    {
      kind,
      ...clearable,
      tags: Type.Optional(nullable(tagList, { description: 'Replaced as a whole.' })),
      externalIds: Type.Optional(nullable(externalIds, { description: 'Replaced as a whole.' })),
      attributes: Type.Optional(nullable(ref(Attributes), { description: 'Merged; null removes a key.' })),
    },
    { description: 'A JSON merge patch (RFC 7396): null removes.' },
  ),
);
export type CustomerPatch = Static<typeof CustomerPatch>;

export const Customer = shared(
  'Customer',
  closed({
    id: ref(Uuid),
    kind: choice(CUSTOMER_KINDS),
    name: nullable(text({ max: 300 })),
    email: nullable(email),
    phone: nullable(phone),
    country: nullable(ref(Country)),
    channel: nullable(channel),
    owner: nullable(owner),
    tags: tagList,
    externalIds,
    attributes: ref(Attributes),
    stage: stageKey(),
    stageSince: ref(Timestamp),
    version: ref(Version),
    createdAt: ref(Timestamp),
    updatedAt: ref(Timestamp),
    erasedAt: Type.Optional(
      ref(Timestamp, { description: 'Only where the personal data was erased: since when.' }),
    ),
  }),
);
export type Customer = Static<typeof Customer>;

export const CustomerPage = shared('CustomerPage', page(ref(Customer)));
export type CustomerPage = Static<typeof CustomerPage>;

const instant = (description: string) => Type.Optional(ref(TimestampInput, { description }));

export const customerQuery = closed({
  ...pageQuery,
  ...asOfQuery,
  stage: Type.Optional(stageKey()),
  kind: Type.Optional(choice(CUSTOMER_KINDS)),
  owner: Type.Optional(owner),
  channel: Type.Optional(channel),
  country: Type.Optional(ref(Country)),
  tag: Type.Optional(ref(Tag)),
  email: Type.Optional(email),
  phone: Type.Optional(phone),
  createdFrom: instant('Created at this instant or later.'),
  createdTo: instant('Created before this instant.'),
  stageSinceFrom: instant('In the stage since this instant or later.'),
  stageSinceTo: instant('In the stage since before this instant.'),
  lastOrderFrom: instant('Last ordered at this instant or later.'),
  lastOrderTo: instant('Last ordered before this instant.'),
  reviewBefore: instant('The stage changes before this instant, if nothing happens until then.'),
  ...predictionQuery,
  erased: Type.Optional(
    Type.Boolean({ default: false, description: 'Include those whose personal data was erased.' }),
  ),
});
export type CustomerQuery = Static<typeof customerQuery>;

export const customerPath = closed({ ref: ref(CustomerRef) });

/** For registration. */
export const CUSTOMER_SCHEMAS: Shared[] = [
  Attributes,
  Country,
  Tag,
  CustomerInput,
  CustomerPatch,
  Customer,
  CustomerPage,
];
