// Owns what the API says of a customer: the profile with where they stand, and for a single one the facts,
// their rhythm and what comes next. Pure.

import { type PredictionFacts, predict } from '../lifecycle/models/prediction.js';
import type { PredictionEvidence } from '../models/service.js';
import type { ListedCustomer, LockedCustomer, Standing } from '../transitions/work.js';
import { customerPayload } from './payload.js';
import type { CustomerProfile } from './profile-schemas.js';
import type { AttributeValue, Customer } from './schemas.js';

/** How often the customer was in touch lately. */
export interface RecentInteractions {
  last30Days: number;
  last90Days: number;
}

/** `standing` is where an advance in this transaction has left the customer, if there was one. */
export function toApiCustomer(customer: ListedCustomer, standing?: Standing): Customer {
  const { stage, stageSince, lifecycleVersion } = standing ?? customer;
  if (stage === null || stageSince === null) throw new Error('a customer that is shown has a stage');
  const payload = customerPayload(customer.snapshot, { stage, stageSince, lifecycleVersion });
  // The column is free in its type; what the API has let in is not.
  return { ...payload, attributes: payload.attributes as Record<string, AttributeValue> };
}

/** What a profile says beside the customer's own rows. */
export interface ProfileView {
  recent: RecentInteractions;
  evidence: PredictionEvidence;
  now: Date;
}

export function toApiProfile(
  customer: LockedCustomer,
  { recent, evidence, now }: ProfileView,
): CustomerProfile {
  const facts = customer.state?.facts;
  if (facts === undefined) throw new Error('a customer that is shown has a state');
  const spend = Object.entries(facts.spend).map(([currency, amountMinor]) => ({ currency, amountMinor }));
  return {
    ...toApiCustomer(customer),
    facts: {
      orders: facts.orders,
      purchaseDays: facts.purchaseDays,
      firstOrderAt: isoOf(facts.firstOrderAt),
      lastOrderAt: isoOf(facts.lastOrderAt),
      spend: spend as CustomerProfile['facts']['spend'],
      categories: facts.categories,
      interactions: facts.interactions,
      interactionsLast30Days: recent.last30Days,
      interactionsLast90Days: recent.last90Days,
      lastInteractionAt: isoOf(facts.lastInteractionAt),
    },
    cadence: customer.outlook?.cadence ?? null,
    hold: holdOf(customer),
    next: customer.outlook?.next ?? null,
    predictions: predictionsOf(facts, evidence, now),
  };
}

function predictionsOf(
  facts: PredictionFacts,
  { calibration, currencies }: PredictionEvidence,
  now: Date,
): CustomerProfile['predictions'] {
  const prediction = predict({ facts, currencies }, calibration, now.getTime());
  const values = prediction.values as CustomerProfile['predictions']['values'];
  // What does not change by time alone says no time: a profile without a model is the same at each reading.
  return { asOf: prediction.model === null ? null : now.toISOString(), ...prediction, values };
}

function holdOf({ state }: LockedCustomer): CustomerProfile['hold'] {
  if (state?.hold == null) return null;
  const { stage, since, until } = state.hold;
  return { stage, since: new Date(since).toISOString(), until: isoOf(until) };
}

function isoOf(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
