// Owns what a row of the ledger says of a move between stages, and which event type it is told by. Does not
// own how rows come about (walk.ts) or are stored (transitions/).

import type { Evidence } from './decide.js';
import { type Lifecycle, stageKind } from './stages.js';

/** From the strongest on: where several things happen at one instant, the first of these is the cause. */
export const TRANSITION_CAUSES = [
  'manual',
  'order',
  'created',
  'touchpoint',
  'profile',
  'policy',
  'calibration',
  'hold_ended',
  'time',
] as const;
export type TransitionCause = (typeof TRANSITION_CAUSES)[number];

/** One move between stages, as the facts and the dated versions have it. */
export interface Transition {
  effectiveAt: number;
  /** Null for a customer's first row. */
  from: string | null;
  to: string;
  cause: TransitionCause;
  /** The order, touchpoint, change of the profile or manual move behind it. */
  causeId: string | null;
  policyVersion: number;
  calibrationVersion: number;
  evidence: Evidence;
  /** Who moved the customer by hand, and why; null for everything else. */
  actor: string | null;
  reason: string | null;
}

export const PARTICULAR_TYPES = ['declining', 'churned', 'recovered', 'reactivated'] as const;
export type ParticularType = (typeof PARTICULAR_TYPES)[number];

/**
 * The particular name of a transition, if it has one: into a declining or churned stage, or out of one by
 * an order. By kinds, not keys, so that it means the same in every lifecycle.
 */
export function particularType(transition: Transition, lifecycle: Lifecycle): ParticularType | null {
  const from = stageKind(lifecycle, transition.from);
  const to = stageKind(lifecycle, transition.to);
  if (to === from) return null;
  if (to === 'declining' || to === 'churned') return to;
  if (to !== 'active' || transition.cause !== 'order') return null;
  if (from === 'declining') return 'recovered';
  return from === 'churned' ? 'reactivated' : null;
}
