// Owns what a change of versions would do to customers, seen before it is made: the very computation that a
// walk over all of them writes by, with nothing locked and nothing written. Does not own the counting of it
// (policies/).

import type { Context } from '../context.js';
import type { Executor } from '../db/executor.js';
import type { Evidence } from '../lifecycle/decide.js';
import { type StageKind, stageKind } from '../lifecycle/stages.js';
import type { CompiledTimeline } from '../lifecycle/timeline.js';
import { computeAll } from './advance.js';
import type { Computed } from './ledger.js';
import { fromDbCustomer } from './rows.js';
import { listNext } from './store.js';
import type { LockedCustomer } from './work.js';

export interface ForesightStep {
  timeline: CompiledTimeline;
  after: string | null;
  limit: number;
  deliver: boolean;
  /** When the change is taken to be made. */
  until: Date;
}

export interface StageSeen {
  stage: string;
  /** Undefined for a stage that its lifecycle does not know. */
  kind: StageKind | undefined;
}

export interface Foreseen {
  customerId: string;
  from: StageSeen;
  to: StageSeen;
  /** Whether a person's move holds the customer. */
  isHeld: boolean;
  /** Of the transition that would be in force; null where none would be written. */
  because: Evidence | null;
  /** Those that would be told, in their order, and whether webhooks would go out for them. */
  events: { type: string; deliver: boolean }[];
}

/** The next customers in the order of their ids; fewer than `limit` at the end. */
export async function foresee(
  executor: Executor,
  context: Context,
  { timeline, after, limit, deliver, until }: ForesightStep,
): Promise<Foreseen[]> {
  const customers = (await listNext(executor, context.tenantId, after, limit)).map(fromDbCustomer);
  const advancements = customers.map((customer) => ({ customer }));
  const options = { mode: 'write' as const, deliver, until };
  const computed = await computeAll(executor, context, { advancements, timeline, options });
  return customers.flatMap((customer, index) => {
    const outcome = computed[index];
    return outcome === undefined ? [] : [seen(customer, outcome, { timeline, until })];
  });
}

function seen(
  { snapshot, stage, state }: LockedCustomer,
  { standing, added, events }: Computed,
  { timeline, until }: Pick<ForesightStep, 'timeline' | 'until'>,
): Foreseen {
  const place = (key: string, policyVersion: number): StageSeen => {
    return { stage: key, kind: stageKind(timeline.lifecycleOf(policyVersion), key) };
  };
  const hold = state?.hold ?? null;
  return {
    customerId: snapshot.id,
    from: place(stage ?? standing.stage, state?.policyVersion ?? standing.state.policyVersion),
    to: place(standing.stage, standing.state.policyVersion),
    isHeld: hold !== null && (hold.until === null || hold.until > until.getTime()),
    because: added.find(({ effectiveAt }) => effectiveAt === standing.state.since)?.evidence ?? null,
    events: events.map(({ draft, deliver }) => ({ type: draft.type, deliver })),
  };
}
