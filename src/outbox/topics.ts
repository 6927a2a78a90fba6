// Owns the names of events and what they match: one event answers to several topics, and an endpoint's list
// of event types overlaps them or not. Pure. Does not own what an event holds (catalogue.ts).

import { arrayText } from '../db/recordset.js';

export const EVENT_NAMES = [
  'customer.created',
  'customer.updated',
  'customer.stage_changed',
  'customer.declining',
  'customer.churned',
  'customer.recovered',
  'customer.reactivated',
  'customer.transition_retracted',
  'customer.merged',
  'customer.merge_undone',
  'customer.restored',
  'customer.erased',
  'order.recorded',
  'order.updated',
  'order.cancelled',
  'order.refunded',
  'touchpoint.recorded',
  'policy.activated',
  'webhook.endpoint_disabled',
  'ping',
] as const;
export type EventName = (typeof EVENT_NAMES)[number];

/** A transition tells one event, of its particular type; these are heard under the general name as well. */
const PARTICULAR_STAGE_CHANGES: readonly EventName[] = [
  'customer.declining',
  'customer.churned',
  'customer.recovered',
  'customer.reactivated',
];

/** Every event there is. */
export const EVERYTHING = '*';

function topics(name: EventName): readonly string[] {
  const all: string[] = [name];
  if (PARTICULAR_STAGE_CHANGES.includes(name)) all.push('customer.stage_changed');
  const dot = name.indexOf('.');
  if (dot > 0) all.push(`${name.slice(0, dot)}.*`);
  all.push(EVERYTHING);
  return all;
}

const TOPICS: ReadonlyMap<string, readonly string[]> = new Map(
  EVENT_NAMES.map((name) => [name, topics(name)]),
);

/** All that an endpoint or a reader can ask for: names, `customer.*` and its like, and `*`. */
export const TOPIC_NAMES: readonly string[] = [...new Set([...TOPICS.values()].flat())].sort();

/**
 * The topics that an event of this type answers to. An endpoint hears of it if its event types have any of
 * them, so the match is one array overlap in SQL and patterns are stored as they were written.
 */
export function topicsOf(type: string): readonly string[] {
  const found = TOPICS.get(type);
  // A type that is not in the catalogue has no schema either: that is a defect of the caller, not input.
  if (found === undefined) throw new Error(`the event type ${type} is not in the catalogue`);
  return found;
}

const TEXTS: ReadonlyMap<string, string> = new Map([...TOPICS].map(([name, all]) => [name, arrayText(all)]));

/** The same as Postgres writes an array: it travels with every event. */
export function topicsText(type: string): string {
  return TEXTS.get(type) ?? arrayText(topicsOf(type));
}

/** The types that any of these topics stands for. */
export function typesOf(asked: readonly string[]): EventName[] {
  return EVENT_NAMES.filter((name) => topicsOf(name).some((topic) => asked.includes(topic)));
}
