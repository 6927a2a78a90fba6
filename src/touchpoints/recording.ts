// Owns what becomes of each touchpoint that is sent: recorded, a harmless repeat, or refused. Pure: it is
// given whom the items name and what is recorded already, and answers rows, facts and events to write.

import { createHash } from 'node:crypto';
import { attempt } from '../api/items.js';
import { ConflictError, InvalidError, type PerennialError } from '../errors.js';
import { newId } from '../ids.js';
import { SATISFACTION_BOUNDS, type TouchpointFact } from '../lifecycle/facts.js';
import { customerErased, pointedAt, unknownCustomer } from '../transitions/absence.js';
import type { Advancement, LockedCustomer } from '../transitions/work.js';
import { SATISFACTION_KIND, type TouchpointInput } from './schemas.js';
import type { TouchpointRow } from './store.js';
import { satisfactionOf, toApiTouchpoint } from './views.js';

/** Clocks differ; a touchpoint further ahead is a mistake. */
const AHEAD_MAX_MS = 5 * 60_000;

export interface Recording {
  inputs: readonly TouchpointInput[];
  /** Whom each input names, locked; undefined where nobody. */
  customers: readonly (LockedCustomer | undefined)[];
  /** Why, in their order without those that were found. */
  absences: readonly PerennialError[];
  /** Those of the inputs' external ids that are recorded. */
  known: readonly TouchpointRow[];
  now: Date;
}

/** `recorded` is false for the repeat of one that is there. */
export type Outcome = { row: TouchpointRow; recorded: boolean } | PerennialError;

export interface Recorded {
  outcomes: Outcome[];
  rows: TouchpointRow[];
  advancements: Advancement[];
}

export function recordAll({ inputs, customers, absences, known, now }: Recording): Recorded {
  const byExternalId = new Map(known.map((row) => [`${row.namespace} ${row.externalId}`, row]));
  const missing = [...absences];
  const advancements = new Map<string, Advancement>();
  const rows: TouchpointRow[] = [];
  const outcomes = inputs.map((input, index) =>
    attempt((): Outcome => {
      const customer = customers[index];
      if (customer === undefined) throw pointedAt('/customer', missing.shift() ?? unknownCustomer());
      const { id, erasedAt } = customer.snapshot;
      if (erasedAt !== null) throw pointedAt('/customer', customerErased(id));
      const row = newRow(input, customer, now);
      const key = `${row.namespace} ${row.externalId}`;
      const earlier = row.namespace === null ? undefined : byExternalId.get(key);
      if (earlier !== undefined) return repeat(earlier, row);
      byExternalId.set(key, row);
      rows.push(row);
      tell(advancements, customer, row);
      return { row, recorded: true };
    }),
  );
  return { outcomes, rows, advancements: [...advancements.values()] };
}

function newRow(input: TouchpointInput, { snapshot }: LockedCustomer, now: Date): TouchpointRow {
  const occurredAt = input.occurredAt === undefined ? now : new Date(input.occurredAt);
  if (occurredAt.getTime() > now.getTime() + AHEAD_MAX_MS) throw tooFarAhead();
  checkSatisfaction(input);
  const { channel, direction, kind, outcome = null, actor = null, note = null } = input;
  return {
    id: newId(),
    customerId: snapshot.id,
    channel,
    direction,
    kind,
    outcome,
    actor,
    note,
    satisfactionScale: input.satisfaction?.scale ?? null,
    satisfactionScore: input.satisfaction?.score ?? null,
    occurredAt,
    namespace: input.externalId?.namespace ?? null,
    externalId: input.externalId?.id ?? null,
    fingerprint: fingerprintOf(input, snapshot.id),
    createdAt: now,
  };
}

/**
 * By what was sent, with the customer by id: it may be named in two ways. A time that was left to us is left
 * out, or a repeat would always differ. Without an answer it is what it was before there were any.
 */
function fingerprintOf(input: TouchpointInput, customerId: string): string {
  const at = input.occurredAt === undefined ? null : Date.parse(input.occurredAt);
  const { channel, direction, kind, outcome = null, actor = null, note = null } = input;
  const parts: unknown[] = [customerId, channel, direction, kind, outcome, actor, note, at];
  if (input.satisfaction != null) parts.push(input.satisfaction.scale, input.satisfaction.score);
  const sent = JSON.stringify(parts);
  return createHash('sha256').update(sent).digest('hex');
}

function repeat(earlier: TouchpointRow, row: TouchpointRow): Outcome {
  if (earlier.fingerprint === row.fingerprint) return { row: earlier, recorded: false };
  throw new ConflictError(
    'touchpoint_already_exists',
    'A touchpoint with this external id has other content.',
    {
      faults: [{ pointer: '/externalId', detail: 'is taken by another touchpoint' }],
      members: { touchpointId: earlier.id },
    },
  );
}

/** Adds the fact and its event to what the customer's advance is told; that fills in the event's customer. */
function tell(advancements: Map<string, Advancement>, customer: LockedCustomer, row: TouchpointRow): void {
  const { id } = customer.snapshot;
  const advancement = advancements.get(id) ?? { customer, touchpoints: [], events: [] };
  advancements.set(id, advancement);
  advancement.touchpoints?.push(factOf(row));
  advancement.events?.push({
    type: 'touchpoint.recorded',
    occurredAt: row.occurredAt,
    data: { touchpoint: toApiTouchpoint(row) },
  });
}

function factOf(row: TouchpointRow): TouchpointFact {
  return { id: row.id, at: row.occurredAt.getTime(), satisfaction: satisfactionOf(row) };
}

function checkSatisfaction({ kind, satisfaction }: TouchpointInput): void {
  if (satisfaction == null) return;
  if (kind !== SATISFACTION_KIND) {
    throw invalid('/satisfaction', `must only be given with the kind ${SATISFACTION_KIND}`);
  }
  const { scale, score } = satisfaction;
  const [lowest, highest] = SATISFACTION_BOUNDS[scale];
  if (score < lowest || score > highest) {
    throw invalid('/satisfaction/score', `must be from ${lowest} to ${highest} on the scale ${scale}`);
  }
}

function invalid(pointer: string, detail: string): InvalidError {
  return new InvalidError('invalid_request', `${pointer} ${detail}`, { faults: [{ pointer, detail }] });
}

function tooFarAhead(): InvalidError {
  const detail = 'lies more than 5 minutes ahead';
  return new InvalidError('occurred_in_future', `/occurredAt ${detail}`, {
    faults: [{ pointer: '/occurredAt', detail }],
  });
}
