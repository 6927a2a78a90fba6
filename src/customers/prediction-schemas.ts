// Owns the API shapes of what is predicted of a customer, and of the filters by it. Does not own the figures
// (lifecycle/models/prediction.ts).

import Type from 'typebox';
import { choice, closed, nullable, ref, shared } from '../api/schema.js';
import { AmountMinor, Currency, count, Timestamp } from '../api/shapes.js';
import { DROPOUT_MODELS } from '../lifecycle/models/dropout.js';

const expected = () => Type.Number({ minimum: 0 });
const share = (description?: string) =>
  Type.Number({ minimum: 0, maximum: 1, ...(description === undefined ? {} : { description }) });

export const CustomerPredictions = shared(
  'CustomerPredictions',
  closed(
    {
      asOf: nullable(ref(Timestamp), { description: 'Null where nothing is predicted.' }),
      calibrationVersion: count({ description: '0 before the first fit.' }),
      model: nullable(choice(DROPOUT_MODELS), {
        description: 'By which it is predicted: MBG/NBD where it is identified, else BG/NBD, else none.',
      }),
      reason: nullable(choice(['no_orders', 'not_identified']), {
        description: 'Why there is none; `/v1/models/current` says more.',
      }),
      pAlive: nullable(share('That the customer has not been lost.')),
      orderProbability: nullable(closed({ next30Days: share(), next90Days: share(), next365Days: share() })),
      expectedOrders: nullable(
        closed({ next30Days: expected(), next90Days: expected(), next365Days: expected() }),
        {
          description: 'Purchase days to come.',
        },
      ),
      values: Type.Array(
        closed({
          currency: ref(Currency),
          historicMinor: ref(AmountMinor, { description: 'All that was spent, net of refunds.' }),
          expectedOrderMinor: nullable(ref(AmountMinor), {
            description:
              'What is expected to be spent on a purchase day; null where spend is not identified.',
          }),
          futureMinor: nullable(ref(AmountMinor), {
            description: 'Of the next 365 days, discounted by 10 % a year; null without a model.',
          }),
        }),
        { maxItems: 300, description: 'Customer lifetime value by currency, behind and ahead.' },
      ),
    },
    { description: 'What the tenant’s models say of the customer’s time to come.' },
  ),
);

/** Of lists. */
export const predictionQuery = {
  pAliveBelow: Type.Optional(share('Predicted to be still there with less than this probability.')),
  pAliveAtLeast: Type.Optional(share('Predicted to be still there with at least this probability.')),
  expectedOrders90AtLeast: Type.Optional(
    Type.Number({ minimum: 0, maximum: 1_000, description: 'Predicted orders in 90 days, at least.' }),
  ),
  futureValueAtLeast: Type.Optional(
    ref(AmountMinor, { description: 'Predicted value of 365 days in minor units of `currency`, at least.' }),
  ),
  currency: Type.Optional(ref(Currency, { description: 'Of `futureValueAtLeast`.' })),
};
