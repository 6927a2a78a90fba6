// Owns which of the things that happen at one instant is the cause of a transition. Does not own whether
// there is a transition (walk.ts).

import type { ManualMoveFact, OrderFact, ProfileChangeFact, TouchpointFact } from './facts.js';
import type { Segment } from './timeline.js';
import type { TransitionCause } from './transition.js';

/** What happened at the instant that is being decided; of several facts of one kind, the last. */
export interface Happened {
  move: ManualMoveFact | null;
  order: OrderFact | null;
  touchpoint: TouchpointFact | null;
  change: ProfileChangeFact | null;
  activated: Segment['activates'];
  holdEnded: boolean;
}

/** In the order of TRANSITION_CAUSES: what a person did, what the customer did, then what the service did. */
export function causeOf(happened: Happened, isFirst: boolean): TransitionCause {
  if (happened.move !== null) return 'manual';
  if (happened.order !== null) return 'order';
  if (isFirst) return 'created';
  if (happened.touchpoint !== null) return 'touchpoint';
  if (happened.change !== null) return 'profile';
  return happened.activated ?? (happened.holdEnded ? 'hold_ended' : 'time');
}

export function causeIdOf(
  { move, order, touchpoint, change }: Happened,
  cause: TransitionCause,
): string | null {
  if (cause === 'manual') return move?.id ?? null;
  if (cause === 'order') return order?.id ?? null;
  if (cause === 'touchpoint') return touchpoint?.id ?? null;
  return cause === 'profile' ? (change?.id ?? null) : null;
}
