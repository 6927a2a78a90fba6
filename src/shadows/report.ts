// Owns what the report on a shadow says, made of its counts. Pure. Does not own how they are kept (customers-store.ts).

import type { Versions } from '../transitions/service.js';
import type { Backlog } from './report-store.js';
import type { ShadowReport } from './schemas.js';
import type { CountRow, ShadowRow } from './store.js';

export interface Seen {
  shadow: ShadowRow & { status: ShadowReport['status'] };
  backlog: Backlog;
  counts: readonly CountRow[];
  versions: Versions;
}

export function reportOn({ shadow, backlog, counts, versions }: Seen): ShadowReport {
  const standing = counts.filter(({ kind }) => kind === 'standing');
  const moves = counts.filter(({ kind }) => kind !== 'standing');
  const sum = (rows: readonly CountRow[]) => rows.reduce((total, { count }) => total + count, 0);
  const isCurrent =
    shadow.status === 'running' &&
    shadow.filledAt !== null &&
    backlog.marks === 0 &&
    backlog.due === 0 &&
    versions.policy === shadow.policySeen &&
    versions.calibration === shadow.calibrationSeen;
  return {
    policyId: shadow.policyId,
    status: shadow.status,
    since: shadow.since.toISOString(),
    startedAt: shadow.startedAt.toISOString(),
    startedBy: shadow.startedBy,
    stoppedAt: shadow.stoppedAt?.toISOString() ?? null,
    progress: {
      isCurrent,
      customersWalked: shadow.customersFilled,
      filledAt: shadow.filledAt?.toISOString() ?? null,
      changesPending: backlog.marks,
      oldestPendingAt: backlog.oldestMarkAt?.toISOString() ?? null,
      customersDue: backlog.due,
    },
    customers: sum(standing),
    customersDiffering: sum(standing.filter(({ fromStage, toStage }) => fromStage !== toStage)),
    matrix: standing.map(({ fromStage, toStage, count }) => {
      return { liveStage: fromStage, shadowStage: toStage, customers: count };
    }),
    transitions: bothBy(moves, ({ fromStage, toStage }) => JSON.stringify([fromStage, toStage])).map(
      ([{ fromStage, toStage }, both]) => ({
        from: fromStage === '' ? null : fromStage,
        to: toStage,
        ...both,
      }),
    ),
    events: bothBy(moves, ({ eventType }) => eventType).map(([{ eventType }, both]) => {
      return { type: eventType, ...both };
    }),
  };
}

interface Both {
  shadow: number;
  live: number;
}

/** What is counted of both ledgers side by side, in one row for each key. */
function bothBy(rows: readonly CountRow[], keyOf: (row: CountRow) => string): [CountRow, Both][] {
  const sums = new Map<string, [CountRow, Both]>();
  for (const row of rows) {
    const sum = sums.get(keyOf(row)) ?? [row, { shadow: 0, live: 0 }];
    sums.set(keyOf(row), sum);
    sum[1][row.kind === 'shadow' ? 'shadow' : 'live'] += row.count;
  }
  return [...sums.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum);
}
