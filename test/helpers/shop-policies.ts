// Owns the policies that a shop under test changes between: silences of seconds, so that ticks have work in
// real time, and every kind of condition, so that calibrations matter.

import type { Policy } from '../../src/lifecycle/policy.js';
import type { Chance } from './chance.js';

const SECOND_DAYS = 1 / 86_400;

const silent = (seconds: number) => ({ type: 'silence', days: seconds * SECOND_DAYS }) as const;
const ordered = (atLeast: number) => ({ type: 'orders', atLeast }) as const;
const varied = (atLeast: number) => ({ type: 'categories', atLeast }) as const;

const policy = (rules: Policy['rules']): Policy => ({
  ...{ template: 'ecommerce', timeZone: 'UTC', rules, otherwise: 'prospect' },
});

const POLICIES: readonly Policy[] = [
  policy([
    { stage: 'churned', when: silent(3) },
    { stage: 'declining', when: silent(1) },
    { stage: 'mature', when: { type: 'any', of: [ordered(3), varied(2)] } },
    { stage: 'new', when: ordered(1) },
  ]),
  policy([
    { stage: 'churned', when: { type: 'any', of: [silent(2), { type: 'cadenceQuantile', q: 0.9 }] } },
    { stage: 'declining', when: silent(0.7) },
    { stage: 'mature', when: ordered(2) },
    { stage: 'new', when: ordered(1) },
  ]),
  policy([
    { stage: 'churned', when: silent(4) },
    { stage: 'declining', when: { type: 'all', of: [silent(1.3), varied(1)] } },
    { stage: 'mature', when: varied(3) },
    { stage: 'new', when: ordered(1) },
  ]),
];

/** The body of a PUT: another policy than the one before, from now on, from a past instant, or from the beginning. */
export function activation(version: number, chance: Chance) {
  const past = new Date(Date.now() - chance.below(30_000)).toISOString();
  const effectiveFrom = chance.pick(['now', 'now', past, 'beginning']);
  return { policy: POLICIES[version % POLICIES.length], effectiveFrom, backfill: chance.percent(25) };
}
