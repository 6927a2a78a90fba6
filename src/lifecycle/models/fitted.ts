// Owns what a fit has found of the models beside the cadence, as plain JSON that is kept with a calibration
// version, which of it may be computed with, and what a version goes by where its own fit is refused. Does not own
// the fits (dropoutFit.ts, spendFit.ts).

import type { Calibration } from '../calibration.js';
import { DROPOUT_MODELS, type DropoutParameters } from './dropout.js';
import type { SpendParameters } from './spend.js';

/** One model's fit. What is not identified is kept to be read, and never computed with. */
export interface FittedModel<Parameters> {
  /** Null where there was too little to fit anything to. */
  parameters: Parameters | null;
  /** By parameter; null where the likelihood has no curvature to read them from. */
  standardErrors: Parameters | null;
  logLikelihood: number | null;
  /** How many customers it was fitted to. */
  customers: number;
  identified: boolean;
  /** Why it is not; null where it is. */
  reason: string | null;
}

/** The parameters that a fit identified, and the calibration version that it made. */
export interface KeptFit {
  parameters: DropoutParameters;
  version: number;
}

export interface FittedDropout extends FittedModel<DropoutParameters> {
  /**
   * The last fit that identified dropout, by which rules go on deciding where this one does not: a version says
   * itself what it is decided by, whatever came before it. Not there where this fit is identified, or none was.
   */
  kept?: KeptFit;
}

/** The days that were looked at, in the time zone of the policy: from the first purchase day to the fit's. */
export interface FitWindow {
  /** ISO dates; null without an order. */
  from: string | null;
  to: string;
  days: number;
}

export interface FittedModels {
  window: FitWindow;
  cadence: {
    standardErrors: Record<'r' | 'alphaDays', number> | null;
    /** Those with a gap. */
    customers: number;
  };
  bg: FittedDropout;
  mbg: FittedDropout;
  /** By currency. */
  spend: Record<string, FittedModel<SpendParameters>>;
}

type Identified = Pick<Calibration, 'bg' | 'mbg' | 'spend'>;

/**
 * What decisions go by: what is identified, and for a dropout model that is refused the fit that is kept. Without
 * it one refused fit would bring back at once everybody whom a rule by that model has moved. `models` null: none
 * was fitted.
 */
export function fittedOf(models: FittedModels | null): Identified & Pick<Calibration, 'keptFrom'> {
  const fitted: ReturnType<typeof fittedOf> = identifiedOf(models);
  for (const model of DROPOUT_MODELS) {
    const kept = fitted[model] === null ? models?.[model].kept : undefined;
    if (kept === undefined) continue;
    fitted[model] = kept.parameters;
    fitted.keptFrom = { ...fitted.keptFrom, [model]: kept.version };
  }
  return fitted;
}

/**
 * What this very fit has found. Predictions go by it and by nothing kept: they say what the newest orders say, and
 * to say nothing does no harm. So does the look for the models that a new policy may have.
 */
export function identifiedOf(models: FittedModels | null): Identified {
  if (models === null) return { bg: null, mbg: null, spend: {} };
  const spend: Calibration['spend'] = {};
  for (const [currency, fit] of Object.entries(models.spend)) {
    const parameters = usable(fit);
    if (parameters !== null) spend[currency] = parameters;
  }
  return { bg: usable(models.bg), mbg: usable(models.mbg), spend };
}

/** The fit that rules decide by under a version, and where it comes from; null where there is none. */
export function inUseOf(fit: FittedDropout, version: number): KeptFit | null {
  const parameters = usable(fit);
  return parameters === null ? (fit.kept ?? null) : { parameters, version };
}

/** What was fitted as the version after `before` has it: a dropout model that is refused keeps what was in use. */
export function succeeding(
  models: FittedModels,
  before: { version: number; models: FittedModels | null } | undefined,
): FittedModels {
  const successor = { ...models };
  for (const model of DROPOUT_MODELS) {
    const predecessor = before?.models?.[model];
    if (predecessor === undefined || usable(models[model]) !== null) continue;
    const kept = inUseOf(predecessor, before?.version ?? 0);
    if (kept !== null) successor[model] = { ...models[model], kept };
  }
  return successor;
}

function usable<Parameters>({ identified, parameters }: FittedModel<Parameters>): Parameters | null {
  return identified ? parameters : null;
}
