// Owns conditions over silence: each begins to hold at one instant after the last order (or touchpoint), which
// is known in advance, and only another one ends that.

import { DAY_MS, isoInstant } from '../calendar.js';
import type { Calibration } from '../calibration.js';
import { type Claim, claimed, denied, type Meaning } from '../claims.js';
import type { Condition, ConditionOf } from '../conditions.js';
import type { Facts } from '../facts.js';
import { logTail, shrunkMeanGapDays, tailQuantileDays } from '../models/cadence.js';
import {
  aliveUntilAgeDays,
  orderProbability as modelOrderProbability,
  orderProbabilityUntilAgeDays,
  probabilityAlive,
} from '../models/dropout.js';
import {
  type ConditionEvidence,
  dueAt,
  type LeafPredicate,
  type Needs,
  rounded,
  spanDays,
  type View,
} from '../predicate.js';
import { AN_ORDER, interactions, purchaseDays } from './quantities.js';

interface Silent<C extends Condition> {
  needs(condition: C): Needs;
  /** Whose silence it is. */
  since(facts: Facts): number | null;
  meaning(condition: C): Meaning;
  /** Gives the silence from which on the condition holds; Infinity for never. Asked only where there is a `since`. */
  dueDays(condition: C): (facts: Facts, calibration: Calibration) => number;
  /** Writes down the policy's own figures, and what else the value is computed from. */
  quote?(condition: C, evidence: ConditionEvidence, view: View): void;
}

const sinceOrder = (facts: Facts) => facts.lastOrderAt;
const CADENCE: Needs = { calibration: 'cadence' };

export const silence = silent<ConditionOf<'silence'>>({
  needs: () => ({}),
  since: sinceOrder,
  /** At the instant at which the last order leaves a window of so many days, the silence is that long. */
  meaning: ({ days }) => ({ says: [claimed(AN_ORDER), denied(purchaseDays(1, days))] }),
  dueDays:
    ({ days }) =>
    () =>
      days,
});

export const interactionSilence = silent<ConditionOf<'interactionSilence'>>({
  needs: () => ({}),
  since: (facts) => facts.lastInteractionAt,
  meaning: ({ days }) => ({ says: [claimed(interactions(1)), denied(interactions(1, days))] }),
  dueDays:
    ({ days }) =>
    () =>
      days,
});

export const cadenceQuantile = silent<ConditionOf<'cadenceQuantile'>>({
  needs: () => CADENCE,
  since: sinceOrder,
  meaning: ({ q }) => afterOrder({ about: 'cadence_quantile', min: q, blur: CLOSED_FORM_BLUR }),
  dueDays({ q }) {
    const tail = logTail(q);
    return ({ purchaseDays, firstDay, lastDay }, { cadence }) =>
      tailQuantileDays(tail, purchaseDays - 1, spanDays(firstDay, lastDay), cadence);
  },
  quote({ q }, evidence) {
    evidence.q = q;
  },
});

export const cadenceMultiple = silent<ConditionOf<'cadenceMultiple'>>({
  needs: () => CADENCE,
  since: sinceOrder,
  meaning: ({ multiple }) => afterOrder({ about: 'cadence_multiple', min: multiple }),
  dueDays({ multiple }) {
    return ({ purchaseDays, firstDay, lastDay }, { cadence }) =>
      multiple * shrunkMeanGapDays(purchaseDays - 1, spanDays(firstDay, lastDay), cadence.medianGapDays);
  },
  quote({ multiple }, evidence) {
    evidence.multiple = multiple;
  },
});

/**
 * Both probabilities only fall while nothing is bought, so each crosses its threshold once. A crossing at or
 * before the last order means that it is below already: the silence that is due is none.
 */
export const aliveProbability = silent<ConditionOf<'aliveProbability'>>({
  needs: ({ model }) => ({ calibration: model }),
  since: sinceOrder,
  /** An order in all time to come is as likely as that the customer is not lost, and in any less time it is less. */
  meaning: ({ model, below }) => afterOrder({ ...unlikely(model, Infinity, below), blur: CLOSED_FORM_BLUR }),
  dueDays({ model, below }) {
    return (facts, calibration) => {
      const parameters = calibration[model];
      if (parameters === null) return Infinity;
      const span = spanDays(facts.firstDay, facts.lastDay);
      const history = { repeats: facts.purchaseDays - 1, spanDays: span };
      return silenceOf(aliveUntilAgeDays(model, parameters, history, below), span);
    };
  },
  quote({ model, below }, evidence, view) {
    evidence.model = model;
    quoteProbability(evidence, below, view, (history) => {
      const parameters = view.calibration[model];
      return parameters === null ? null : probabilityAlive(model, parameters, history);
    });
  },
});

