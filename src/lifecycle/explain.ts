// Owns the explanation of where a customer stands: every rule with each condition's value, threshold and next
// flip, which rule decided, and what would move the customer on. Reads a walk and changes none. Does not own
// the sentences that are made of it (sentences.ts).

import { isoInstant } from './calendar.js';
import type { Condition } from './conditions.js';
import { inOrder, type OrderFact, type TouchpointFact } from './facts.js';
import type { ConditionEvidence } from './predicate.js';
import { compile, explain } from './predicates.js';
import { type Advance, type History, replay, replayWalk } from './replay.js';
import type { CompiledTimeline } from './timeline.js';
import { type ParticularType, particularType } from './transition.js';
import type { Walk } from './walkState.js';

/** A condition as it is now, and the next instant at which it is otherwise if no fact arrives. */
export interface ConditionExplanation extends Omit<ConditionEvidence, 'of' | 'at'> {
  flipsAt: string | null;
  of?: ConditionExplanation[];
}

export interface RuleExplanation {
  rule: number;
  stage: string;
  holds: boolean;
  decided: boolean;
  when: ConditionExplanation;
}

/** A single fact that, were it to come now, would put the customer into another stage. */
export interface Move {
  fact: 'order' | 'order_of_new_category' | 'interaction';
  stage: string;
  /** The particular name of the transition, where it has one. */
  type: ParticularType | null;
}

export interface Explanation {
  at: string;
  stage: string;
  since: string;
  policyVersion: number;
  calibrationVersion: number;
  /** Who holds the customer where they are, while the rules wait. */
  hold: { moveId: string; stage: string; since: string; until: string | null } | null;
  rules: RuleExplanation[];
  /** Where no rule holds. */
  otherwise: { stage: string; decided: boolean };
  next: { at: string; stage: string; rule: number | null } | null;
  moves: Move[];
}

/** Flips that are looked through for one condition; each fact of a window can be one. */
const FLIPS_MAX = 100_000;
/** A category that no shop has, and an id after all others: U+FFFF is no character. */
const NEW_CATEGORY = '\uffff';

export function explainCustomer(history: History, timeline: CompiledTimeline, at: number): Explanation {
  const now = replay(history, timeline, at);
  const walk = replayWalk(history, timeline, at);
  const { policy, calibration, policyVersion } = walk.segment;
  // The walk stands at the last instant at which anything happened; what is asked is how it looks at `at`.
  const { standing, hold } = walk;
  standing.at = Math.max(at, walk.at);
  const rules = policy.rules.map(({ stage, when }, rule): RuleExplanation => {
    const explained = explainCondition(when, walk, standing.at);
    return { rule, stage, holds: explained.holds, decided: false, when: explained };
  });
  const decider = hold === null ? rules.find((rule) => rule.holds) : undefined;
  if (decider !== undefined) decider.decided = true;
  return {
    at: isoInstant(standing.at),
    stage: now.state.stage,
    since: isoInstant(now.state.since),
    policyVersion,
    calibrationVersion: calibration.version,
    hold:
      hold === null
        ? null
        : {
            moveId: hold.moveId,
            stage: hold.stage,
            since: isoInstant(hold.since),
            until: isoInstant(hold.until),
          },
    rules,
    otherwise: { stage: policy.otherwise, decided: hold === null && decider === undefined },
    next: nextOf(now),
    moves: movesOf({ history, timeline, at: standing.at, now }),
  };
}

function nextOf({ next }: Advance): Explanation['next'] {
  return next === null ? null : { at: isoInstant(next.at), stage: next.stage, rule: next.because.rule };
}

function explainCondition(condition: Condition, walk: Walk, at: number): ConditionExplanation {
  const { standing } = walk;
  standing.at = at;
  const { of, at: _at, ...evidence } = explain(condition, standing);
  const explanation: ConditionExplanation = {
    ...evidence,
    flipsAt: isoInstant(flipAfter(condition, walk, at)),
  };
  if (of === undefined) return explanation;
  const parts = condition.type === 'not' ? [condition.of] : 'of' in condition ? condition.of : [];
  return { ...explanation, of: parts.map((part) => explainCondition(part, walk, at)) };
}

/** The next instant at which the condition is otherwise; null where there is none, or none that is near. */
function flipAfter(condition: Condition, { standing }: Walk, at: number): number | null {
  const look = compile(condition);
  standing.at = at;
  look(standing);
  const { holds } = standing;
  for (let flips = 0; flips < FLIPS_MAX && standing.until !== Infinity; flips += 1) {
    standing.at = standing.until;
    look(standing);
    if (standing.holds === holds) continue;
    const found = standing.at;
    standing.at = at;
    return found;
  }
  standing.at = at;
  return null;
}

interface Question {
  history: History;
  timeline: CompiledTimeline;
  at: number;
  now: Advance;
}

/** Asked of the ledger itself: each fact is put into the history, and the whole is replayed. */
function movesOf({ history, timeline, at, now }: Question): Move[] {
  const last = inOrder(history).orders.at(-1);
  const order = (categories: readonly string[]): OrderFact => ({
    // After every other of the instant, were there one.
    ...{
      id: '\uffff',
      at,
      categories,
      currency: last?.currency ?? 'XXX',
      amountMinor: last?.amountMinor ?? 0,
    },
  });
  const touchpoint: TouchpointFact = { id: '\uffff', at };
  const candidates: [Move['fact'], History][] = [
    ['order', { ...history, orders: [...history.orders, order(last?.categories ?? [])] }],
    ['order_of_new_category', { ...history, orders: [...history.orders, order([NEW_CATEGORY])] }],
    ['interaction', { ...history, touchpoints: [...history.touchpoints, touchpoint] }],
  ];
  const moves: Move[] = [];
  for (const [fact, changed] of candidates) {
    const { state, transitions } = replay(changed, timeline, at);
    const moved = transitions.at(-1);
    if (state.stage === now.state.stage || moved === undefined) continue;
    if (moves.some((move) => move.stage === state.stage && fact !== 'interaction')) continue;
    const type = particularType(moved, timeline.lifecycleOf(moved.policyVersion));
    moves.push({ fact, stage: state.stage, type });
  }
  return moves;
}
