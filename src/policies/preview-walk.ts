// Owns the walk over all customers that a preview counts by: in batches, from where it was left, so that it can
// be interrupted at any point and goes on. It holds no lock, and writes its own row alone. Does not own what
// is counted (preview-tally.ts) nor the deciding (transitions/).

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import { tenantsDue } from '../db/due-tenants.js';
import { isAway } from '../db/failures.js';
import { UnavailableError } from '../errors.js';
import { newId } from '../ids.js';
import { leaseUntil } from '../lease.js';
import { type CompiledTimeline, compileTimeline } from '../lifecycle/timeline.js';
import type { TransitionsService } from '../transitions/service.js';
import { addTo } from './preview-tally.js';
import { claimPreview, type PreviewRow, savePreview } from './previews-store.js';

/** Some milliseconds of deciding at a time: between batches the process answers others. */
const BATCH_SIZE = 100;
/** The tally is written down this often, and a replica that takes over begins again from there. */
const BATCHES_A_SAVE = 20;
/** In one run, so that it ends; the preview is due again at once. */
const SAVES_MAX = 25;
const LEASE_MS = 60_000;

export interface PreviewWalkDeps {
  database: Database;
  transitions: Pick<TransitionsService, 'foresee' | 'histories'>;
  clock: () => Date;
}

/** Takes one preview of each tenant that has one due a stretch further. */
export async function previewDue(
  deps: PreviewWalkDeps,
  now: Date,
): Promise<{ customers: number; finished: number }> {
  const result = { customers: 0, finished: 0 };
  const failures: unknown[] = [];
  const tenants = await deps.database.find((executor) => tenantsDue(executor, 'policy_previews', now));
  for (const tenantId of tenants) {
    const actor = { kind: 'system', id: 'preview-policies' } as const;
    const context: Context = { tenantId, actor, now, requestId: newId() };
    const claim = { now, leaseUntil: leaseUntil(deps, LEASE_MS) };
    const preview = await deps.database.write(context, (tx) => claimPreview(tx, tenantId, claim));
    if (preview === undefined) continue;
    try {
      const { customers, finished } = await goOn(deps, context, preview);
      result.customers += customers;
      result.finished += finished ? 1 : 0;
    } catch (error) {
      // The others are not kept waiting; while the database is away, nobody's preview has failed.
      failures.push(error);
      if (!(error instanceof UnavailableError) && !isAway(error)) await fail(deps, context, preview);
    }
  }
  if (failures.length > 0) throw failures[0];
  return result;
}

async function goOn(deps: PreviewWalkDeps, context: Context, preview: PreviewRow) {
  const timeline = await timelineOf(deps, context, preview);
  const ended = (row: PreviewRow): PreviewRow => ({ ...row, dueAt: null, finishedAt: context.now });
  if (timeline === undefined) {
    const failure = 'Another policy or calibration has come into force meanwhile: ask again.';
    await save(deps, context, { row: ended({ ...preview, status: 'failed', failure }), held: preview.dueAt });
    return { customers: 0, finished: true };
  }
  let current = preview;
  let customers = 0;
  for (let saves = 1; saves <= SAVES_MAX; saves++) {
    const { row, count, atEnd } = await countNext(deps, context, { preview: current, timeline });
    customers += count;
    const next: PreviewRow = atEnd
      ? ended({ ...row, status: 'done' })
      : { ...row, dueAt: saves === SAVES_MAX ? context.now : leaseUntil(deps, LEASE_MS) };
    const isHeld = await save(deps, context, { row: next, held: current.dueAt });
    if (!isHeld || atEnd) return { customers, finished: isHeld && atEnd };
    current = next;
  }
  return { customers, finished: false };
}

/** The tenant's own with the policy as its next version; undefined where that is not what was asked about. */
async function timelineOf(
  { database, transitions }: PreviewWalkDeps,
  { tenantId }: Context,
  preview: PreviewRow,
): Promise<CompiledTimeline | undefined> {
  const timeline = await database.read(tenantId, (executor) =>
    transitions.histories.timeline(executor, tenantId),
  );
  const newest = (versions: readonly { version: number }[]) =>
    versions.reduce((highest, { version }) => Math.max(highest, version), 0);
  if (newest(timeline.policies) !== preview.policyVersion) return undefined;
  if (newest(timeline.calibrations) !== preview.calibrationVersion) return undefined;
  const { policy, policyVersion, effectiveFrom } = preview;
  const next = { version: policyVersion + 1, effectiveFrom: effectiveFrom?.getTime() ?? null, policy };
  return compileTimeline({ ...timeline, policies: [...timeline.policies, next] });
}

/** A few batches, counted into a tally of its own. */
async function countNext(
  { transitions }: PreviewWalkDeps,
  context: Context,
  { preview, timeline }: { preview: PreviewRow; timeline: CompiledTimeline },
): Promise<{ row: PreviewRow; count: number; atEnd: boolean }> {
  const tally = structuredClone(preview.tally);
  let { cursor } = preview;
  let seen = 0;
  for (let batch = 0; batch < BATCHES_A_SAVE; batch++) {
    const { backfill, createdAt } = preview;
    const step = { timeline, after: cursor, limit: BATCH_SIZE, deliver: !backfill, until: createdAt };
    const customers = await transitions.foresee(context, step);
    addTo(tally, customers);
    seen += customers.length;
    cursor = customers.at(-1)?.customerId ?? cursor;
    if (customers.length < BATCH_SIZE) {
      return { row: { ...preview, tally, cursor }, count: seen, atEnd: true };
    }
  }
  return { row: { ...preview, tally, cursor }, count: seen, atEnd: false };
}

function save(
  { database }: PreviewWalkDeps,
  context: Context,
  { row, held }: { row: PreviewRow; held: Date | null },
): Promise<boolean> {
  return database.write(context, (tx) => savePreview(tx, context.tenantId, row, held));
}

async function fail(deps: PreviewWalkDeps, context: Context, preview: PreviewRow): Promise<void> {
  const failure = 'The preview could not be made.';
  const row = { ...preview, status: 'failed' as const, failure, dueAt: null, finishedAt: context.now };
  await save(deps, context, { row, held: preview.dueAt });
}
