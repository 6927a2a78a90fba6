// Owns one measurement of a tenant: its orders summed up, and every model fitted to them off the event loop.
// Writes nothing; what becomes of it is a calibration version (policies/calibrate.ts).

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import { DAY_MS, localDay } from '../lifecycle/calendar.js';
import type { CadenceFit } from '../lifecycle/models/cadenceFit.js';
import type { SpendColumns } from '../lifecycle/models/fits.js';
import type { FittedModels, FitWindow } from '../lifecycle/models/fitted.js';
import type { Offload } from '../offload/offload.js';
import { readSample, type Sample } from './sample.js';

export interface Measured {
  cadence: CadenceFit;
  models: FittedModels;
  /** Customers with a counting order. */
  customers: number;
}

/** Told before each model's fit; awaited before it goes on. */
export type OnFitting = () => Promise<void>;

export interface Measuring {
  /** Up to the context's now, days by the time zone. Everything has been read once `onFitting` is first told. */
  measure(context: Context, timeZone: string, onFitting?: OnFitting): Promise<Measured>;
}

/** The currencies with the most customers; the rest have too few to fit anything to. */
const CURRENCIES_MAX = 20;

export interface MeasuringDeps {
  database: Database;
  offload: Pick<Offload, 'run'>;
}

export function createMeasuring({ database, offload }: MeasuringDeps): Measuring {
  return {
    async measure({ tenantId, now }, timeZone, onFitting) {
      const range = { tenantId, timeZone, now };
      const sample = await database.read(tenantId, (executor) => readSample(executor, range));
      const { histories, medianGapDays, customers } = sample;
      // One after another, so that another thread is left for what somebody waits for.
      await onFitting?.();
      const cadence = await offload.run('fitCadence', { histories, medianGapDays });
      await onFitting?.();
      const bg = await offload.run('fitDropout', { model: 'bg', histories });
      await onFitting?.();
      const mbg = await offload.run('fitDropout', { model: 'mbg', histories });
      const spend: FittedModels['spend'] = {};
      for (const [currency, columns] of largest(sample.spend)) {
        await onFitting?.();
        spend[currency] = await offload.run('fitSpend', columns);
      }
      const { standardErrors, customers: spaced } = cadence;
      const window = windowOf(sample, localDay(now.getTime(), timeZone));
      const models = { window, cadence: { standardErrors, customers: spaced }, bg, mbg, spend };
      return { cadence, models, customers };
    },
  };
}

function windowOf({ customers, days }: Sample, today: number): FitWindow {
  return { from: customers === 0 ? null : isoDay(today - days), to: isoDay(today), days };
}

function isoDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

function largest(spend: Map<string, SpendColumns>): [string, SpendColumns][] {
  const sizes = [...spend].map(([currency, columns]) => {
    return { currency, columns, customers: columns.customers.reduce((sum, count) => sum + count, 0) };
  });
  sizes.sort((a, b) => b.customers - a.customers || (a.currency < b.currency ? -1 : 1));
  return sizes.slice(0, CURRENCIES_MAX).map(({ currency, columns }) => [currency, columns]);
}
