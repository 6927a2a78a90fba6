// Owns the shapes of what events hold: snapshots of customers, orders, touchpoints, transitions and policies as
// they were when it happened. Does not own which event holds which (catalogue.ts).

import Type from 'typebox';
import { ExternalId } from '../api/references.js';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import { AmountMinor, Currency, count, Timestamp, text, Uuid, Version } from '../api/shapes.js';
import { Attributes, Country, Customer } from '../customers/schemas.js';
import { PolicySchema } from '../lifecycle/policy.js';
import { STAGE_KEY_PATTERN } from '../lifecycle/stages.js';
import { TRANSITION_CAUSES } from '../lifecycle/transition.js';
import { Order, OrderLine, Refund } from '../orders/schemas.js';

const stage = Type.String({
  pattern: STAGE_KEY_PATTERN,
  maxLength: 64,
  description: 'A stage of the lifecycle.',
});
const LINES_MAX = 1_000;

export const EventCustomer = shared(
  'EventCustomer',
  closed(
    {
      id: ref(Uuid),
      kind: Customer.properties.kind,
      name: nullable(text({ max: 300 })),
      email: nullable(text({ max: 400 })),
      phone: nullable(text({ max: 100 })),
      country: nullable(ref(Country)),
      channel: nullable(text({ max: 100 })),
      owner: nullable(text({ max: 200 })),
      tags: Customer.properties.tags,
      externalIds: Type.Array(ref(ExternalId), { maxItems: 100 }),
      attributes: ref(Attributes),
      stage: nullable(stage, { description: 'Null in the event that tells of a new customer.' }),
      stageSince: nullable(ref(Timestamp)),
      version: ref(Version),
      createdAt: ref(Timestamp),
      updatedAt: ref(Timestamp),
      erasedAt: Type.Optional(ref(Timestamp, { description: 'Only where the personal data was erased.' })),
    },
    { description: 'A customer as they were when it happened.' },
  ),
);

export const EventMergedCustomer = shared(
  'EventMergedCustomer',
  closed(
    {
      id: ref(Uuid),
      name: EventCustomer.properties.name,
      email: EventCustomer.properties.email,
      phone: EventCustomer.properties.phone,
      externalIds: EventCustomer.properties.externalIds,
    },
    { description: 'Who a customer was before they were merged into another.' },
  ),
);

export const EventTransition = shared(
  'EventTransition',
  closed(
    {
      id: ref(Uuid),
      from: nullable(stage, { description: "Null for a customer's first stage." }),
      to: stage,
      cause: choice(TRANSITION_CAUSES),
      causeId: nullable(text({ max: 300 }), { description: 'The order, touchpoint or move behind it.' }),
      effectiveAt: ref(Timestamp, { description: 'When it became true.' }),
      recordedAt: ref(Timestamp, { description: 'When the service wrote it.' }),
      policyVersion: count({ description: 'The version of the policy that decided.' }),
      calibrationVersion: count({
        description: 'The version of the calibration it read; 0 before the first fit.',
      }),
      evidence: Type.Unsafe<object>({
        type: 'object',
        maxProperties: 100,
        description: 'The condition that held, and the facts and thresholds it was computed from.',
      }),
      actor: nullable(text({ max: 300 }), { description: 'Who moved the customer by hand.' }),
      reason: nullable(text({ max: 2_000 }), { description: 'Why, in their words.' }),
    },
    { description: 'One move between stages.' },
  ),
);

export const EventOrder = shared(
  'EventOrder',
  closed(
    {
      id: ref(Uuid),
      customerId: ref(Uuid),
      externalId: nullable(ref(ExternalId)),
      status: Order.properties.status,
      placedAt: ref(Timestamp),
      amountMinor: ref(AmountMinor),
      refundedMinor: ref(AmountMinor),
      currency: ref(Currency),
      lines: Type.Array(ref(OrderLine), { maxItems: LINES_MAX }),
      linesOmitted: Type.Optional(
        count({
          min: 1,
          max: LINES_MAX,
          description: 'How many lines were left out, to keep the body below 20 kB.',
        }),
      ),
      refunds: Type.Array(ref(Refund), { maxItems: 200 }),
      version: ref(Version),
    },
    { description: 'An order as it was when it happened.' },
  ),
);

export const EventPolicy = shared(
  'EventPolicy',
  closed({
    version: ref(Version),
    effectiveFrom: nullable(ref(Timestamp), { description: 'Null: from the beginning of time.' }),
    backfill: Type.Boolean({ description: 'Whether what it changes is kept from webhooks.' }),
    ...PolicySchema.properties,
  }),
);

export const disabledEndpoint = closed(
  {
    id: ref(Uuid),
    url: Type.String({ format: 'uri', maxLength: 2048, description: 'Without what follows a `?`.' }),
    reason: text({ max: 500 }),
    disabledAt: ref(Timestamp),
  },
  { description: 'An endpoint that is sent nothing any more, until somebody makes it active again.' },
);

export const next = nullable(closed({ at: ref(Timestamp), stage }), {
  description: 'The next stage if no fact arrives, and when.',
});

export const retracted = closed(
  {
    transitionId: ref(Uuid),
    from: nullable(stage),
    to: stage,
    effectiveAt: ref(Timestamp),
    eventId: nullable(ref(Uuid), { description: 'The event that told of it.' }),
  },
  { description: 'The transition that turned out never to have happened.' },
);

export { stage };

/** For registration. */
export const PAYLOAD_SCHEMAS: Shared[] = [
  EventCustomer,
  EventMergedCustomer,
  EventTransition,
  EventOrder,
  EventPolicy,
];
