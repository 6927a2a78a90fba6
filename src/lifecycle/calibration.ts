// Owns what a decision reads of other customers: one dated version of the tenant's fits. Does not own how
// they are fitted (models/), and nothing here is computed while deciding.

import { type Cadence, DEFAULT_CADENCE } from './models/cadence.js';
import type { DropoutModel, DropoutParameters } from './models/dropout.js';
import type { SpendParameters } from './models/spend.js';

export interface Calibration {
  version: number;
  cadence: Cadence;
  /** Null where the tenant's data have never said what they are: nothing may then be computed from the model. */
  bg: DropoutParameters | null;
  mbg: DropoutParameters | null;
  /** Of a model that this version's own fit does not identify: the version whose parameters are still in use. */
  keptFrom?: Partial<Record<DropoutModel, number>>;
  /** By currency; those without a fit are not there. */
  spend: Record<string, SpendParameters>;
}

/** In force until the tenant's first fit. */
export const DEFAULT_CALIBRATION: Calibration = {
  version: 0,
  cadence: DEFAULT_CADENCE,
  bg: null,
  mbg: null,
  spend: {},
};

/** A calibration by its version and whatever was fitted. */
export type GivenCalibration = Pick<Calibration, 'version' | 'cadence'> & Partial<Calibration>;

export function calibrationOf({ version, cadence, bg, mbg, keptFrom, spend }: GivenCalibration): Calibration {
  const fitted = { version, cadence, bg: bg ?? null, mbg: mbg ?? null, spend: spend ?? {} };
  return keptFrom === undefined ? fitted : { ...fitted, keptFrom };
}

/** The model to predict by: MBG/NBD where it is identified, else BG/NBD, else none. */
export function dropoutOf({
  bg,
  mbg,
}: Pick<Calibration, 'bg' | 'mbg'>): { model: DropoutModel; parameters: DropoutParameters } | null {
  if (mbg !== null) return { model: 'mbg', parameters: mbg };
  return bg === null ? null : { model: 'bg', parameters: bg };
}
