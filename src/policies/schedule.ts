// Owns how often a tenant's cadence is fitted anew. The first fit comes that long after the tenant is made:
// before, there is little to fit.

export const CALIBRATION_EVERY_MS = 24 * 3_600_000;
