// Owns how often a tenant's cadence is fitted anew. The first fit comes that long after the tenant is made:
// before, there is little to fit.

export const CALIBRATION_EVERY_MS = 24 * 3_600_000;
/** A fit that failed, or whose replica died, is tried again after this. */
export const CALIBRATION_RETRY_MS = 10 * 60_000;
