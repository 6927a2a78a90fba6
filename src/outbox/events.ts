// Owns the making of an event: its id, its envelope, and the very text that is stored, signed and sent. Does
// not own the types and their schemas (catalogue.ts) nor how events are written (publish.ts).

import type { Context } from '../context.js';
import { newId } from '../ids.js';
import { topicsText } from './topics.js';

export { factsOfBody } from './facts.js';

/** What a module tells of. `data` and `previous` are snapshots: they are turned into text here and now. */
export interface DraftEvent {
  type: string;
  occurredAt: Date;
  data: object;
  previous?: object;
  /** A sample: nothing has happened, and the signed text says so. */
  test?: true;
}

export interface EventDraft {
  /** Where the caller refers to the event elsewhere in its transaction; else it gets one. */
  id?: string;
  draft: DraftEvent;
  customerId: string | null;
  /** Given under the customer's lock; null for an event that concerns no customer. */
  sequence: number | null;
  correctionId?: string | null;
  /** Where it is another than the transaction's own clock says. */
  recordedAt?: Date;
  /** False where the event enters the feed but no webhook goes out. */
  deliver: boolean;
}

/** An event as the insert takes it: the names are those of the rows in publish.ts. */
export interface EventRow {
  id: string;
  type: string;
  customer_id: string | null;
  sequence: number | null;
  occurred_at: Date;
  recorded_at: Date;
  correction_id: string | null;
  deliver: boolean;
  body: string;
  /** Postgres' text of an array. */
  topics: string;
  /** The place in the feed, where the transaction that writes it has been given one (number.ts). */
  position?: number;
}

/** Gives events their ids and texts, in the order of the drafts. Writes nothing. */
export function prepareEvents({ now }: Pick<Context, 'now'>, events: readonly EventDraft[]): EventRow[] {
  return events.map((event) => prepare(event, now));
}

function prepare(event: EventDraft, now: Date): EventRow {
  const { draft, customerId, sequence, deliver } = event;
  const { type, data, previous, occurredAt } = draft;
  const id = event.id ?? newId();
  const correctionId = event.correctionId ?? null;
  const recordedAt = event.recordedAt ?? now;
  const envelope: Envelope = {
    id,
    type,
    occurredAt: occurredAt.toISOString(),
    recordedAt: recordedAt.toISOString(),
    sequence,
  };
  if (correctionId !== null) envelope.correctionId = correctionId;
  if (draft.test === true) envelope.test = true;
  envelope.data = data;
  if (previous !== undefined) envelope.previous = previous;
  return {
    id,
    type,
    customer_id: customerId,
    sequence,
    occurred_at: occurredAt,
    recorded_at: recordedAt,
    correction_id: correctionId,
    deliver,
    body: boundBody(envelope),
    topics: topicsText(type),
  };
}

export interface Envelope {
  id: string;
  type: string;
  occurredAt: string;
  recordedAt: string;
  sequence: number | null;
  correctionId?: string;
  test?: true;
  data?: object;
  previous?: object;
}

/** Receivers commonly stop reading at some tens of kilobytes; an order of a thousand lines must not break them. */
export const BODY_BYTES_MAX = 20_000;
/** Room for `,"linesOmitted":` and its number, taken before lines are counted in. */
const OMISSION_BYTES = 32;

/**
 * The text of an event. Over 20 kB (20,000 bytes), the order's lines are cut from the end, and `linesOmitted`
 * says how many; nothing else is ever cut, since it could not be told.
 */
export function boundBody(envelope: Envelope): string {
  const text = JSON.stringify(envelope);
  // A UTF-16 unit takes three bytes at most: most events are told to be small without counting them.
  if (text.length * 3 <= BODY_BYTES_MAX || Buffer.byteLength(text) <= BODY_BYTES_MAX) return text;
  const data = envelope.data as { order?: { lines?: unknown[] } } | undefined;
  const lines = data?.order?.lines;
  if (data === undefined || lines === undefined || lines.length === 0) return text;
  const sizes = lines.map((line) => Buffer.byteLength(JSON.stringify(line)) + 1);
  const linesBytes = sizes.reduce((sum, size) => sum + size, 0);
  let room = BODY_BYTES_MAX - OMISSION_BYTES - (Buffer.byteLength(text) - linesBytes);
  let kept = 0;
  for (const size of sizes) {
    if (size > room) break;
    room -= size;
    kept += 1;
  }
  const order = { ...data.order, lines: lines.slice(0, kept), linesOmitted: lines.length - kept };
  return JSON.stringify({ ...envelope, data: { ...data, order } });
}
