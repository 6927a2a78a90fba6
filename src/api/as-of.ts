// Owns the two instants by which a past is asked for: when something was true, and what was known of it by when.
// Does not own what is answered (transitions/as-of.ts).

import Type from 'typebox';
import { type Fault, InvalidError } from '../errors.js';
import { ref } from './schema.js';
import { TimestampInput } from './shapes.js';

export interface Instants {
  /** What was in effect then, this millisecond included. */
  asOf: Date;
  /** By what was recorded then, this millisecond included, and had not been taken back. */
  knownAt: Date;
}

export interface InstantsQuery {
  asOf?: string;
  knownAt?: string;
}

/** Spread them into a route's query. */
export const asOfQuery = {
  asOf: Type.Optional(
    ref(TimestampInput, {
      description: 'The stages that were in effect at this instant, which has come; now, unless it is said.',
    }),
  ),
  knownAt: Type.Optional(
    ref(TimestampInput, {
      description:
        'By what the service knew at this instant, which has come: corrections that were recorded later are ' +
        'left out. Now, unless it is said.',
    }),
  ),
};

export function asksForPast({ asOf, knownAt }: InstantsQuery): boolean {
  return asOf !== undefined || knownAt !== undefined;
}

/** What is not said is now. Throws where either has not come yet: nobody knows what will be in effect then. */
export function instantsOf(query: InstantsQuery, now: Date): Instants {
  const instants = { asOf: instantOf(query.asOf, now), knownAt: instantOf(query.knownAt, now) };
  refuse(futureFaults({ ...instants }, now));
  return instants;
}

export function instantOf(given: string | undefined, otherwise: Date): Date {
  return given === undefined ? otherwise : new Date(given);
}

export function futureFaults(instants: Readonly<Record<string, Date>>, now: Date): Fault[] {
  return Object.entries(instants)
    .filter(([, at]) => at > now)
    .map(([name]) => ({ pointer: `/query/${name}`, detail: 'lies in the future' }));
}

/** Throws if there are any. */
export function refuse(faults: Fault[]): void {
  const [first] = faults;
  if (first === undefined) return;
  throw new InvalidError('invalid_request', `${first.pointer} ${first.detail}.`, { faults });
}
