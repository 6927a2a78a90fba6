// Owns the sum of what a preview has seen: who would move from where to where, what would be told, and a few
// customers to look at. Bounded, whatever the tenant's size. Does not own the seeing (transitions/). Pure.

import { anonymousEvidence, type Foreseen } from '../transitions/service.js';

/** Stages are few; were they not, what has no room is counted in one figure. */
export const CELLS_MAX = 1_000;
export const SAMPLE_MAX = 50;
/** Of one move, while others have not filled the sample. */
const SAMPLE_EACH_MIN = 5;

export interface PreviewMove {
  from: string;
  to: string;
  customers: number;
  /** Of them, those that a person's move holds. */
  held: number;
}

export interface PreviewEvents {
  type: string;
  events: number;
  /** Of them, those that webhooks would go out for, to whoever listens. */
  deliverable: number;
}

export interface PreviewCustomer {
  customerId: string;
  from: string;
  to: string;
  held: boolean;
  because: object | null;
}

/** What a list shows of a tally. */
export interface PreviewFigures {
  customers: number;
  /** Those whose stage would be another. */
  moving: number;
  held: number;
  /** Those of another kind of stage now who would be in a churned one. */
  straightToChurned: number;
}

/** Plain JSON: it is stored with the preview, and goes on from there. */
export interface PreviewTally extends PreviewFigures {
  /** Those who stay included, where `from` is `to`. */
  moves: PreviewMove[];
  /** Customers of moves that there was no room for. */
  movesOmitted: number;
  events: PreviewEvents[];
  sample: PreviewCustomer[];
}

export function emptyTally(): PreviewTally {
  return {
    ...{ customers: 0, moving: 0, held: 0, straightToChurned: 0 },
    ...{ moves: [], movesOmitted: 0, events: [], sample: [] },
  };
}

/** Adds customers to a tally, which the caller must own. */
export function addTo(tally: PreviewTally, seen: readonly Foreseen[]): void {
  for (const customer of seen) {
    const { from, to, isHeld, events } = customer;
    tally.customers += 1;
    if (isHeld) tally.held += 1;
    if (to.kind === 'churned' && from.kind !== 'churned') tally.straightToChurned += 1;
    countMove(tally, customer);
    for (const event of events) countEvent(tally, event);
    if (from.stage === to.stage) continue;
    tally.moving += 1;
    sample(tally.sample, customer);
  }
}

function countMove(tally: PreviewTally, { from, to, isHeld }: Foreseen): void {
  const held = isHeld ? 1 : 0;
  const move = tally.moves.find((each) => each.from === from.stage && each.to === to.stage);
  if (move !== undefined) {
    move.customers += 1;
    move.held += held;
  } else if (tally.moves.length < CELLS_MAX) {
    tally.moves.push({ from: from.stage, to: to.stage, customers: 1, held });
  } else {
    tally.movesOmitted += 1;
  }
}

function countEvent(tally: PreviewTally, { type, deliver }: Foreseen['events'][number]): void {
  let count = tally.events.find((each) => each.type === type);
  if (count === undefined) {
    count = { type, events: 0, deliverable: 0 };
    tally.events.push(count);
  }
  count.events += 1;
  if (deliver) count.deliverable += 1;
}

/**
 * The first customers of each move. A rare move that comes late takes the place of the last customer of the
 * one that has most, so that it is not crowded out by what happens to everybody.
 */
function sample(kept: PreviewCustomer[], { customerId, from, to, isHeld, because }: Foreseen): void {
  // What a profile says is left out before anything is kept. So an erasure has nothing to look for here, and no order
  // in which it and a walk under way come can leave something: what the walk had read of the person is dropped in its
  // memory. The id stays, as it does in the ledger: it is that of a row which tells of nobody any more.
  const reason = anonymousEvidence(because) as object | null;
  const customer = { customerId, from: from.stage, to: to.stage, held: isHeld, because: reason };
  if (kept.length < SAMPLE_MAX) {
    kept.push(customer);
    return;
  }
  const sizes = new Map<string, number>();
  for (const each of kept) sizes.set(moveOf(each), (sizes.get(moveOf(each)) ?? 0) + 1);
  if ((sizes.get(moveOf(customer)) ?? 0) >= SAMPLE_EACH_MIN) return;
  const [most] = [...sizes].toSorted((a, b) => b[1] - a[1]);
  if (most === undefined || most[1] <= SAMPLE_EACH_MIN) return;
  kept[kept.findLastIndex((each) => moveOf(each) === most[0])] = customer;
}

/** Stage keys have no spaces. */
function moveOf({ from, to }: PreviewCustomer): string {
  return `${from} ${to}`;
}
