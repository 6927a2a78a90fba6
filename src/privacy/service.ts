// Owns the use cases of privacy law: erasing a person's data, and handing over all that is held of them. Does not
// own how either is done (erasing.ts, exporting.ts).

import type { Context } from '../context.js';
import type { Customer } from '../customers/schemas.js';
import type { Target } from '../customers/service.js';
import type { Database } from '../db/database.js';
import { type ErasingDeps, eraseIn } from './erasing.js';
import { type ExportingDeps, exportOf } from './exporting.js';

export interface PrivacyDeps extends Omit<ErasingDeps, 'told'>, Omit<ExportingDeps, 'told'> {
  database: Database;
  transitions: ErasingDeps['transitions'] & ExportingDeps['transitions'];
  customers: ErasingDeps['customers'] & ExportingDeps['customers'];
  orders: ErasingDeps['orders'] & ExportingDeps['orders'];
  touchpoints: ErasingDeps['touchpoints'] & ExportingDeps['touchpoints'];
  merges: ErasingDeps['merges'] & ExportingDeps['merges'];
  duplicates: ErasingDeps['duplicates'] & ExportingDeps['duplicates'];
  shadows: ErasingDeps['shadows'] & ExportingDeps['shadows'];
  told: ErasingDeps['told'] & ExportingDeps['told'];
}

export type PrivacyService = ReturnType<typeof createPrivacyService>;

export function createPrivacyService(deps: PrivacyDeps) {
  const { database } = deps;
  return {
    erase: (context: Context, target: Target): Promise<Customer> =>
      database.write(context, (tx) => eraseIn(deps, tx, context, target)),

    /** Lines of JSON, to be asked for one after the other; throws before the first where there is nobody. */
    export: (context: Context, ref: string): Promise<AsyncIterable<string>> => exportOf(deps, context, ref),
  };
}
