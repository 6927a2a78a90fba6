// Owns the use cases of backtests: asking for one, showing it and its report, calling it off. Does not own the
// work (run.ts) nor what is counted (lifecycle/backtest/).

import { cursorScope, decodeCursor, encodeCursor } from '../api/cursor.js';
import { versionMismatch } from '../api/etag.js';
import { PAGE_LIMIT_DEFAULT } from '../api/shapes.js';
import type { Context } from '../context.js';
import type { Transaction } from '../db/executor.js';
import { ConflictError, type Fault, InvalidError, NotFoundError } from '../errors.js';
import { newId } from '../ids.js';
import type { BacktestReport } from '../lifecycle/backtest/report.js';
import { DAY_MS } from '../lifecycle/calendar.js';
import { type PoliciesService, type PolicyRow, parsePolicyRef } from '../policies/service.js';
import { forgetNames } from './erasure-store.js';
import { advanceBacktests, type RunDeps, type RunResult } from './run.js';
import {
  type Backtest,
  type BacktestInput,
  type BacktestPage,
  toBacktest,
  toBacktestSummary,
  versionOf,
} from './schemas.js';
import { namesMade, type SaidValue } from './segment.js';
import {
  type BacktestRow,
  cancelBacktest,
  countOpen,
  deleteBacktest,
  findBacktest,
  findReport,
  insertBacktest,
  listBacktests,
  lockBacktest,
  pruneBacktests,
} from './store.js';

export interface BacktestsService {
  create(context: Context, policyId: string, input: BacktestInput): Promise<Backtest>;
  get(context: Context, id: string): Promise<Backtest>;
  /** Of one that is done. */
  report(context: Context, id: string): Promise<{ backtest: BacktestRow; report: BacktestReport }>;
  list(context: Context, policyId: string, query: { limit?: number; cursor?: string }): Promise<BacktestPage>;
  /** Calls off one that is not over, and removes one that is. */
  remove(context: Context, id: string, expected: number | null | undefined): Promise<void>;
  /** Takes what a person's profile said out of what backtests show, who is about to be erased. */
  forget(tx: Transaction, context: Context, said: readonly SaidValue[]): Promise<void>;
  /** A stretch of each tenant's backtests that are due. */
  advance(now: Date): Promise<RunResult>;
}

export interface BacktestsDeps extends RunDeps {
  policies: Pick<PoliciesService, 'resolve' | 'calibrationAsOf'>;
}

/** Not over at once: each takes the histories of all customers. */
export const OPEN_MAX = 5;
/** Each has a report of some megabytes at the most. */
export const KEPT_MAX = 100;
const BY_CREATION = cursorScope('backtests', ['uuid']);

