// Owns the API shapes of shadows: the report, where a shadow and the live policy disagree, and its ledger.

import Type, { type Static } from 'typebox';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import { count, page, pageQuery, Timestamp, text, Uuid } from '../api/shapes.js';
import { PARTICULAR_TYPES, TRANSITION_CAUSES } from '../lifecycle/transition.js';
import type { Reason } from './reckon.js';
import type { Disagreement as DisagreementRow, ShadowTransition as LedgerRow } from './report-store.js';

const stageKey = () => text({ max: 64, description: 'The key of a stage.' });
const EVENT_TYPES = ['customer.stage_changed', ...PARTICULAR_TYPES.map((name) => `customer.${name}`)];
const CELLS_MAX = 10_000;

export const ShadowReport = shared(
  'ShadowReport',
  closed(
    {
      policyId: ref(Uuid),
      status: choice(['running', 'stopped']),
      since: ref(Timestamp, { description: 'The shadow decides from this instant on.' }),
      startedAt: ref(Timestamp),
      startedBy: text({ max: 300 }),
      stoppedAt: nullable(ref(Timestamp)),
      progress: closed({
        isCurrent: Type.Boolean({
          description: 'Whether every customer is decided by all that is known now.',
        }),
        customersWalked: count({ description: 'In the walk over all customers that a shadow begins with.' }),
        filledAt: nullable(ref(Timestamp), {
          description: 'When that walk was done; null while it is under way.',
        }),
        changesPending: count({
          description: 'Changes of customers that the shadow has not looked at, counted up to 10,000.',
        }),
        oldestPendingAt: nullable(ref(Timestamp)),
        customersDue: count({
          description: 'Whose stage changes under the shadow by now, counted up to 10,000.',
        }),
      }),
      customers: count(),
      customersDiffering: count({ description: 'Who stand in another stage than under the live policy.' }),
      matrix: Type.Array(closed({ liveStage: stageKey(), shadowStage: stageKey(), customers: count() }), {
        maxItems: CELLS_MAX,
        description: 'How many customers stand in which of the two stages.',
      }),
      transitions: Type.Array(
        closed({
          from: nullable(stageKey(), { description: 'Null for first rows.' }),
          to: stageKey(),
          shadow: count(),
          live: count(),
        }),
        { maxItems: CELLS_MAX, description: 'Moves in force since `since`, in either ledger.' },
      ),
      events: Type.Array(closed({ type: choice(EVENT_TYPES), shadow: count(), live: count() }), {
        maxItems: EVENT_TYPES.length,
        description:
          'What would have been told of the moves of the shadow, and what the live ones are told by.',
      }),
    },
    { description: 'A policy in shadow beside the live one. The shadow itself tells nobody anything.' },
  ),
);
export type ShadowReport = Static<typeof ShadowReport>;

const Why = closed({
  effectiveAt: ref(Timestamp, { description: 'Since when the customer stands there.' }),
  cause: choice(TRANSITION_CAUSES),
  evidence: Type.Unknown({
    description: 'The rule and condition that held, with its figures and thresholds.',
  }),
});

export const ShadowDisagreement = shared(
  'ShadowDisagreement',
  closed({
    customerId: ref(Uuid),
    liveStage: stageKey(),
    shadowStage: stageKey(),
    differsSince: ref(Timestamp, { description: 'From this instant on the two have differed all the time.' }),
    live: Why,
    shadow: Why,
    asOf: ref(Timestamp, { description: 'The instant up to which the shadow has decided.' }),
  }),
);
export type ShadowDisagreement = Static<typeof ShadowDisagreement>;
export const ShadowDisagreementPage = shared('ShadowDisagreementPage', page(ref(ShadowDisagreement)));
export type ShadowDisagreementPage = Static<typeof ShadowDisagreementPage>;

export const ShadowTransition = shared(
  'ShadowTransition',
  closed({
    id: ref(Uuid),
    policyId: ref(Uuid, { description: 'The policy in shadow.' }),
    customerId: ref(Uuid),
    from: nullable(stageKey(), { description: 'Null for a customer’s first row.' }),
    to: stageKey(),
    cause: choice(TRANSITION_CAUSES),
    causeId: nullable(text({ max: 64 }), { description: 'The order, touchpoint or move behind it.' }),
    effectiveAt: ref(Timestamp, { description: 'When it would have become true.' }),
    recordedAt: ref(Timestamp, { description: 'When the shadow wrote it.' }),
    supersededAt: nullable(ref(Timestamp), { description: 'When it was taken back; null while in force.' }),
    policyVersion: nullable(count(), {
      description: 'Null where the shadow has decided; before `since` the version that was in force.',
    }),
    calibrationVersion: count({ description: 'The calibration that it read; 0 before the first.' }),
    evidence: Type.Unknown({
      description: 'The rule and condition that held, with its figures and thresholds.',
    }),
    actor: nullable(text({ max: 300 }), { description: 'Who moved the customer by hand.' }),
    reason: nullable(text({ max: 1000 })),
  }),
);
export type ShadowTransition = Static<typeof ShadowTransition>;
export const ShadowTransitionPage = shared('ShadowTransitionPage', page(ref(ShadowTransition)));
export type ShadowTransitionPage = Static<typeof ShadowTransitionPage>;

export const policyPath = closed({ id: ref(Uuid) });

export const disagreementsQuery = closed({
  ...pageQuery,
  liveStage: Type.Optional(stageKey()),
  shadowStage: Type.Optional(stageKey()),
});
export type DisagreementsQuery = Static<typeof disagreementsQuery>;

export const shadowLedgerQuery = closed({
  ...pageQuery,
  policyId: Type.Optional(ref(Uuid, { description: 'Of this shadow alone.' })),
  superseded: Type.Optional(
    Type.Boolean({ default: false, description: 'Include rows that were taken back.' }),
  ),
});
export type ShadowLedgerQuery = Static<typeof shadowLedgerQuery>;

/** For registration. */
export const SHADOW_SCHEMAS: Shared[] = [
  ShadowReport,
  ShadowDisagreement,
  ShadowDisagreementPage,
  ShadowTransition,
  ShadowTransitionPage,
];

export function toApiDisagreement(row: DisagreementRow): ShadowDisagreement {
  const { customerId, liveStage, shadowStage, differsSince, basis, asOf } = row;
  return {
    ...{ customerId, liveStage, shadowStage },
    differsSince: differsSince.toISOString(),
    live: whyOf(basis.live),
    shadow: whyOf(basis.shadow),
    asOf: asOf.toISOString(),
  };
}

function whyOf({ effectiveAt, cause, evidence }: Reason) {
  return { effectiveAt, cause, evidence };
}

export function toApiShadowTransition(row: LedgerRow): ShadowTransition {
  const { id, policyId, customer, from, to, cause, causeId, policyVersion, calibrationVersion } = row;
  const { evidence, actor, reason, effectiveAt, recordedAt, supersededAt } = row;
  return {
    ...{ id, policyId, customerId: customer, from, to, cause, causeId },
    effectiveAt: new Date(effectiveAt).toISOString(),
    recordedAt: recordedAt.toISOString(),
    supersededAt: supersededAt?.toISOString() ?? null,
    ...{ policyVersion, calibrationVersion, evidence, actor, reason },
  };
}
