// Owns what the API shows of a simulation.

import type { Static } from 'typebox';
import type { Simulated } from './simulating.js';
import type { Simulation } from './simulation-schemas.js';

export function toApiSimulation({
  policy,
  calibrationVersion,
  simulation,
}: Simulated): Static<typeof Simulation> {
  const { transitions, sentences } = simulation;
  const { policyVersion: _, ...explanation } = simulation.explanation;
  return {
    policyId: policy.id,
    version: policy.version,
    calibrationVersion,
    transitions: transitions.map(({ effectiveAt, from, to, cause, causeId, event, evidence }) => {
      return { effectiveAt, from, to, cause, causeId, event, evidence };
    }),
    explanation: { ...explanation, calibrationVersion, sentences },
  };
}
