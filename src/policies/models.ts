// Owns the look for the models that a tenant has a fit of. Does not own the fits, nor what reads them (lifecycle/).

import type { Executor } from '../db/executor.js';
import type { AvailableModels } from '../lifecycle/validation.js';
import type { TransitionsService } from '../transitions/service.js';

export type { AvailableModels } from '../lifecycle/validation.js';

/**
 * By the newest calibration's own fit: a model in which it does not identify dropout is not there, though what is in
 * force may go on by an earlier one.
 */
export async function availableModels(
  histories: TransitionsService['histories'],
  executor: Executor,
  tenantId: string,
): Promise<AvailableModels> {
  const { calibrations } = await histories.timeline(executor, tenantId);
  const newest = calibrations.reduce<(typeof calibrations)[number] | undefined>(
    (found, each) => (found === undefined || each.version > found.version ? each : found),
    undefined,
  );
  const isIdentified = (model: 'bg' | 'mbg') =>
    newest?.[model] != null && newest.keptFrom?.[model] === undefined;
  return { bg: isIdentified('bg'), mbg: isIdentified('mbg') };
}
