// Owns the use cases of replays: asking for one, showing them, cancelling one. Does not own their walk
// (replays-walk.ts) nor sending a single delivery again (redelivery.ts).

import { cursorScope, decodeCursor, encodeCursor } from '../api/cursor.js';
import { PAGE_LIMIT_DEFAULT } from '../api/shapes.js';
import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Executor, Transaction } from '../db/executor.js';
import { ConflictError, InvalidError } from '../errors.js';
import { newId } from '../ids.js';
import { DAY_MS } from '../lifecycle/calendar.js';
import { unknownEndpoint, unknownReplay } from './errors.js';
import { type AdvanceResult, advanceReplays } from './replays-advance.js';
import {
  type RecoverInput,
  type Replay,
  type ReplayInput,
  type ReplayPage,
  toReplay,
} from './replays-schemas.js';
import {
  cancelReplay,
  countRunning,
  findReplay,
  insertReplay,
  listReplays,
  type ReplayKey,
  type ReplayRow,
  type ReplayScope,
} from './replays-store.js';
import { findEndpointState, lockEndpointState } from './requeue-store.js';
import { EVERYTHING } from './topics.js';

export interface ReplayRequest {
  endpointId: string;
  scope: ReplayScope;
  /** Without it, the endpoint's own; with `failed`, all. */
  eventTypes?: readonly string[];
  from: Date;
  /** Without it, now. */
  to?: Date;
}

export interface ReplaysService {
  /** For who makes an endpoint active and sends what it missed, in the same transaction: its row is locked. */
  start(tx: Transaction, context: Context, request: ReplayRequest): Promise<Replay>;
  create(context: Context, endpointId: string, input: ReplayInput): Promise<Replay>;
  /** All that failed since a time. */
  recover(context: Context, endpointId: string, input: RecoverInput): Promise<Replay>;
  get(context: Context, key: ReplayKey): Promise<Replay>;
  list(context: Context, endpointId: string, query: { limit?: number; cursor?: string }): Promise<ReplayPage>;
  /** What it has queued already goes out. One that has been cancelled stays so; one that is done cannot be. */
  cancel(context: Context, key: ReplayKey): Promise<Replay>;
  /** A stretch of each tenant's replays that are due. */
  advance(now: Date): Promise<AdvanceResult>;
}

export interface ReplaysDeps {
  database: Database;
  /** How long events are kept; 0 for ever. */
  retentionDays: number;
  onFailure: (failure: { tenantId: string; error: unknown }) => void;
}

export const RUNNING_MAX = 5;
const BY_CREATION = cursorScope('webhook_replays', ['time', 'uuid']);

export function createReplaysService(deps: ReplaysDeps): ReplaysService {
  const { database } = deps;
  const ask = (context: Context, request: ReplayRequest): Promise<Replay> =>
    database.write(context, (tx) => start(tx, context, request));
  return {
    start,
    create(context, endpointId, { scope = 'all', eventTypes, from, to }) {
      const range = { from: new Date(from), to: endOf(to, context.now) };
      checkRange(range, { retentionDays: deps.retentionDays, pointer: '/from' });
      return ask(context, {
        endpointId,
        scope,
        ...range,
        ...(eventTypes === undefined ? {} : { eventTypes }),
      });
    },
    recover(context, endpointId, { since }) {
      const range = { from: new Date(since), to: context.now };
      checkRange(range, { retentionDays: deps.retentionDays, pointer: '/since' });
      return ask(context, { endpointId, scope: 'failed', ...range });
    },
    get: async ({ tenantId }, key) =>
      toReplay(known(await database.read(tenantId, (executor) => findReplay(executor, tenantId, key)))),
    list: (context, endpointId, query) => list(database, context, { endpointId, ...query }),
    cancel: (context, key) => cancel(database, context, key),
    advance: (now) => advanceReplays(deps, now),
  };
}

async function start(tx: Transaction, context: Context, request: ReplayRequest): Promise<Replay> {
  const { tenantId, now, actor } = context;
  const { endpointId, scope, from, to = now } = request;
  // The lock makes the count below hold until the commit.
  const endpoint = await lockEndpointState(tx, tenantId, endpointId);
  if (endpoint === undefined) throw unknownEndpoint();
  if (endpoint.status === 'disabled') {
    throw new ConflictError('endpoint_not_active', 'The endpoint is disabled: it is sent nothing.');
  }
  if ((await countRunning(tx, tenantId, endpointId)) >= RUNNING_MAX) {
    throw new ConflictError('too_many_replays', `An endpoint has at most ${RUNNING_MAX} replays under way.`);
  }
  const eventTypes = [...(request.eventTypes ?? (scope === 'failed' ? [EVERYTHING] : endpoint.eventTypes))];
  const row: ReplayRow = {
    ...{ id: newId(), endpointId, scope, eventTypes, from, to, status: 'running', cursor: null },
    ...{ eventsSeen: 0, deliveriesQueued: 0, createdAt: now, finishedAt: null },
  };
  await insertReplay(tx, tenantId, { ...row, createdBy: `${actor.kind}:${actor.id}` });
  return toReplay(row);
}

/** A clock that is ahead of ours asks for no more than there is. */
function endOf(to: string | undefined, now: Date): Date {
  return to === undefined ? now : new Date(Math.min(Date.parse(to), now.getTime()));
}

function checkRange(
  { from, to }: { from: Date; to: Date },
  { retentionDays, pointer }: { retentionDays: number; pointer: string },
): void {
  const fail = (detail: string): never => {
    throw new InvalidError('invalid_range', detail, { faults: [{ pointer, detail }] });
  };
  if (from >= to) fail('The range must begin before its end, which is now unless something else is said.');
  if (retentionDays > 0 && to.getTime() - from.getTime() > retentionDays * DAY_MS)
    fail(`The range must not be longer than what is kept: ${retentionDays} days.`);
}

async function list(
  database: Database,
  { tenantId }: Context,
  { endpointId, cursor, limit = PAGE_LIMIT_DEFAULT }: { endpointId: string; cursor?: string; limit?: number },
): Promise<ReplayPage> {
  const before = cursor === undefined ? null : decodeCursor(BY_CREATION, { endpointId }, cursor);
  const range = { endpointId, before, limit: limit + 1 };
  const [endpoint, rows] = await database.read(tenantId, (executor: Executor) =>
    Promise.all([findEndpointState(executor, tenantId, endpointId), listReplays(executor, tenantId, range)]),
  );
  if (endpoint === undefined) throw unknownEndpoint();
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  const place =
    last === undefined ? undefined : ([last.createdAt.toISOString(), last.id] as [string, string]);
  const nextCursor = place === undefined ? null : encodeCursor(BY_CREATION, { endpointId }, place);
  return { data: page.map(toReplay), nextCursor };
}

function cancel(database: Database, context: Context, key: ReplayKey): Promise<Replay> {
  const { tenantId, now } = context;
  return database.write(context, async (tx) => {
    const cancelled = await cancelReplay(tx, tenantId, { ...key, now });
    if (cancelled !== undefined) return toReplay(cancelled);
    const row = known(await findReplay(tx, tenantId, key));
    if (row.status === 'cancelled') return toReplay(row);
    throw new ConflictError('replay_done', 'The replay is done: there is nothing to cancel.');
  });
}

function known(row: ReplayRow | undefined): ReplayRow {
  if (row === undefined) throw unknownReplay();
  return row;
}
