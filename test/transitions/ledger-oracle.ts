// What was in effect, found the slow way: every raw row of a tenant's ledger is looked at for every question.

import type { TestService } from '../helpers/service.js';

export interface RawRow {
  id: string;
  customer: string;
  to: string;
  effectiveAt: number;
  recordedAt: number;
  /** Infinity while it is in force. */
  supersededAt: number;
}

export interface Instants {
  asOf: number;
  knownAt: number;
}

/** The ids of rows; null where there is none. */
export interface Around {
  known: boolean;
  stage: string | null;
  since: string | null;
  transition: string | null;
  previous: string | null;
  next: string | null;
}

export async function readLedger({ database, tenant }: TestService): Promise<RawRow[]> {
  const rows = await database.read(tenant.id, (executor) =>
    executor.rows<
      Record<'id' | 'customer' | 'to', string> &
        Record<'effective' | 'recorded', Date> & { superseded: Date | null }
    >({
      text: `SELECT id, customer_id AS customer, to_stage AS "to", effective_at AS effective, recorded_at AS recorded,
                    superseded_at AS superseded FROM transitions WHERE tenant_id = $1`,
      values: [tenant.id],
    }),
  );
  return rows.map(({ id, customer, to, effective, recorded, superseded }) => ({
    ...{ id, customer, to, effectiveAt: effective.getTime(), recordedAt: recorded.getTime() },
    supersededAt: superseded?.getTime() ?? Infinity,
  }));
}

export class LedgerOracle {
  constructor(private readonly rows: readonly RawRow[]) {}

  /** Every millisecond at which some answer changes, by clock. */
  get effective(): number[] {
    return this.rows.map((row) => row.effectiveAt);
  }

  get recorded(): number[] {
    return this.rows.flatMap((row) => [row.recordedAt, row.supersededAt]).filter(Number.isFinite);
  }

  around(customer: string, { asOf, knownAt }: Instants): Around {
    const theirs = this.rows.filter((row) => row.customer === customer);
    const inForce = theirs
      .filter((row) => row.recordedAt <= knownAt && knownAt < row.supersededAt)
      .sort((a, b) => a.effectiveAt - b.effectiveAt);
    const past = inForce.filter((row) => row.effectiveAt <= asOf);
    const current = past.at(-1);
    return {
      known: theirs.some((row) => row.recordedAt <= knownAt),
      stage: current?.to ?? null,
      since: current === undefined ? null : new Date(current.effectiveAt).toISOString(),
      transition: current?.id ?? null,
      previous: past.at(-2)?.id ?? null,
      next: inForce[past.length]?.id ?? null,
    };
  }

  /** By customer, of those who had a stage. */
  stages(instants: Instants): Map<string, { stage: string; since: string }> {
    const customers = [...new Set(this.rows.map((row) => row.customer))];
    const stages = customers.flatMap((customer) => {
      const { stage, since } = this.around(customer, instants);
      return stage === null || since === null ? [] : [[customer, { stage, since }] as const];
    });
    return new Map(stages);
  }

  counts(instants: Instants): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { stage } of this.stages(instants).values()) counts[stage] = (counts[stage] ?? 0) + 1;
    return counts;
  }
}
