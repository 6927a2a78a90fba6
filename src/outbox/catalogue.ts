// Owns the catalogue of events: for each type what it means, its schema and an example, in one definition that
// the API's list, the OpenAPI document and the tests are made from. Does not own the shapes within
// (payloads.ts) or who is told (topics.ts).

import Type, { type TSchema } from 'typebox';
import { closed, ref, type Shared, shared } from '../api/schema.js';
import { Timestamp, Uuid } from '../api/shapes.js';
import { Touchpoint } from '../touchpoints/schemas.js';
import { EXAMPLE_DATA } from './examples.js';
import {
  disabledEndpoint,
  EventCustomer,
  EventMergedCustomer,
  EventOrder,
  EventPolicy,
  EventTransition,
  next,
  PAYLOAD_SCHEMAS,
  retracted,
  stage,
} from './payloads.js';
import { envelope } from './schemas.js';
import { EVENT_NAMES, type EventName } from './topics.js';

export interface EventTypeDefinition {
  type: EventName;
  summary: string;
  /** Of the whole body. */
  schema: Shared;
  example: object;
}

interface Content {
  summary: string;
  data: TSchema;
  /** Whether `previous` shows what was changed. */
  hasPrevious?: boolean;
}

const customer = ref(EventCustomer);
const order = closed({ customer, order: ref(EventOrder) });
const transition = closed({ customer, transition: ref(EventTransition), next });

const CONTENTS: Record<EventName, Content> = {
  'customer.created': { summary: 'A customer is known', data: closed({ customer }) },
  'customer.updated': {
    summary: "A customer's profile has changed",
    data: closed({ customer }),
    hasPrevious: true,
  },
  'customer.stage_changed': { summary: 'A customer has moved to another stage', data: transition },
  'customer.declining': { summary: 'A customer is slipping away', data: transition },
  'customer.churned': { summary: 'A customer has stopped buying', data: transition },
  'customer.recovered': { summary: 'A declining customer has ordered again', data: transition },
  'customer.reactivated': { summary: 'A churned customer has ordered again', data: transition },
  'customer.transition_retracted': {
    summary: 'A transition that was told of has turned out not to have happened',
    data: closed({ customer, retracted, stage, stageSince: ref(Timestamp) }),
  },
  'customer.merged': {
    summary: 'Another customer was merged into this one; what was told of them is this one’s now',
    data: closed({ customer, merged: ref(EventMergedCustomer), mergeId: ref(Uuid) }),
  },
  'customer.merge_undone': {
    summary: 'A merge was undone: a customer has got back what had come from another',
    data: closed({ customer, restored: ref(EventMergedCustomer), mergeId: ref(Uuid) }),
  },
  'customer.restored': {
    summary: 'A customer who had been merged into another stands for themselves again',
    data: closed({ customer, mergeId: ref(Uuid) }),
  },
  'customer.erased': {
    summary: 'The personal data of a customer was erased; nothing more is told of them',
    data: closed({ customer }),
  },
  'order.recorded': { summary: 'An order is known', data: order },
  'order.updated': { summary: 'An order has changed', data: order, hasPrevious: true },
  'order.cancelled': { summary: 'An order was cancelled', data: order, hasPrevious: true },
  'order.refunded': { summary: 'An order was refunded, in part or whole', data: order, hasPrevious: true },
  'touchpoint.recorded': {
    summary: 'An interaction with a customer is known',
    data: closed({ customer, touchpoint: ref(Touchpoint) }),
  },
  'policy.activated': { summary: 'A policy is in force', data: closed({ policy: ref(EventPolicy) }) },
  'webhook.endpoint_disabled': {
    summary: 'The service has disabled a webhook endpoint; the others are told',
    data: closed({ endpoint: disabledEndpoint }),
  },
  ping: { summary: 'A try-out of an endpoint', data: closed({ endpointId: ref(Uuid) }) },
};

const previous = Type.Optional(
  Type.Unsafe<object>({
    type: 'object',
    maxProperties: 100,
    description: 'The values before, of the fields that were changed.',
  }),
);

export const EVENT_TYPES: readonly EventTypeDefinition[] = EVENT_NAMES.map((type) => {
  const { summary, data, hasPrevious = false } = CONTENTS[type];
  const body = { ...envelope, type: Type.Literal(type), data, ...(hasPrevious ? { previous } : {}) };
  return {
    type,
    summary,
    schema: shared(schemaName(type), closed(body, { description: `${summary}.` })),
    example: exampleOf(type),
  };
});

/** `customer.stage_changed` becomes `CustomerStageChangedEvent`. */
function schemaName(type: EventName): string {
  const words = type.split(/[._]/).map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${words.join('')}Event`;
}

function exampleOf(type: EventName): object {
  const { data, previous: before, sequence } = EXAMPLE_DATA[type];
  return {
    id: '01890f3e-8c00-7a10-8000-0000000000e1',
    type,
    occurredAt: '2026-03-02T09:30:00.000Z',
    recordedAt: '2026-03-02T09:30:00.412Z',
    sequence,
    data,
    ...(before === undefined ? {} : { previous: before }),
  };
}

/** For the OpenAPI document: the schemas are registered, so that each appears there once. */
export const WEBHOOK_CATALOGUE = EVENT_TYPES.map(({ type, summary, schema, example }) => ({
  type,
  summary,
  schema: ref(schema),
  example,
}));

/** For registration. */
export const CATALOGUE_SCHEMAS: Shared[] = [...PAYLOAD_SCHEMAS, ...EVENT_TYPES.map(({ schema }) => schema)];

/** A schema with everything that it refers to inside, for readers who have nothing but it. */
export function selfContained(schema: Shared, registry: Record<string, unknown>): object {
  const definitions: Record<string, unknown> = {};
  const copy = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(copy);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => key !== '$id' && key !== 'discriminator')
        .map(([key, part]) => [key, key === '$ref' ? place(String(part)) : copy(part)]),
    );
  };
  const place = (reference: string): string => {
    const name = reference.replace(/#$/, '');
    if (!(name in definitions)) {
      definitions[name] = {};
      definitions[name] = copy(registry[name]);
    }
    return `#/$defs/${name}`;
  };
  const root = copy(schema) as object;
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', ...root, $defs: definitions };
}
