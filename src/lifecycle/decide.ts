// Owns the decision: which stage a policy gives to what is known of a customer at an instant, why, and when
// that changes next if no fact arrives. Does not own the walk from fact to fact (walk.ts).

import { isoInstant } from './calendar.js';
import type { Calibration } from './calibration.js';
import type { Facts } from './facts.js';
import { DROPOUT_MODELS, type DropoutModel, type DropoutParameters } from './models/dropout.js';
import { NO_PAST, type Past } from './past.js';
import type { Policy, Rule } from './policy.js';
import { type ConditionEvidence, type Look, spanDays, type View } from './predicate.js';
import { type AllNeeds, compile, explain, needsOf } from './predicates.js';

/** A person's decision that the rules wait for. */
export interface Hold {
  stage: string;
  since: number;
  /** The instant at which it ends by itself; null leaves it to an order or a later move. */
  until: number | null;
  moveId: string;
}

/** Why a stage was given, as it is stored with a transition. Plain JSON. */
export interface Evidence {
  stage: string;
  /** The rule that held, as an index into the policy; null where none did, or a hold decided. */
  rule: number | null;
  condition: ConditionEvidence | null;
  facts: {
    orders: number;
    purchaseDays: number;
    lastOrderAt: string | null;
    /** Days from the first purchase day to the last, where the cadence model read it. */
    spanDays?: number;
  };
  /** Where the rule that decided reads it. */
  calibration?: {
    version: number;
    r: number;
    alphaDays: number;
    medianGapDays: number;
    bg?: DropoutParameters | null;
    mbg?: DropoutParameters | null;
    /** Of those, what an earlier version has fitted: the newest fit did not identify it. */
    keptFrom?: Partial<Record<DropoutModel, number>>;
  };
  hold?: { moveId: string; since: string; until: string | null };
}

export interface Decision {
  stage: string;
  /** The rule that decided; null for the policy's `otherwise` or a hold. */
  rule: number | null;
  because: Evidence;
  /** The next instant at which the stage changes if no fact arrives; null for never. */
  reviewAt: number | null;
  nextStage: string | null;
  nextBecause: Evidence | null;
}

export interface Question {
  facts: Facts;
  hold: Hold | null;
  at: number;
  policy: Policy;
  calibration: Calibration;
  /** The facts one by one, for a policy that asks for more than their sum. */
  past?: Past;
}

/** Decides once, with reasons. A hold that has reached its date no longer holds. */
export function decide({ facts, hold, at, policy, calibration, past = NO_PAST }: Question): Decision {
  const standing = createStanding(compilePolicy(policy), facts, calibration, past);
  const live = hold !== null && (hold.until === null || hold.until > at) ? hold : null;
  judge(standing, at);
  const stage = live?.stage ?? stageOf(standing);
  const because = explainStage(standing, live);
  const reviewAt = nextReview(standing, stage, live);
  if (reviewAt === Infinity) {
    return { stage, rule: because.rule, because, reviewAt: null, nextStage: null, nextBecause: null };
  }
  const nextBecause = explainStage(standing, null);
  return { stage, rule: because.rule, because, reviewAt, nextStage: nextBecause.stage, nextBecause };
}

interface CompiledRule extends Rule {
  look: Look;
  needs: AllNeeds;
}

/** A policy made ready to be asked millions of times. */
export interface CompiledPolicy extends Policy {
  rules: CompiledRule[];
  /** What any of its rules needs. */
  needs: AllNeeds;
}

export function compilePolicy(policy: Policy): CompiledPolicy {
  const rules = policy.rules.map((rule) => {
    return { ...rule, look: compile(rule.when), needs: needsOf([rule.when]) };
  });
  return { ...policy, rules, needs: needsOf(policy.rules.map((rule) => rule.when)) };
}

/** One customer before one policy, and the verdict of the last look. Its owner may change what is known. */
export interface Standing extends View {
  policy: CompiledPolicy;
  /** Index of the most severe rule that held, −1 for none. */
  rule: number;
}

