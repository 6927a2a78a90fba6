// Owns what a policy makes of a history that somebody has made up: the stages it goes through, each with its
// time and reasons, and the events that would be told. Pure, like the replay that it is.

import { isoInstant } from './calendar.js';
import type { Calibration } from './calibration.js';
import { type Explanation, explainCustomer } from './explain.js';
import { lifecycleOf, type Policy } from './policy.js';
import { compileTimeline, type History, replay } from './replay.js';
import { sentencesOf } from './sentences.js';
import { particularType, type Transition } from './transition.js';

export interface Simulation {
  transitions: (Omit<Transition, 'effectiveAt' | 'policyVersion' | 'calibrationVersion'> & {
    effectiveAt: string;
    event: string;
  })[];
  stage: string;
  since: string;
  explanation: Explanation;
  sentences: { en: string; zh: string };
}

export interface Supposition {
  policy: Policy;
  /** In force all the time. */
  calibration: Calibration;
  history: History;
  until: number;
}

/** The policy holds from the beginning of time. */
export function simulate({ policy, calibration, history, until }: Supposition): Simulation {
  const timeline = compileTimeline({
    policies: [{ version: 1, effectiveFrom: null, policy }],
    calibrations: [{ ...calibration, effectiveFrom: Number.NEGATIVE_INFINITY }],
  });
  const lifecycle = lifecycleOf(policy);
  const { transitions, state } = replay(history, timeline, until);
  const explanation = explainCustomer(history, timeline, until);
  return {
    transitions: transitions.map(
      ({ policyVersion: _p, calibrationVersion: _c, effectiveAt, ...transition }) => {
        const particular = particularType(
          { ...transition, effectiveAt, policyVersion: 1, calibrationVersion: 0 },
          lifecycle,
        );
        return {
          ...transition,
          effectiveAt: isoInstant(effectiveAt),
          event: `customer.${particular ?? 'stage_changed'}`,
        };
      },
    ),
    stage: state.stage,
    since: isoInstant(state.since),
    explanation,
    sentences: sentencesOf({ explanation, lifecycle, timeZone: policy.timeZone }),
  };
}
