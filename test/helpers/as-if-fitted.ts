// Services that take every tenant to have the models that a policy asks for, so that property tests can put rules
// into force without two years of orders.

import { DEFAULT_CADENCE } from '../../src/lifecycle/models/cadence.js';
import type { Services } from '../../src/services.js';

const FIT = { r: 0.5, alphaDays: 60, a: 1, b: 2 };

/**
 * Rules outlive the fits that they were written for: whoever looks whether the tenant has the models that a
 * policy needs finds them, and decisions have those that there are.
 */
export function asIfFitted(services: Services): Services {
  const { histories } = services.transitions;
  const { timeline } = histories;
  histories.timeline = async (executor, tenantId) => {
    const versions = await timeline(executor, tenantId);
    const fitted = {
      version: Infinity,
      effectiveFrom: Infinity,
      cadence: DEFAULT_CADENCE,
      bg: FIT,
      mbg: FIT,
    };
    return { ...versions, calibrations: [...versions.calibrations, fitted] };
  };
  return services;
}
