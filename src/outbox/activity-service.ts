// Owns what can be seen of how an endpoint is doing: its attempts, and figures over them. Does not own its
// deliveries (deliveries-service.ts) nor what its health leads to (health.ts).

import { cursorScope, decodeCursor, encodeCursor } from '../api/cursor.js';
import { PAGE_LIMIT_DEFAULT } from '../api/shapes.js';
import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import {
  type AttemptsQuery,
  type EndpointAttemptPage,
  type EndpointStats,
  toEndpointAttempt,
  WINDOWS_MS,
  type Window,
} from './activity-schemas.js';
import {
  type AttemptFilter,
  findEndpointHealth,
  listEndpointAttempts,
  sumUpAttempts,
  sumUpBacklog,
} from './activity-store.js';
import { unknownEndpoint } from './errors.js';
import { breakerState } from './health.js';
import { findEndpointState } from './requeue-store.js';

export interface ActivityService {
  /** Newest first. */
  attempts(context: Context, endpointId: string, query: AttemptsQuery): Promise<EndpointAttemptPage>;
  stats(context: Context, endpointId: string, window?: Window): Promise<EndpointStats>;
}

const BY_START = cursorScope('webhook_attempts', ['time', 'uuid', 'integer']);
/** Figures must not cost more the more is sent; the newest tell how things are. */
const ATTEMPTS_MAX = 10_000;
const PENDING_MAX = 100_000;

export function createActivityService({ database }: { database: Database }): ActivityService {
  return {
    attempts: (context, endpointId, query) => listAttempts(database, context, { ...query, endpointId }),
    stats: (context, endpointId, window = '24h') => summarize(database, context, { endpointId, window }),
  };
}

async function listAttempts(
  database: Database,
  { tenantId }: Context,
  {
    endpointId,
    limit = PAGE_LIMIT_DEFAULT,
    cursor,
    from,
    to,
    ...plain
  }: AttemptsQuery & { endpointId: string },
): Promise<EndpointAttemptPage> {
  const filter: AttemptFilter = {
    ...plain,
    ...(from === undefined ? {} : { from: new Date(from) }),
    ...(to === undefined ? {} : { to: new Date(to) }),
  };
  const sealed = { ...filter, endpointId };
  const before = cursor === undefined ? null : decodeCursor(BY_START, sealed, cursor);
  const range = { endpointId, filter, before, limit: limit + 1 };
  const [endpoint, rows] = await database.read(tenantId, (executor) =>
    Promise.all([
      findEndpointState(executor, tenantId, endpointId),
      listEndpointAttempts(executor, tenantId, range),
    ]),
  );
  if (endpoint === undefined) throw unknownEndpoint();
  const data = rows.slice(0, limit).map(toEndpointAttempt);
  const last = rows.length > limit ? data.at(-1) : undefined;
  if (last === undefined) return { data, nextCursor: null };
  const { startedAt, deliveryId, number } = last;
  return { data, nextCursor: encodeCursor(BY_START, sealed, [startedAt, deliveryId, number]) };
}

async function summarize(
  database: Database,
  { tenantId, now }: Context,
  { endpointId, window }: { endpointId: string; window: Window },
): Promise<EndpointStats> {
  const since = new Date(now.getTime() - WINDOWS_MS[window]);
  const [health, summary, backlog] = await database.read(tenantId, (executor) =>
    Promise.all([
      findEndpointHealth(executor, tenantId, endpointId),
      sumUpAttempts(executor, tenantId, { endpointId, since, max: ATTEMPTS_MAX }),
      sumUpBacklog(executor, tenantId, { endpointId, max: PENDING_MAX }),
    ]),
  );
  if (health === undefined) throw unknownEndpoint();
  const { attempts, succeeded, p50Ms, p95Ms, p99Ms } = summary;
  const { pending, oldestAt } = backlog;
  return {
    window,
    attempts: {
      examined: attempts,
      isComplete: attempts < ATTEMPTS_MAX,
      succeeded,
      failed: attempts - succeeded,
      successRate: attempts === 0 ? null : succeeded / attempts,
      latencyMs: { p50: p50Ms, p95: p95Ms, p99: p99Ms },
    },
    backlog: {
      pending,
      isExact: pending < PENDING_MAX,
      oldestAgeS:
        oldestAt === null ? null : Math.max(0, Math.floor((now.getTime() - oldestAt.getTime()) / 1000)),
    },
    breaker: {
      state: breakerState(health, now),
      failures: health.failures,
      failingSince: health.failingSince?.toISOString() ?? null,
      openUntil: health.openUntil?.toISOString() ?? null,
    },
  };
}
