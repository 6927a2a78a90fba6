// Owns one step of a shadow, in one transaction that holds it: whoever has changed, whose time has come and who is next
// in the walk over all are decided anew, and what differs from the record is written. Does not own the deciding
// (reckon.ts), nor how many steps are taken and under which lease (advance.ts).

import type { Context } from '../context.js';
import type { Transaction } from '../db/executor.js';
import { LAST_ID } from '../db/id-ends.js';
import { newId } from '../ids.js';
import { usesCalibration } from '../lifecycle/policy.js';
import type { CompiledTimeline, Timeline } from '../lifecycle/timeline.js';
import type { CustomerHistory, TransitionsService } from '../transitions/service.js';
import {
  type AddedRow,
  changeCounts,
  insertLedger,
  loadStored,
  nextDueAt,
  readDue,
  type StandingRow,
  type StoredCustomer,
  supersede,
  writeStandings,
} from './customers-store.js';
import { deleteMarks, insertMarks, type Mark, readMarks } from './marks-store.js';
import { type Reckoned, reckon, shadowTimeline, tally } from './reckon.js';
import { deleteCustomers, strayCustomers } from './removal-store.js';
import { type ShadowRow, saveProgress } from './store.js';

/** Of each kind of work in one step: they share it, so that neither a long walk nor a busy shop keeps the rest waiting. */
const MARKS_A_STEP = 250;
const DUE_A_STEP = 250;
const WALKED_A_STEP = 250;
const STRAYS_A_STEP = 250;
/** How soon new versions are noticed that mark nobody: a calibration that the live policy does not read. */
export const CHECK_EVERY_MS = 10_000;
const SET_ASIDE_MS = 600_000;

export interface StepDeps {
  transitions: Pick<TransitionsService, 'find' | 'histories'>;
  /** Told of a customer who could not be decided, and is tried again later. */
  onFailure: (failure: { tenantId: string; customerId?: string; error: unknown }) => void;
}

export interface Step {
  context: Context;
  token: string;
  leaseUntil: Date;
}

export interface StepResult {
  customers: number;
  /** Whether there is more to do at once; where there is not, the shadow has been let go. */
  more: boolean;
}

/** A step of a shadow under way, which the transaction holds. */
export async function takeStep(
  deps: StepDeps,
  tx: Transaction,
  step: Step,
  held: ShadowRow,
): Promise<StepResult> {
  const { context, token, leaseUntil } = step;
  const { tenantId, now } = context;
  const { policyId } = held;
  const [versions, marks, due] = await Promise.all([
    deps.transitions.histories.timeline(tx, tenantId),
    readMarks(tx, tenantId, { policyId, now, limit: MARKS_A_STEP }),
    readDue(tx, tenantId, { policyId, now, limit: DUE_A_STEP }),
  ]);
  const shadow = withVersions(held, versions);
  const timeline = shadowTimeline(versions, { policy: shadow.policy, since: shadow.since.getTime() });
  const called = [...new Set([...marks.map(({ customerId }) => customerId), ...due])];
  const [found, walked] = await Promise.all([
    findCalled(deps, tx, tenantId, called),
    walkOn(deps, tx, tenantId, shadow),
  ]);
  const work = new Map([...found, ...walked].map((each) => [each.customer.snapshot.id, each]));
  const strays = await straysOf(tx, tenantId, { shadow, walked });
  const gone = [...new Set([...called, ...strays])].filter((id) => !work.has(id));
  await decideAll(deps, tx, context, { shadow, timeline, work: [...work.values()], gone, marks });
  // Where there may be more who stray, the stretch is gone over once more.
  const passed = strays.length < STRAYS_A_STEP ? walked : [];
  const filled = shadow.filledAt !== null || (passed === walked && walked.length < WALKED_A_STEP);
  const more = !filled || marks.length === MARKS_A_STEP || due.length === DUE_A_STEP;
  await saveProgress(tx, tenantId, {
    ...shadow,
    fill: filled ? 'filled' : 'filling',
    cursor: passed.at(-1)?.customer.snapshot.id ?? shadow.cursor,
    customersFilled: shadow.customersFilled + passed.length,
    filledAt: filled ? (shadow.filledAt ?? now) : null,
    ...(more
      ? { dueAt: leaseUntil, token }
      : { dueAt: await nextLook(tx, tenantId, shadow, now), token: null }),
  });
  return { customers: work.size, more };
}

/**
 * The shadow as of the newest versions. The walk begins again where one of them changes what every customer comes to
 * and none of them is marked: a policy dated before the shadow, or a calibration that the shadow reads.
 */
function withVersions(shadow: ShadowRow, { policies, calibrations }: Timeline): ShadowRow {
  const since = shadow.since.getTime();
  const { policySeen, calibrationSeen } = shadow;
  const seen = {
    policySeen: Math.max(policySeen, ...policies.map(({ version }) => version)),
    calibrationSeen: Math.max(calibrationSeen, ...calibrations.map(({ version }) => version)),
  };
  // Nobody has been decided yet.
  if (shadow.filledAt === null && shadow.cursor === null) return { ...shadow, ...seen };
  const isConcerned =
    policies.some(
      ({ version, effectiveFrom }) => version > policySeen && (effectiveFrom ?? -Infinity) < since,
    ) ||
    calibrations.some(
      ({ version, effectiveFrom }) =>
        version > calibrationSeen && (effectiveFrom < since || usesCalibration(shadow.policy)),
    );
  if (!isConcerned) return { ...shadow, ...seen };
  return { ...shadow, ...seen, cursor: null, customersFilled: 0, filledAt: null };
}

