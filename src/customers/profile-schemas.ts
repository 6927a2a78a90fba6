// Owns the shape of one customer as they are read: with facts, rhythm, a hold and what comes next. Does not own the
// figures (lifecycle/) nor how they are gathered (views.ts).

import Type, { type Static } from 'typebox';
import { closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import { AmountMinor, Currency, count, stageKey, Timestamp, text } from '../api/shapes.js';
import { CustomerPredictions } from './prediction-schemas.js';
import { Customer } from './schemas.js';

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
      stage: stageKey(),
      because: Type.Unknown({ description: 'The condition that will hold then, with its threshold.' }),
    },
    { description: 'What the stage becomes, and when, if nothing happens until then.' },
  ),
);

export const CustomerHold = shared(
  'CustomerHold',
  closed(
    {
      stage: stageKey(),
      since: ref(Timestamp),
      until: nullable(ref(Timestamp), { description: 'Null: until an order or a later move.' }),
    },
    { description: 'A person’s move, while the rules wait for it to end.' },
  ),
);

export const CustomerProfile = shared(
  'CustomerProfile',
  closed({
    ...Customer.properties,
    facts: ref(CustomerFacts),
    cadence: nullable(ref(CustomerCadence), { description: 'Null before the first order.' }),
    hold: nullable(ref(CustomerHold), { description: 'Null while the rules decide.' }),
    next: nullable(ref(CustomerNext), { description: 'Null where time alone changes nothing.' }),
    predictions: ref(CustomerPredictions),
  }),
);
export type CustomerProfile = Static<typeof CustomerProfile>;

/** For registration. */
export const CUSTOMER_PROFILE_SCHEMAS: Shared[] = [
  CustomerFacts,
  CustomerCadence,
  CustomerNext,
  CustomerHold,
  CustomerPredictions,
  CustomerProfile,
];