export const orderProbability = silent<ConditionOf<'orderProbability'>>({
  needs: ({ model }) => ({ calibration: model }),
  since: sinceOrder,
  meaning: ({ model, withinDays, below }) => afterOrder(unlikely(model, withinDays, below)),
  dueDays({ model, withinDays, below }) {
    return (facts, calibration) => {
      const parameters = calibration[model];
      if (parameters === null) return Infinity;
      const span = spanDays(facts.firstDay, facts.lastDay);
      const history = { repeats: facts.purchaseDays - 1, spanDays: span };
      return silenceOf(orderProbabilityUntilAgeDays(model, parameters, history, withinDays, below), span);
    };
  },
  quote({ model, withinDays, below }, evidence, view) {
    evidence.model = model;
    evidence.withinDays = withinDays;
    quoteProbability(evidence, below, view, (history) => {
      const parameters = view.calibration[model];
      return parameters === null ? null : modelOrderProbability(model, parameters, history, withinDays);
    });
  },
});

/** Of two figures that are closer, rounding could let the due time of the higher one be the earlier. */
const CLOSED_FORM_BLUR = 1e-9;

/**
 * A crossing that is sought is late by up to 1e-10 days, and a due time rounds up: of two thresholds that are
 * close, the lower could thus be due a millisecond before the higher, or a longer time before a shorter one at
 * the same threshold. An order's probability falls by no more than 1.25 · max(r/alpha, 1) a day (x purchase
 * days lie at least x days apart), and no fit gives an r/alpha above a million: where thresholds are this far
 * apart, their crossings are three times as far apart as a crossing can be late. So an equal threshold for a
 * longer time is left out, though P(order) grows with the time.
 */
const CROSSING_BLUR = 5e-4;

/** The longer the time, the likelier an order in it, so windows are turned round here. */
function unlikely(model: string, withinDays: number, below: number): Claim {
  return { about: `order_within:${model}`, window: -withinDays, min: -below, blur: CROSSING_BLUR };
}

function afterOrder(claim: Claim): Meaning {
  return { says: [claimed(claim)], hence: [AN_ORDER] };
}

function silenceOf(ageDays: number, span: number): number {
  return Math.max(ageDays - span, 0);
}

/** The silence and its threshold stay in `at`; value and threshold say the probability, which is what was asked. */
function quoteProbability(
  evidence: ConditionEvidence,
  below: number,
  { facts, at }: View,
  probability: (history: { repeats: number; spanDays: number; ageDays: number }) => number | null,
): void {
  evidence.unit = 'probability';
  evidence.threshold = below;
  if (facts.lastOrderAt === null) return;
  const span = spanDays(facts.firstDay, facts.lastDay);
  const ageDays = span + (at - facts.lastOrderAt) / DAY_MS;
  const value = probability({ repeats: facts.purchaseDays - 1, spanDays: span, ageDays });
  evidence.value = value === null ? null : rounded(value);
}

function silent<C extends Condition>(of: Silent<C>): LeafPredicate<C> {
  return {
    needs: of.needs,
    meaning: of.meaning,
    compile(condition) {
      const days = of.dueDays(condition);
      return (view) => {
        const since = of.since(view.facts);
        const due = since === null ? Infinity : dueAt(since, days(view.facts, view.calibration));
        view.holds = view.at >= due;
        view.until = view.holds ? Infinity : due;
      };
    },
    explain(condition, view) {
      const { facts, calibration, at } = view;
      const { type } = condition;
      const evidence: ConditionEvidence = { type, holds: false, value: null, threshold: null, unit: 'days' };
      const since = of.since(facts);
      if (since !== null) {
        const days = of.dueDays(condition)(facts, calibration);
        const due = dueAt(since, days);
        evidence.holds = at >= due;
        evidence.value = rounded((at - since) / DAY_MS);
        if (due !== Infinity) {
          evidence.threshold = rounded(days);
          evidence.at = isoInstant(due);
        }
      }
      of.quote?.(condition, evidence, view);
      return evidence;
    },
  };
}
