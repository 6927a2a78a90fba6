// Owns what a fit has found of the models beside the cadence, as plain JSON that is kept with a calibration
// version, and which of it may be computed with. Does not own the fits (dropoutFit.ts, spendFit.ts).

import type { Calibration } from '../calibration.js';
import type { DropoutParameters } from './dropout.js';
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
  bg: FittedModel<DropoutParameters>;
  mbg: FittedModel<DropoutParameters>;
  /** By currency. */
  spend: Record<string, FittedModel<SpendParameters>>;
}

/** The part of a calibration that may be computed with: what is identified. `models` null: none was fitted. */
export function fittedOf(models: FittedModels | null): Pick<Calibration, 'bg' | 'mbg' | 'spend'> {
  if (models === null) return { bg: null, mbg: null, spend: {} };
  const spend: Calibration['spend'] = {};
  for (const [currency, fit] of Object.entries(models.spend)) {
    const parameters = usable(fit);
    if (parameters !== null) spend[currency] = parameters;
  }
  return { bg: usable(models.bg), mbg: usable(models.mbg), spend };
}

function usable<Parameters>({ identified, parameters }: FittedModel<Parameters>): Parameters | null {
  return identified ? parameters : null;
}