export function createStanding(
  policy: CompiledPolicy,
  facts: Facts,
  calibration: Calibration,
  past: Past,
): Standing {
  const { timeZone } = policy;
  const verdict = { at: -Infinity, holds: false, until: Infinity, rule: -1 };
  return { policy, timeZone, facts, calibration, past, ...verdict };
}

/**
 * Finds the most severe rule that holds at `at`. Leaves in `until` the next instant at which the verdict
 * could be another: less severe rules have no say before that.
 */
export function judge(standing: Standing, at: number): void {
  const { rules } = standing.policy;
  let until = Infinity;
  standing.at = at;
  standing.rule = -1;
  for (let i = 0; i < rules.length; i += 1) {
    const rule = rules[i];
    if (rule === undefined) break;
    rule.look(standing);
    if (standing.until < until) until = standing.until;
    if (standing.holds) {
      standing.rule = i;
      break;
    }
  }
  standing.until = until;
}

export function stageOf(standing: Standing): string {
  return standing.policy.rules[standing.rule]?.stage ?? standing.policy.otherwise;
}

/**
 * Between two facts each plain condition of a policy flips a bounded number of times, so this bound is never
 * reached; it is here so that a condition that breaks that rule costs a needless review, not a hanging walk.
 */
const FLIPS_MAX = 1_000_000;

/**
 * The first instant before `before`, from the last verdict on, at which the rules give another stage than
 * `stage`; Infinity if there is none. The verdict is left at the last instant that was looked at.
 */
export function nextChange(standing: Standing, stage: string, before: number): number {
  for (let flips = 0; flips < FLIPS_MAX; flips += 1) {
    if (standing.until >= before) return Infinity;
    judge(standing, standing.until);
    if (stageOf(standing) !== stage) return standing.at;
  }
  return standing.at;
}

/**
 * The next instant at which the stage changes if no fact arrives; Infinity for never. While a hold holds,
 * the rules have their first say at its date. The verdict is left at the instant returned.
 */
export function nextReview(standing: Standing, stage: string, hold: Hold | null): number {
  if (hold !== null) {
    if (hold.until === null) return Infinity;
    judge(standing, hold.until);
    if (stageOf(standing) !== stage) return hold.until;
  }
  return nextChange(standing, stage, Infinity);
}

/** The evidence of the last verdict, or of the hold that overrules it. Only reads. */
export function explainStage(standing: Standing, hold: Hold | null): Evidence {
  const { facts, policy } = standing;
  const rule = hold === null ? policy.rules[standing.rule] : undefined;
  const evidence: Evidence = {
    stage: hold?.stage ?? stageOf(standing),
    rule: rule === undefined ? null : standing.rule,
    condition: rule === undefined ? null : explain(rule.when, standing),
    facts: {
      orders: facts.orders,
      purchaseDays: facts.purchaseDays,
      lastOrderAt: isoInstant(facts.lastOrderAt),
    },
  };
  if (rule !== undefined && rule.needs.calibration.size > 0) {
    const { version, cadence, keptFrom } = standing.calibration;
    const { r, alphaDays, medianGapDays } = cadence;
    evidence.facts.spanDays = spanDays(facts.firstDay, facts.lastDay);
    evidence.calibration = { version, r, alphaDays, medianGapDays };
    for (const model of DROPOUT_MODELS) {
      if (!rule.needs.calibration.has(model)) continue;
      evidence.calibration[model] = standing.calibration[model];
      const origin = keptFrom?.[model];
      if (origin === undefined) continue;
      evidence.calibration.keptFrom = { ...evidence.calibration.keptFrom, [model]: origin };
    }
  }
  if (hold !== null) {
    evidence.hold = { moveId: hold.moveId, since: isoInstant(hold.since), until: isoInstant(hold.until) };
  }
  return evidence;
}
