// Owns the shapes of customers in the API, in and out. Does not own what they mean: that is normal forms and
// rules of identity in profile.ts and admission.ts.

import Type, { type Static } from 'typebox';
import { asOfQuery } from '../api/as-of.js';
import { CustomerRef, ExternalId, Namespace } from '../api/references.js';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import {
  AmountMinor,
  Currency,
  count,
  page,
  pageQuery,
  prose,
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
import { CustomerPredictions, predictionQuery } from './prediction-schemas.js';
import { Tag, tagList } from './tag-schemas.js';

export const ATTRIBUTES_MAX = 100;
const ATTRIBUTE_KEY = '^[A-Za-z][A-Za-z0-9_.-]{0,63}$';
const STAGE_LENGTH_MAX = 64;

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

const stage = text({ max: STAGE_LENGTH_MAX, description: 'The key of a stage of the tenant’s lifecycle.' });

const customer = {
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
  stage,
  stageSince: ref(Timestamp),
  version: ref(Version),
  createdAt: ref(Timestamp),
  updatedAt: ref(Timestamp),
  erasedAt: Type.Optional(
    ref(Timestamp, { description: 'Only where the personal data was erased: since when.' }),
  ),
};

export const Customer = shared('Customer', closed(customer));
export type Customer = Static<typeof Customer>;

export const CustomerFacts = shared(
  'CustomerFacts',
  closed(
    {
      orders: count({ description: 'Orders that count: placed, not cancelled, not refunded in full.' }),
      purchaseDays: count({ description: 'Days with such an order, in the policy’s time zone.' }),
      firstOrderAt: nullable(ref(Timestamp)),
      lastOrderAt: nullable(ref(Timestamp)),
      spend: Type.Array(closed({ currency: ref(Currency), amountMinor: ref(AmountMinor) }), {
        maxItems: 300,
        description: 'Net of refunds, by currency.',
      }),
      categories: Type.Array(text({ max: 100 }), { maxItems: 64 }),
      interactions: count({ description: 'Touchpoints in all.' }),
      interactionsLast30Days: count(),
      interactionsLast90Days: count(),
      lastInteractionAt: nullable(ref(Timestamp)),
    },
    { description: 'What is known of the customer, as of now.' },
  ),
);

const days = (description: string) => Type.Number({ minimum: 0, description });

export const CustomerCadence = shared(
  'CustomerCadence',
  closed(
    {
      meanGapDays: days('The mean gap between purchase days, drawn towards what is usual.'),
      gapDaysP50: days('Of the gaps that did end, half were shorter, for customers with this history.'),
      gapDaysP75: days('Three quarters were shorter.'),
      gapDaysP90: days('Nine tenths were shorter.'),
      calibrationVersion: count({ description: 'The calibration that these figures come from.' }),
    },
    { description: 'The customer’s own rhythm of buying.' },
  ),
);

export const CustomerNext = shared(
  'CustomerNext',
  closed(
    {
      at: ref(Timestamp),
      stage,
      because: Type.Unknown({ description: 'The condition that will hold then, with its threshold.' }),
    },
    { description: 'What the stage becomes, and when, if nothing happens until then.' },
  ),
);

export const CustomerHold = shared(
  'CustomerHold',
  closed(
    {
      stage,
      since: ref(Timestamp),
      until: nullable(ref(Timestamp), { description: 'Null: until an order or a later move.' }),
    },
    { description: 'A person’s move, while the rules wait for it to end.' },
  ),
);

export const CustomerProfile = shared(
  'CustomerProfile',
  closed({
    ...customer,
    facts: ref(CustomerFacts),
    cadence: nullable(ref(CustomerCadence), { description: 'Null before the first order.' }),
    hold: nullable(ref(CustomerHold), { description: 'Null while the rules decide.' }),
    next: nullable(ref(CustomerNext), { description: 'Null where time alone changes nothing.' }),
    predictions: ref(CustomerPredictions),
  }),
);
export type CustomerProfile = Static<typeof CustomerProfile>;

export const CustomerPage = shared('CustomerPage', page(ref(Customer)));
export type CustomerPage = Static<typeof CustomerPage>;

const instant = (description: string) => Type.Optional(ref(TimestampInput, { description }));

export const customerQuery = closed({
  ...pageQuery,
  ...asOfQuery,
  stage: Type.Optional(text({ max: STAGE_LENGTH_MAX })),
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
export const CUSTOMER_SCHEMAS: Shared[] = [
  Attributes,
  Country,
  Tag,
  CustomerInput,
  CustomerPatch,
  Customer,
  CustomerFacts,
  CustomerCadence,
  CustomerNext,
  CustomerHold,
  CustomerPredictions,
  CustomerProfile,
  CustomerPage,
  Identity,
  IdentityPage,
];