export function createBacktestsService(deps: BacktestsDeps): BacktestsService {
  const { database, policies } = deps;
  const find = async ({ tenantId }: Context, id: string): Promise<[BacktestRow, BacktestReport | null]> => {
    const [row, report] = await database.read(tenantId, (executor) =>
      Promise.all([findBacktest(executor, tenantId, id), findReport(executor, tenantId, id)]),
    );
    if (row === undefined) throw unknownBacktest();
    return [row, report];
  };
  return {
    async create(context, policyId, input) {
      const cuts = cutsOf(input, context.now);
      const work = async (tx: Transaction) => {
        const policy = await policies.resolve(tx, context.tenantId, parsePolicyRef(policyId));
        return start(deps, tx, context, { policy, input, cuts });
      };
      // Held off against erasures, which would not see it: see `forgetNames`.
      return database.write(context, work, { exclusive: true });
    },
    get: async (context, id) => toBacktest(...(await find(context, id))),
    async report(context, id) {
      const [backtest, report] = await find(context, id);
      if (report !== null) return { backtest, report };
      throw new ConflictError('backtest_not_done', `The backtest is ${backtest.status}: it has no report.`);
    },
    async list(context, policyId, { limit = PAGE_LIMIT_DEFAULT, cursor }) {
      const { tenantId } = context;
      const { id: policyKey } = await database.read(tenantId, (executor) =>
        policies.resolve(executor, tenantId, parsePolicyRef(policyId)),
      );
      const filter = { policy: policyKey };
      const before = cursor === undefined ? null : decodeCursor(BY_CREATION, filter, cursor)[0];
      const rows = await database.read(tenantId, (executor) =>
        listBacktests(executor, tenantId, { policyKey, before, limit: limit + 1 }),
      );
      const page = rows.slice(0, limit);
      const last = rows.length > limit ? page.at(-1) : undefined;
      const nextCursor = last === undefined ? null : encodeCursor(BY_CREATION, filter, [last.id]);
      return { data: page.map(toBacktestSummary), nextCursor };
    },
    remove: (context, id, expected) =>
      database.write(context, async (tx) => {
        const { tenantId, now } = context;
        if (expected != null) await assertVersion(tx, tenantId, { id, expected });
        if (await cancelBacktest(tx, tenantId, { id, now })) return;
        if (!(await deleteBacktest(tx, tenantId, id))) throw unknownBacktest();
      }),
    forget: (tx, { tenantId, now }, said) =>
      forgetNames(tx, tenantId, { names: said.flatMap(namesMade), now }),
    advance: (now) => advanceBacktests(deps, now),
  };
}

async function assertVersion(
  tx: Transaction,
  tenantId: string,
  { id, expected }: { id: string; expected: number },
): Promise<void> {
  const row = await lockBacktest(tx, tenantId, id);
  if (row === undefined) throw unknownBacktest();
  if (versionOf(row) !== expected) throw versionMismatch();
}

interface Asked {
  policy: PolicyRow;
  input: BacktestInput;
  cuts: string[];
}

async function start(
  { histories }: BacktestsDeps,
  tx: Transaction,
  context: Context,
  { policy, input, cuts }: Asked,
): Promise<Backtest> {
  const { tenantId, now, actor } = context;
  if ((await countOpen(tx, tenantId, OPEN_MAX)) >= OPEN_MAX) {
    throw new ConflictError('too_many_backtests', `At most ${OPEN_MAX} backtests may be under way at once.`);
  }
  const { policies: live } = await histories.timeline(tx, tenantId);
  const row: BacktestRow = {
    ...{ id: newId(), policyKey: policy.id, policyVersion: policy.version },
    ...{ horizonDays: input.horizonDays, segmentBy: input.segmentBy ?? null, cuts, status: 'queued' },
    ...{ customersDone: 0, customersTotal: null, createdBy: `${actor.kind}:${actor.id}` },
    ...{ createdAt: now, startedAt: null, finishedAt: null },
  };
  await insertBacktest(tx, tenantId, { ...row, policies: { policy: policy.policy, live } });
  await pruneBacktests(tx, tenantId, KEPT_MAX);
  return toBacktest(row, null);
}

/** Rising. What happened in the horizon after each cut has to be known by now. */
function cutsOf({ cuts, horizonDays }: BacktestInput, now: Date): string[] {
  const latest = now.getTime() - horizonDays * DAY_MS;
  const instants = cuts.map((cut) => new Date(cut).toISOString());
  const faults: Fault[] = instants.flatMap((cut, index) => {
    const pointer = `/cuts/${index}`;
    if (Date.parse(cut) > latest) {
      const detail = `must be ${new Date(latest).toISOString()} at the latest, so that its horizon is past`;
      return [{ pointer, detail }];
    }
    return instants.indexOf(cut) < index ? [{ pointer, detail: 'is there twice' }] : [];
  });
  const [first] = faults;
  if (first === undefined) return instants.sort();
  throw new InvalidError('invalid_cuts', `${first.pointer} ${first.detail}.`, { faults });
}

function unknownBacktest(): NotFoundError {
  return new NotFoundError('backtest_not_found', 'There is no such backtest.');
}
