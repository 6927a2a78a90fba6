// Owns the figures for Prometheus that concern the jobs: their runs, what they did, and what is waiting. Does
// not own the registry (plugins/metrics) or the work.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Database } from '../db/database.js';
import type { OutcomeKind } from '../outbox/attempt.js';
import { type Backlog, backlogOf } from '../outbox/backlog.js';
import type { JobOutcome } from './drive.js';

export interface JobMetrics {
  ran(job: string, outcome: JobOutcome): void;
  attempted(kind: OutcomeKind | 'lost', durationMs: number): void;
  /** An endpoint is sent nothing for now, or any more. */
  shut(how: 'breaker_open' | 'disabled'): void;
  advanced(count: number, setAside: number): void;
  /** Deliveries that replays have queued. */
  replayed(count: number): void;
  pruned(counts: Partial<Record<string, number>>): void;
}

export interface JobMetricsDeps {
  registry: Registry;
  database: Database;
  clock: () => Date;
}

const DURATION_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15];
/** The gauge counts no further: it must not cost more the worse things are. */
const BACKLOG_MAX = 10_000;
const PRUNED_TABLES = ['events', 'deliveries', 'attempts'] as const;

export function createJobMetrics({ registry, database, clock }: JobMetricsDeps): JobMetrics {
  const registers = [registry];
  const runs = new Counter({
    name: 'perennial_job_runs_total',
    help: 'Runs of jobs that did something, found nothing, or failed.',
    labelNames: ['job', 'outcome'] as const,
    registers,
  });
  const attempts = new Counter({
    name: 'perennial_delivery_attempts_total',
    help: 'Attempts to deliver an event: succeeded, to be tried again, the last one, gone (410), or recorded too late.',
    labelNames: ['outcome'] as const,
    registers,
  });
  const durations = new Histogram({
    name: 'perennial_delivery_attempt_duration_seconds',
    help: 'Time from the start of an attempt to the end of the answer.',
    buckets: DURATION_BUCKETS_S,
    registers,
  });
  const shut = new Counter({
    name: 'perennial_endpoints_shut_total',
    help: 'Failures upon which an endpoint is sent nothing: its breaker is open, or it was disabled.',
    labelNames: ['how'] as const,
    registers,
  });
  const customers = new Counter({
    name: 'perennial_customers_advanced_total',
    help: 'Customers that ticks have decided anew, or set aside after a failure.',
    labelNames: ['outcome'] as const,
    registers,
  });
  const replayed = new Counter({
    name: 'perennial_replayed_deliveries_total',
    help: 'Deliveries that replays have queued.',
    registers,
  });
  const pruned = new Counter({
    name: 'perennial_pruned_rows_total',
    help: 'Events, deliveries and attempts that were kept for long enough and have been deleted.',
    labelNames: ['table'] as const,
    registers,
  });
  measureBacklog({ registry, database, clock });
  return {
    ran: (job, outcome) => runs.inc({ job, outcome }),
    attempted(kind, durationMs) {
      attempts.inc({ outcome: kind });
      if (kind !== 'lost') durations.observe(durationMs / 1000);
    },
    shut: (how) => shut.inc({ how }),
    advanced(count, setAside) {
      customers.inc({ outcome: 'advanced' }, count);
      customers.inc({ outcome: 'set_aside' }, setAside);
    },
    replayed: (count) => replayed.inc(count),
    pruned(counts) {
      for (const table of PRUNED_TABLES) pruned.inc({ table }, counts[table] ?? 0);
    },
  };
}

/** Gauges that are read from the database when somebody looks: one look for all of them. */
function measureBacklog({ registry, database, clock }: JobMetricsDeps): void {
  const registers = [registry];
  const overdue = new Gauge({
    name: 'perennial_deliveries_overdue_seconds',
    help: 'How long the delivery has been due that nobody has taken up for longest; 0 if none is.',
    registers,
  });
  const replays = new Gauge({
    name: 'perennial_replays_running',
    help: `Replays that have more to queue, counted up to ${BACKLOG_MAX}.`,
    registers,
  });
  const due = new Gauge({
    name: 'perennial_deliveries_due',
    help: `Deliveries that are due and not taken up yet, counted up to ${BACKLOG_MAX}.`,
    registers,
    async collect() {
      // While the database is away, the rest of the figures are still wanted.
      const backlog = await backlogOf(database, clock(), BACKLOG_MAX).catch(() => UNKNOWN);
      due.set(backlog.due);
      overdue.set(backlog.overdueMs / 1000);
      replays.set(backlog.replays);
    },
  });
}

const UNKNOWN: Backlog = { due: Number.NaN, overdueMs: Number.NaN, replays: Number.NaN };