async function findCalled(
  { transitions }: StepDeps,
  tx: Transaction,
  tenantId: string,
  ids: readonly string[],
): Promise<CustomerHistory[]> {
  if (ids.length === 0) return [];
  const refs = ids.map((id) => ({ kind: 'id', id }) as const);
  const customers = await transitions.find(tx, tenantId, refs);
  const known = customers.filter((customer) => customer !== undefined);
  return transitions.histories.of(tx, tenantId, known);
}

function walkOn(
  { transitions }: StepDeps,
  tx: Transaction,
  tenantId: string,
  shadow: ShadowRow,
): Promise<CustomerHistory[]> {
  if (shadow.filledAt !== null) return Promise.resolve([]);
  return transitions.histories.next(tx, tenantId, { after: shadow.cursor, limit: WALKED_A_STEP });
}

async function straysOf(
  tx: Transaction,
  tenantId: string,
  { shadow, walked }: { shadow: ShadowRow; walked: readonly CustomerHistory[] },
): Promise<string[]> {
  if (shadow.filledAt !== null) return [];
  const ids = walked.map(({ customer }) => customer.snapshot.id);
  // Where the walk over all has no next customer, its last stretch reaches to the end.
  const last = walked.length < WALKED_A_STEP ? LAST_ID : (ids.at(-1) ?? LAST_ID);
  const stretch = { policyId: shadow.policyId, after: shadow.cursor, last, ids };
  return strayCustomers(tx, tenantId, { ...stretch, limit: STRAYS_A_STEP });
}

interface Deciding {
  shadow: ShadowRow;
  timeline: CompiledTimeline;
  work: CustomerHistory[];
  /** Called for, or walked past, and no customers any more. */
  gone: string[];
  marks: Mark[];
}

async function decideAll(
  deps: StepDeps,
  tx: Transaction,
  context: Context,
  { shadow, timeline, work, gone, marks }: Deciding,
): Promise<void> {
  const { tenantId, now } = context;
  const { policyId } = shadow;
  const ids = work.map(({ customer }) => customer.snapshot.id);
  const stored = await loadStored(tx, tenantId, { policyId, ids });
  const decided: { customerId: string; reckoned: Reckoned; before: StoredCustomer | undefined }[] = [];
  const setAside: Mark[] = [];
  for (const each of work) {
    const customerId = each.customer.snapshot.id;
    const before = stored.get(customerId);
    try {
      decided.push({ customerId, before, reckoned: reckonOne(each, { shadow, timeline, before, now }) });
    } catch (error) {
      deps.onFailure({ tenantId, customerId, error });
      setAside.push({ customerId, markedAt: new Date(now.getTime() + SET_ASIDE_MS), version: 0 });
    }
  }
  const removed = gone.length === 0 ? [] : await deleteCustomers(tx, tenantId, { policyId, ids: gone });
  const changes = tally([
    ...decided.map(({ before, reckoned }) => ({ before: before?.counted, after: reckoned.standing })),
    ...removed.map((before) => ({ before, after: undefined })),
  ]);
  const standings = decided.map(
    ({ customerId, reckoned }): StandingRow => ({ ...reckoned.standing, customerId }),
  );
  const added = decided.flatMap(({ customerId, reckoned }) =>
    reckoned.add.map((transition): AddedRow => ({ ...transition, id: newId(), customerId })),
  );
  const superseded = decided.flatMap(({ reckoned }) => reckoned.supersede);
  // What there is none of is not written; the rest travels together.
  const write = <Row>(rows: readonly Row[], writing: (rows: readonly Row[]) => Promise<unknown>) =>
    rows.length === 0 ? undefined : writing(rows);
  await Promise.all([
    write(superseded, (taken) => supersede(tx, tenantId, { ids: taken, now })),
    write(added, (rows) => insertLedger(tx, tenantId, { policyId, rows, now })),
    write(standings, (rows) => writeStandings(tx, tenantId, { policyId, rows })),
    write(changes, (rows) => changeCounts(tx, tenantId, { policyId, rows })),
    write(marks, (rows) => deleteMarks(tx, tenantId, { policyId, rows })),
    write(setAside, (rows) => insertMarks(tx, tenantId, { policyId, rows })),
  ]);
}

interface ReckoningOne {
  shadow: ShadowRow;
  timeline: CompiledTimeline;
  before: StoredCustomer | undefined;
  now: Date;
}

function reckonOne(
  { customer, history, inForce }: CustomerHistory,
  { shadow, timeline, before, now }: ReckoningOne,
): Reckoned {
  // Another replica's clock may be ahead of ours: what was reached is not taken back. Nor is it from before the last
  // change of the customer was recorded, by which a merge that it has seen is told (removal-store.ts).
  const reached = Math.max(before?.asOf ?? 0, customer.state?.at ?? 0, customer.recordedAt?.getTime() ?? 0);
  const until = Math.max(now.getTime(), reached);
  return reckon({
    since: shadow.since.getTime(),
    ...{ timeline, history, until, live: inForce, inForce: before?.inForce ?? [] },
  });
}

async function nextLook(
  tx: Transaction,
  tenantId: string,
  { policyId }: ShadowRow,
  now: Date,
): Promise<Date> {
  const check = new Date(now.getTime() + CHECK_EVERY_MS);
  const due = await nextDueAt(tx, tenantId, policyId);
  return due !== undefined && due < check ? due : check;
}
