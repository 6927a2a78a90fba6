// Owns a replay's walk: from where it was left, a stretch at a time, what belongs to it is queued in the same
// transaction that moves its cursor, so that an interrupted walk repeats nothing and leaves nothing out. Does
// not own whose turn it is (replays-advance.ts), nor how what is queued is sent (deliver.ts).

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Transaction } from '../db/executor.js';
import { newId } from '../ids.js';
import { lastPosition } from './feed-store.js';
import { NUMBERED_AT_ONCE_MAX, numberEvents } from './number.js';
import { holdReplay, type ReplayProgress, type ReplayRow, saveProgress } from './replays-store.js';
import { countPending, positionBefore, readDeadStretch, readFeedStretch } from './replays-walk-store.js';
import { insertAgain } from './requeue-store.js';
import { typesOf } from './topics.js';

const STRETCH = 500;
/**
 * An endpoint's queue grows no further by replays: what is waiting there already is to be sent first. Not so where
 * that waits for the replay: each would wait for the other.
 */
export const PENDING_MAX = 5_000;
const QUEUE_FULL_WAIT_MS = 2_000;
/**
 * How far the times of recording may be out of the order of positions: a clock ahead of another, a transaction
 * that took its time. Beyond the range, the walk goes on for so long.
 */
const MARGIN_MS = 300_000;

export interface Step {
  context: Context;
  token: string;
  /** The end of the lease that the step renews. */
  leaseUntil: Date;
}

/** `lost`: somebody else has it, or has cancelled it. */
export type StepOutcome = { kind: 'more' | 'waits' | 'ended' | 'lost'; queued: number };

/** Takes one step of a replay that is claimed under the token. */
export async function takeStep(database: Database, id: string, step: Step): Promise<StepOutcome> {
  const { context, token } = step;
  const { tenantId } = context;
  return database.write(context, async (tx) => {
    const replay = await holdReplay(tx, tenantId, { id, token });
    if (replay === undefined) return { kind: 'lost', queued: 0 };
    const { endpointId, endpointStatus } = replay;
    if (endpointStatus === 'disabled') {
      await saveProgress(tx, tenantId, ended(replay, 'cancelled', context.now));
      return { kind: 'ended', queued: 0 };
    }
    const room = { endpointId, max: PENDING_MAX };
    if (!replay.isAwaited && (await countPending(tx, tenantId, room)) >= PENDING_MAX) {
      const dueAt = new Date(context.now.getTime() + QUEUE_FULL_WAIT_MS);
      await saveProgress(tx, tenantId, { ...replay, dueAt, token: null });
      return { kind: 'waits', queued: 0 };
    }
    return replay.scope === 'failed' ? walkDead(tx, step, replay) : walkFeed(tx, step, replay);
  });
}

/** Lets go of a replay that has more to do, for whoever comes first. */
export function letGo(database: Database, id: string, { context, token }: Step): Promise<void> {
  const { tenantId, now } = context;
  return database.write(context, async (tx) => {
    const replay = await holdReplay(tx, tenantId, { id, token });
    if (replay !== undefined) await saveProgress(tx, tenantId, { ...replay, dueAt: now, token: null });
  });
}

/**
 * Where the walk over the feed begins and ends, as its first cursor. Everything that was committed without a
 * delivery for the endpoint, since it was disabled then, must be below the end: so the writes under way are
 * waited for once (the next ones see the endpoint as it is now), and the feed is numbered.
 */
export async function boundFeed(database: Database, replay: ReplayRow, { context }: Step): Promise<string> {
  const { tenantId, now } = context;
  if (replay.to.getTime() > replay.createdAt.getTime() - MARGIN_MS) {
    await database.write(context, (tx) => tx.rows({ text: 'SELECT' }), { exclusive: true });
  }
  const numbering = { tenantId, now, wait: true };
  while ((await numberEvents(database, numbering)) >= NUMBERED_AT_ONCE_MAX) {
    // Until all that has been committed has its place.
  }
  return database.read(tenantId, async (executor) => {
    const end = await lastPosition(executor, tenantId);
    const before = new Date(replay.from.getTime() - MARGIN_MS);
    return feedCursor(await positionBefore(executor, tenantId, { before, end }), end);
  });
}

