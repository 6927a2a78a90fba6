// Owns what a backtest is asked: the policy, the versions it is compared with, the cuts and what may be known at
// each. Does not own what becomes of it (observe.ts, tally.ts), nor where the histories come from.

import type { Calibration } from '../calibration.js';
import type { Condition } from '../conditions.js';
import { partsOf } from '../conditions.js';
import { DEFAULT_POLICY } from '../defaultPolicies.js';
import type { Policy } from '../policy.js';
import type { StageKind } from '../stages.js';
import { stageKind } from '../stages.js';
import { type CompiledTimeline, compileTimeline, type Timeline } from '../timeline.js';

/** The fixed silences, in days, that every policy is compared with. */
export const BASELINE_DAYS = [30, 60, 90, 180, 365] as const;

/** The conditions that ask a model of dropout, by their types. */
const MODEL_CONDITIONS: readonly string[] = ['orderProbability', 'aliveProbability'];
export type AskedModel = 'bg' | 'mbg';

export interface CutPlan {
  /** Epoch milliseconds: what lies later is not known at the cut. */
  at: number;
  /** Fitted to what was known at the cut, and in force since the beginning of time. */
  calibration: Calibration;
}

/** Plain data: it crosses between threads. */
export interface BacktestPlan {
  policy: Policy;
  /** The tenant's own versions, which the policy is compared with. */
  live: Timeline['policies'];
  horizonMs: number;
  cuts: readonly CutPlan[];
  /** Whether each figure is wanted by segment as well. */
  isSegmented: boolean;
}

export interface CompiledCut extends CutPlan {
  policy: CompiledTimeline;
  live: CompiledTimeline;
  /** What the churned stages' rules ask, of the policy and of the live one at the cut; null where they ask none. */
  models: { policy: AskedModel | null; live: AskedModel | null };
}

export interface CompiledPlan {
  horizonMs: number;
  cuts: CompiledCut[];
  isSegmented: boolean;
}

export function compilePlan({ policy, live, horizonMs, cuts, isSegmented }: BacktestPlan): CompiledPlan {
  const own = [{ version: 1, effectiveFrom: null, policy }];
  const compiled = cuts.map((cut): CompiledCut => {
    const known = live.filter(({ effectiveFrom }) => effectiveFrom === null || effectiveFrom <= cut.at);
    const timelines = { policy: timelineOf(own, cut), live: timelineOf(known, cut) };
    const models = { policy: modelAsked(own, timelines.policy), live: modelAsked(known, timelines.live) };
    return { ...cut, ...timelines, models };
  });
  return { horizonMs, cuts: compiled, isSegmented };
}

function timelineOf(policies: Timeline['policies'], { calibration }: CutPlan): CompiledTimeline {
  // The same fit for both, so that they differ by their rules alone.
  return compileTimeline({ policies, calibrations: [{ ...calibration, effectiveFrom: -Infinity }] });
}

/** What a stage means under the version that gave it. */
export function kindOf(
  timeline: CompiledTimeline,
  policyVersion: number,
  stage: string | null,
): StageKind | undefined {
  return stageKind(timeline.lifecycleOf(policyVersion), stage);
}

/** By the version that is in force in the end. */
function modelAsked(versions: Timeline['policies'], timeline: CompiledTimeline): AskedModel | null {
  const inForce = timeline.segments.at(-1)?.policyVersion ?? 0;
  const policy = versions.find(({ version }) => version === inForce)?.policy ?? DEFAULT_POLICY;
  for (const { stage, when } of policy.rules) {
    if (kindOf(timeline, inForce, stage) !== 'churned') continue;
    const model = modelIn(when);
    if (model !== null) return model;
  }
  return null;
}

function modelIn(condition: Condition): AskedModel | null {
  const asked: { type: string; model?: AskedModel } = condition;
  if (MODEL_CONDITIONS.includes(asked.type)) return asked.model ?? null;
  for (const part of partsOf(condition)) {
    const model = modelIn(part);
    if (model !== null) return model;
  }
  return null;
}
