// Owns the API shapes of simulations: a made-up history in, the stages that it would go through out. Does not own
// what comes of it (lifecycle/simulate.ts).

import Type, { type Static } from 'typebox';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import {
  AmountMinor,
  Currency,
  count,
  stageKey,
  Timestamp,
  TimestampInput,
  text,
  Uuid,
  Version,
} from '../api/shapes.js';
import { Attributes, Country } from '../customers/schemas.js';
import { tagList } from '../customers/tag-schemas.js';
import { TRANSITION_CAUSES } from '../lifecycle/transition.js';
import { Satisfaction } from '../touchpoints/schemas.js';
import { explanationMembers } from '../transitions/explanation-schemas.js';

const FACTS_MAX = 500;
/** A stage can change by time alone once a day at the most. */
const TRANSITIONS_MAX = 10_000;
const at = (description: string) => ref(TimestampInput, { description });

export const SimulationInput = shared(
  'SimulationInput',
  closed(
    {
      until: Type.Optional(at('How far to go; now unless it is said. May lie ahead.')),
      createdAt: Type.Optional(at('When the customer is known from; their earliest fact unless it is said.')),
      orders: Type.Optional(
        Type.Array(
          closed({
            placedAt: ref(TimestampInput),
            amountMinor: Type.Optional(ref(AmountMinor)),
            currency: Type.Optional(ref(Currency)),
            categories: Type.Optional(Type.Array(text({ max: 100 }), { maxItems: 64 })),
          }),
          { maxItems: FACTS_MAX, description: 'Counting orders, in any order.' },
        ),
      ),
      touchpoints: Type.Optional(
        Type.Array(
          closed({ occurredAt: ref(TimestampInput), satisfaction: Type.Optional(ref(Satisfaction)) }),
          { maxItems: FACTS_MAX },
        ),
      ),
      moves: Type.Optional(
        Type.Array(
          closed({
            at: ref(TimestampInput),
            to: stageKey('A stage of the lifecycle.'),
            holdUntil: Type.Optional(nullable(ref(TimestampInput))),
          }),
          { maxItems: 100, description: 'Manual moves, taken to have been permitted.' },
        ),
      ),
      profile: Type.Optional(
        Type.Array(
          closed({
            from: ref(TimestampInput),
            channel: Type.Optional(nullable(text({ max: 100 }))),
            country: Type.Optional(nullable(ref(Country))),
            tags: Type.Optional(tagList),
            attributes: Type.Optional(ref(Attributes)),
          }),
          {
            maxItems: 100,
            description: 'What the profile says from an instant on; what is not given stays.',
          },
        ),
      ),
    },
    { description: 'The history of a customer who does not exist.' },
  ),
);
export type SimulationInput = Static<typeof SimulationInput>;

/** The policy is named beside it. */
const { policyVersion: _, ...explained } = explanationMembers;

const SimulatedTransition = closed({
  effectiveAt: ref(Timestamp),
  from: nullable(stageKey()),
  to: stageKey(),
  cause: choice(TRANSITION_CAUSES),
  causeId: nullable(text({ max: 64 }), {
    description: 'The fact behind it, by its place among those given: `orders/000`, `touchpoints/002`.',
  }),
  event: text({ max: 64, description: 'The type of the event that would be told.' }),
  evidence: Type.Unknown({
    description: 'The rule and condition that held, with its figures and thresholds.',
  }),
});

export const Simulation = shared(
  'Simulation',
  closed({
    policyId: ref(Uuid),
    version: nullable(ref(Version)),
    calibrationVersion: count({ description: 'The fits that were used: the newest, 0 before the first.' }),
    transitions: Type.Array(SimulatedTransition, { maxItems: TRANSITIONS_MAX, description: 'Oldest first.' }),
    explanation: closed(explained, { description: 'Of where the customer stands at the end.' }),
  }),
);

export const SIMULATION_SCHEMAS: Shared[] = [SimulationInput, Simulation];