/** Keeps the bounds, unless the claim was lost meanwhile. */
export async function saveBounds(database: Database, id: string, step: Step, cursor: string): Promise<void> {
  const { context, token, leaseUntil } = step;
  await database.write(context, async (tx) => {
    const replay = await holdReplay(tx, context.tenantId, { id, token });
    if (replay === undefined) return;
    await saveProgress(tx, context.tenantId, { ...replay, cursor, dueAt: leaseUntil, token });
  });
}

async function walkFeed(tx: Transaction, step: Step, replay: ReplayRow): Promise<StepOutcome> {
  const [after = 0, upTo = 0] = (replay.cursor ?? '').split('/').map(Number);
  const { tenantId } = step.context;
  const { from, to, eventTypes } = replay;
  const types = typesOf(eventTypes);
  const events = await readFeedStretch(tx, tenantId, { after, upTo, types, from, to, limit: STRETCH });
  const seen = events.filter(({ recordedAt }) => recordedAt >= from && recordedAt <= to).length;
  const wanted = events.filter(({ isWanted }) => isWanted).map(({ id }) => id);
  const last = events.at(-1);
  const isPast = events.every(({ recordedAt }) => recordedAt.getTime() > to.getTime() + MARGIN_MS);
  const isOver = events.length < STRETCH || isPast;
  const cursor = last === undefined ? replay.cursor : feedCursor(last.position, upTo);
  return queue(tx, step, { replay, wanted, seen, cursor, isOver });
}

async function walkDead(tx: Transaction, step: Step, replay: ReplayRow): Promise<StepOutcome> {
  const { cursor, endpointId, eventTypes, from, to } = replay;
  const [createdAt, deliveryId] = (cursor ?? '').split('/');
  const after =
    createdAt === undefined || deliveryId === undefined ? null : ([createdAt, deliveryId] as const);
  const types = typesOf(eventTypes);
  const stretch = { endpointId, after, types, from, to, limit: STRETCH };
  const dead = await readDeadStretch(tx, step.context.tenantId, stretch);
  const last = dead.at(-1);
  return queue(tx, step, {
    replay,
    wanted: dead.filter(({ isWanted }) => isWanted).map(({ eventId }) => eventId),
    seen: dead.filter(({ isOfRange }) => isOfRange).length,
    cursor: last === undefined ? cursor : `${last.createdAt.toISOString()}/${last.id}`,
    isOver: dead.length < STRETCH,
  });
}

interface Found {
  replay: ReplayRow;
  /** Events, in their order. */
  wanted: readonly string[];
  seen: number;
  cursor: string | null;
  isOver: boolean;
}

async function queue(tx: Transaction, step: Step, found: Found): Promise<StepOutcome> {
  const { context, token, leaseUntil } = step;
  const { tenantId, now } = context;
  const { replay, wanted, seen, cursor, isOver } = found;
  const rows = wanted.map((eventId) => ({ id: newId(), eventId }));
  const { endpointId, scope } = replay;
  const judged = { isFiltered: scope !== 'failed', isMissedOnly: scope === 'missed' };
  const again = { endpointId, replayOf: replay.id, now, rows, ...judged };
  const queued = rows.length === 0 ? 0 : await insertAgain(tx, tenantId, again);
  if (queued > 0) tx.announce('deliveries');
  const moved = {
    ...replay,
    cursor,
    eventsSeen: replay.eventsSeen + seen,
    deliveriesQueued: replay.deliveriesQueued + queued,
  };
  const progress = isOver ? ended(moved, 'done', now) : { ...moved, dueAt: leaseUntil, token };
  await saveProgress(tx, tenantId, progress);
  return { kind: isOver ? 'ended' : 'more', queued };
}

function ended(replay: ReplayRow, status: 'done' | 'cancelled', now: Date): ReplayProgress {
  return { ...replay, status, dueAt: null, token: null, finishedAt: now };
}

function feedCursor(after: number, upTo: number): string {
  return `${after}/${upTo}`;
}
