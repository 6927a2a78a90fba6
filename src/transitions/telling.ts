// Owns what is told of one customer's change: the events in their order, and the ledger rows that they tell of.
// Pure. Does not own what has changed (ledger.ts) nor how any of it is written (ledger-store.ts).

import { customerPayload } from '../customers/payload.js';
import { newId } from '../ids.js';
import type { Advance } from '../lifecycle/replay.js';
import type { CompiledTimeline } from '../lifecycle/timeline.js';
import { particularType, type Transition } from '../lifecycle/transition.js';
import type { EventDraft } from '../outbox/events.js';
import type { Advancement, AdvanceOptions, Heard, LedgerRow, Standing } from './work.js';

const ERASED = 'customer.erased';

/** A standing before its rows have their ids. */
export type Bearing = Omit<Standing, 'added'>;

/** The difference between the ledger in force and what a walk has given. */
export interface Change {
  /** Newest first. */
  retract: LedgerRow[];
  refresh: { row: LedgerRow; transition: Transition }[];
  add: Transition[];
  correctionId: string | null;
}

export interface Telling {
  advancement: Advancement;
  timeline: CompiledTimeline;
  now: Date;
  options: AdvanceOptions;
}

/** Events in their order: the caller's own, the retractions (newest first), the new rows (oldest first). */
export function tell(input: Telling, standing: Bearing, change: Change, result: Advance) {
  const { advancement, now, options } = input;
  const { snapshot, sequence } = advancement.customer;
  const customer = customerPayload(snapshot, standing);
  const { correctionId } = change;
  const nowMs = now.getTime();
  const events: EventDraft[] = [];
  const push = (draft: EventDraft['draft'], deliver: boolean, correction: string | null): string => {
    const id = newId();
    events.push({
      id,
      customerId: snapshot.id,
      sequence: sequence + events.length + 1,
      draft,
      deliver,
      correctionId: correction,
      recordedAt: now,
    });
    return id;
  };
  // Of one whose data was erased partners hear that, and nothing after it.
  const isHeardOf = snapshot.erasedAt === null;
  const deliver = options.deliver && isHeardOf;
  for (const draft of advancement.events ?? []) {
    const isHeard = isHeardOf || draft.type === ERASED;
    push({ ...draft, data: { ...draft.data, customer } }, options.deliver && isHeard, null);
  }
  for (const row of change.retract) {
    const draft = { ...retraction(row, standing), occurredAt: now };
    push({ ...draft, data: { customer, ...draft.data } }, deliver && row.told, correctionId);
  }
  const last = change.add.at(-1);
  const inForceAfter = result.transitions.at(-1);
  const added = change.add.map((transition): LedgerRow => {
    const isNews = options.mode === 'tick' || (transition === last && last === inForceAfter);
    const isKnown = advancement.heard?.some((heard) => isSame(heard, transition)) ?? false;
    // Told or known, a retraction of it will be for partners.
    const told = isHeardOf && (isKnown || (options.deliver && isNews));
    const id = newId();
    const eventId = push(
      {
        type: eventType(transition, input.timeline),
        occurredAt: new Date(transition.effectiveAt),
        data: { customer, transition: transitionPayload(id, transition, now), next: nextOf(standing) },
      },
      told && !isKnown,
      correctionId,
    );
    return written(transition, { id, customer: snapshot.id, correctionId, eventId, told, writtenAt: nowMs });
  });
  for (const pair of change.refresh) added.push(refreshed(pair, snapshot.id, nowMs));
  return { events, added };
}

function isSame(a: Heard, b: Heard): boolean {
  return a.effectiveAt === b.effectiveAt && a.from === b.from && a.to === b.to && a.cause === b.cause;
}

type Writing = Pick<LedgerRow, 'id' | 'customer' | 'correctionId' | 'eventId' | 'told' | 'writtenAt'>;

/** Field by field: this is made for every transition, and copying objects by their names costs more than that. */
function written(transition: Transition, writing: Writing): LedgerRow {
  return {
    effectiveAt: transition.effectiveAt,
    from: transition.from,
    to: transition.to,
    cause: transition.cause,
    causeId: transition.causeId,
    policyVersion: transition.policyVersion,
    calibrationVersion: transition.calibrationVersion,
    evidence: transition.evidence,
    actor: transition.actor,
    reason: transition.reason,
    id: writing.id,
    customer: writing.customer,
    correctionId: writing.correctionId,
    eventId: writing.eventId,
    told: writing.told,
    writtenAt: writing.writtenAt,
  };
}

/** Evidence alone has changed: re-recorded in silence, still tied to the event that told of the row. */
function refreshed(
  { row, transition }: Change['refresh'][number],
  customer: string,
  writtenAt: number,
): LedgerRow {
  const { eventId, told, correctionId } = row;
  return written(transition, {
    id: newId(),
    customer,
    correctionId: correctionId ?? null,
    eventId,
    told,
    writtenAt,
  });
}

function nextOf({ outlook }: Bearing): { at: string; stage: string } | null {
  return outlook.next === null ? null : { at: outlook.next.at, stage: outlook.next.stage };
}

function retraction(row: LedgerRow, standing: Bearing) {
  return {
    type: 'customer.transition_retracted',
    data: {
      retracted: {
        transitionId: row.announcedId ?? row.id,
        from: row.from,
        to: row.to,
        effectiveAt: new Date(row.effectiveAt).toISOString(),
        eventId: row.eventId,
      },
      stage: standing.stage,
      stageSince: standing.stageSince.toISOString(),
    },
  };
}

function eventType(transition: Transition, timeline: CompiledTimeline): string {
  const particular = particularType(transition, timeline.lifecycleOf(transition.policyVersion));
  return `customer.${particular ?? 'stage_changed'}`;
}

/** A transition as events and the API show it. */
export function transitionPayload(id: string, transition: Transition, recordedAt: Date) {
  return {
    id,
    from: transition.from,
    to: transition.to,
    cause: transition.cause,
    causeId: transition.causeId,
    effectiveAt: new Date(transition.effectiveAt).toISOString(),
    recordedAt: recordedAt.toISOString(),
    policyVersion: transition.policyVersion,
    calibrationVersion: transition.calibrationVersion,
    evidence: transition.evidence,
    actor: transition.actor,
    reason: transition.reason,
  };
}
