// Owns the probability that a backtest holds against what happened: that a customer will not order within the
// horizon, where the rules of churned stages ask a model. Does not own the models (models/).

import { DAY_MS } from '../calendar.js';
import type { Calibration } from '../calibration.js';
import type { Facts } from '../facts.js';
import { type DropoutParameters, orderProbability } from '../models/dropout.js';
import { spanDays } from '../predicates.js';
import type { AskedModel } from './plan.js';

/** Null without a fit in which dropout is identified, or without an order. */
export function stopProbability(
  model: AskedModel | null,
  calibration: Calibration,
  { facts, at, horizonMs }: { facts: Facts; at: number; horizonMs: number },
): number | null {
  if (model === null || facts.lastOrderAt === null) return null;
  const parameters = fitOf(calibration, model);
  if (parameters === null) return null;
  const span = spanDays(facts.firstDay, facts.lastDay);
  const history = {
    repeats: facts.purchaseDays - 1,
    spanDays: span,
    ageDays: span + (at - facts.lastOrderAt) / DAY_MS,
  };
  return 1 - orderProbability(model, parameters, history, horizonMs / DAY_MS);
}

function fitOf(calibration: Calibration & Fits, model: AskedModel): DropoutParameters | null {
  return calibration[model] ?? null;
}

interface Fits {
  bg?: DropoutParameters | null;
  mbg?: DropoutParameters | null;
}
