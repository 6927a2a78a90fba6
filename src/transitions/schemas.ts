// Owns the API shapes of the ledger and of manual moves. Does not own how a row comes about (lifecycle/).

import Type, { type Static } from 'typebox';
import { CustomerRef } from '../api/references.js';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import { count, page, pageQuery, stageKey, Timestamp, TimestampInput, text, Uuid } from '../api/shapes.js';
import { TRANSITION_CAUSES } from '../lifecycle/transition.js';
import type { LedgerView } from './feed-store.js';
import { transitionPayload } from './telling.js';
import type { LedgerRow, Standing } from './work.js';

export const Transition = shared(
  'Transition',
  closed({
    id: ref(Uuid),
    customerId: ref(Uuid),
    from: nullable(stageKey(), { description: 'Null for a customer’s first row.' }),
    to: stageKey(),
    cause: choice(TRANSITION_CAUSES),
    causeId: nullable(text({ max: 64 }), { description: 'The order, touchpoint or move behind it.' }),
    effectiveAt: ref(Timestamp, { description: 'When it became true.' }),
    recordedAt: ref(Timestamp, { description: 'When the service wrote it.' }),
    supersededAt: nullable(ref(Timestamp), {
      description: 'When a correction took it back; null while in force.',
    }),
    policyVersion: count({ description: 'The policy that decided.' }),
    calibrationVersion: count({ description: 'The calibration that it read; 0 before the first.' }),
    evidence: Type.Unknown({
      description: 'The rule and condition that held, with its figures and thresholds.',
    }),
    actor: nullable(text({ max: 300 }), { description: 'Who moved the customer by hand.' }),
    reason: nullable(text({ max: 1000 })),
    correctionId: nullable(ref(Uuid), { description: 'Shared by all rows and events of one correction.' }),
  }),
);
export type Transition = Static<typeof Transition>;

export const TransitionPage = shared('TransitionPage', page(ref(Transition)));

export const MoveInput = shared(
  'MoveInput',
  closed({
    to: stageKey(),
    reason: text({ max: 1000, description: 'Why; it stands in the ledger.' }),
    holdUntil: Type.Optional(
      nullable(ref(TimestampInput), {
        description: 'The rules wait until then; without it until the next counting order or a later move.',
      }),
    ),
  }),
);
export type MoveInput = Static<typeof MoveInput>;

export const MoveResult = shared(
  'MoveResult',
  closed({
    customerId: ref(Uuid),
    stage: stageKey(),
    stageSince: ref(Timestamp),
    holdUntil: nullable(ref(Timestamp), { description: 'Null: until an order or a later move.' }),
    transition: nullable(ref(Transition), {
      description: 'Null where the customer was in the stage already.',
    }),
  }),
);

export const historyQuery = closed({
  ...pageQuery,
  superseded: Type.Optional(
    Type.Boolean({ default: false, description: 'Include rows that were taken back.' }),
  ),
});

export const feedQuery = closed({
  ...pageQuery,
  stage: Type.Optional(stageKey()),
  cause: Type.Optional(choice(TRANSITION_CAUSES)),
  effectiveFrom: Type.Optional(ref(TimestampInput, { description: 'In effect at this instant or later.' })),
  effectiveTo: Type.Optional(ref(TimestampInput, { description: 'In effect before this instant.' })),
});

export const customerPath = closed({ ref: ref(CustomerRef) });

export const TRANSITION_SCHEMAS: Shared[] = [Transition, TransitionPage, MoveInput, MoveResult];

export function toApiTransition(row: LedgerView): Transition {
  return {
    ...transitionPayload(row.id, row, row.recordedAt),
    customerId: row.customer,
    supersededAt: row.supersededAt?.toISOString() ?? null,
    correctionId: row.correctionId,
  };
}

export function toApiMove({
  customerId,
  stage,
  stageSince,
  state,
  added,
  recordedAt,
}: Standing): Static<typeof MoveResult> {
  // A move makes at most one row, after those that were due before it.
  const moved = added.findLast((row: LedgerRow) => row.cause === 'manual');
  const until = state.hold?.until ?? null;
  return {
    customerId,
    stage,
    stageSince: stageSince.toISOString(),
    holdUntil: until === null ? null : new Date(until).toISOString(),
    transition: moved === undefined ? null : toApiTransition({ ...moved, recordedAt, supersededAt: null }),
  };
}
