// Owns explaining one customer as they stand now. Reads, and writes nothing: the ledger says what was recorded,
// this what the rules make of it at this moment.

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import { explainCustomer } from '../lifecycle/explain.js';
import { sentencesOf } from '../lifecycle/sentences.js';
import { segmentIndexAt } from '../lifecycle/timeline.js';
import { absencesOf } from './absence.js';
import type { CustomerTold } from './explanation-schemas.js';
import type { HistoryReading } from './histories.js';
import { fromDbCustomer } from './rows.js';
import { findCustomers, type Ref } from './store.js';
import type { Timelines } from './timeline.js';

export interface Explaining {
  database: Database;
  timelines: Timelines;
  histories: HistoryReading;
}

export function explain(
  { database, timelines, histories }: Explaining,
  context: Context,
  ref: Ref,
): Promise<CustomerTold> {
  const { tenantId, now } = context;
  return database.read(tenantId, async (executor) => {
    const [[row], timeline] = await Promise.all([
      findCustomers(executor, tenantId, [ref]),
      timelines.of(executor, tenantId),
    ]);
    if (row === undefined) throw (await absencesOf(executor, tenantId, [ref]))[0];
    const customer = fromDbCustomer(row);
    const [read] = await histories.of(executor, tenantId, [customer]);
    if (read === undefined) throw new Error('one customer in, one history out');
    const explanation = explainCustomer(read.history, timeline, now.getTime());
    const { timeZone } = timeline.segments[segmentIndexAt(timeline, now.getTime())]?.policy ?? {
      timeZone: 'UTC',
    };
    const lifecycle = timeline.lifecycleOf(explanation.policyVersion);
    const sentences = sentencesOf({ explanation, lifecycle, timeZone });
    return { customerId: customer.snapshot.id, explanation, sentences };
  });
}
