// Owns what can be said of a policy before it decides anything: its faults, which keep it from deciding, and
// what is likely not meant, beside the policy in force. Does not own what can be said of a policy by itself
// (lifecycle/validation.ts). Pure.

import { pointerToken } from '../api/pointer.js';
import type { Fault } from '../errors.js';
import { everyPart } from '../lifecycle/conditions.js';
import type { FittedModels } from '../lifecycle/models/fitted.js';
import { lifecycleOf, type Policy } from '../lifecycle/policy.js';
import { needsOf } from '../lifecycle/predicates.js';
import { policyWarnings } from '../lifecycle/validation.js';
import { faultsOf } from './guards.js';
import type { AvailableModels } from './models.js';
import type { PolicyRow } from './policies-store.js';
import type { CalibrationRow } from './store.js';

export interface Findings {
  faults: Fault[];
  warnings: Fault[];
}

/** What the tenant has at present. */
export interface Surroundings {
  /** The policy in force. */
  live: Policy | undefined;
  models: AvailableModels;
  newest: CalibrationRow | undefined;
}

/** Pointers are from the root of the resource that has the policy as its `policy`. */
export function findingsOf(
  { policy, status }: Pick<PolicyRow, 'policy' | 'status'>,
  { live, models, newest }: Surroundings,
): Findings {
  const fitted = newest?.models ?? null;
  // What is in force stays so: to it a fit that is refused is no fault.
  const faults = faultsOf(policy, status === 'active' ? withKept(models, fitted) : models);
  const isDeciding = status === 'active' || status === 'shadow';
  // The cadence is the tenant's own where it was fitted.
  const hasCadence = newest?.method === 'mle';
  const warnings = [
    ...policyWarnings(policy).map(({ pointer, message }) => ({ pointer, detail: message })),
    ...(hasCadence ? [] : cadenceWarnings(policy)),
    ...(isDeciding ? keptWarnings(policy, fitted) : []),
    ...(live === undefined ? [] : successionWarnings(policy, live)),
  ];
  return {
    faults,
    warnings: warnings.map(({ pointer, detail }) => ({ pointer: `/policy${pointer}`, detail })),
  };
}

function cadenceWarnings({ rules }: Policy): Fault[] {
  return rules.flatMap(({ when }, i) => {
    if (!needsOf([when]).calibration.has('cadence')) return [];
    const detail =
      "this reads the cadence, and the tenant's own has not been fitted: until then it is that of a new tenant";
    return [{ pointer: `/rules/${i}/when`, detail }];
  });
}

function withKept({ bg, mbg }: AvailableModels, fitted: FittedModels | null): AvailableModels {
  return { bg: bg || fitted?.bg.kept !== undefined, mbg: mbg || fitted?.mbg.kept !== undefined };
}

/** Of a policy that decides, and so is not nested too deep. */
function keptWarnings({ rules }: Policy, fitted: FittedModels | null): Fault[] {
  const parts = rules.flatMap(({ when }, i) => [...everyPart(when, `/rules/${i}/when`)]);
  return parts.flatMap(({ part, pointer }) => {
    if (part.type !== 'orderProbability' && part.type !== 'aliveProbability') return [];
    const { kept, reason } = fitted?.[part.model] ?? {};
    if (kept === undefined) return [];
    const detail =
      `the newest fit does not identify dropout (${reason}); ` +
      `this rule is decided by the fit of version ${kept.version} until one does`;
    return [{ pointer: `${pointer}/model`, detail }];
  });
}

/** What the policy changes for customers who are where the one in force has put them. */
function successionWarnings(policy: Policy, live: Policy): Fault[] {
  const { carryOver = {} } = policy;
  const keysOf = (of: Policy) => lifecycleOf(of).stages.map(({ key }) => key);
  const [before, after] = [keysOf(live), keysOf(policy)];
  const stranded = before.filter((key) => !after.includes(key) && !Object.hasOwn(carryOver, key));
  const idle = Object.keys(carryOver).filter((key) => !before.includes(key));
  const warnings: Fault[] = [
    ...stranded.map((key) => ({
      pointer: policy.carryOver === undefined ? '' : '/carryOver',
      detail: `customers whom a move by hand holds in ${key} stay there, though this lifecycle has no such stage`,
    })),
    ...idle.map((key) => ({
      pointer: `/carryOver/${pointerToken(key)}`,
      detail: `${key} is not a stage of the policy in force: nobody is carried over from it`,
    })),
  ];
  if (policy.timeZone !== live.timeZone) {
    const detail = `days are counted by ${policy.timeZone} instead of ${live.timeZone}: every history is replayed`;
    warnings.push({ pointer: '/timeZone', detail });
  }
  return warnings;
}
