// Owns what a decision reads of other customers: one dated version of the tenant's fits. Does not own how
// they are fitted (models/), and nothing here is computed while deciding.

import { type Cadence, DEFAULT_CADENCE } from './models/cadence.js';

export interface Calibration {
  version: number;
  cadence: Cadence;
}

/** In force until the tenant's first fit. */
export const DEFAULT_CALIBRATION: Calibration = { version: 0, cadence: DEFAULT_CADENCE };
