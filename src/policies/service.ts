// Owns a tenant's dated versions: policies and calibrations, how one comes into force, and that everybody is
// decided anew by it. Does not own the deciding (transitions/).

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Executor, Transaction } from '../db/executor.js';
import { InvalidError, NotFoundError, PerennialError } from '../errors.js';
import { newId } from '../ids.js';
import { sameJson } from '../lifecycle/json.js';
import { DEFAULT_POLICY, type Policy, usesCalibration, validatePolicy } from '../lifecycle/policy.js';
import type { OutboxService } from '../outbox/service.js';
import type { TransitionsService } from '../transitions/service.js';
import type { Calibrations } from './calibrate.js';
import { policyPayload } from './payload.js';
import { recomputeDue } from './recompute.js';
import { CALIBRATION_EVERY_MS } from './schedule.js';
import {
  type CalibrationRow,
  findPolicy,
  insertPolicy,
  insertRecomputation,
  listCalibrations,
  listPolicies,
  listRecomputations,
  livePolicy,
  newestCalibration,
  type PolicyRow,
  type Recomputation,
  scheduleCalibration,
} from './store.js';

export type { CalibrationRow } from './store.js';

export interface Activation {
  policy: Policy;
  /** Null: from the beginning of time. */
  effectiveFrom: Date | null;
  backfill: boolean;
  /** The version that the caller has seen; undefined for any. */
  expected: number | null | undefined;
}

export interface Live {
  row: PolicyRow;
  calibration: CalibrationRow | undefined;
}

export interface PoliciesService {
  /** Gives a new tenant its first version, in force from the beginning of time. */
  adoptDefault(tx: Transaction, context: Context): Promise<void>;
  live(context: Context): Promise<Live>;
  /** Puts a policy into force as a new version; the same policy with the same date changes nothing. */
  activate(context: Context, activation: Activation): Promise<Live>;
  get(context: Context, version: number): Promise<PolicyRow>;
  list(context: Context, before: number | null, limit: number): Promise<PolicyRow[]>;
  calibrations(context: Context, before: number | null, limit: number): Promise<CalibrationRow[]>;
  recomputations(context: Context, before: string | null, limit: number): Promise<Recomputation[]>;
  /** Fits the tenant's cadence now; the version takes effect now, and everybody is decided anew if it matters. */
  calibrate(context: Context): Promise<CalibrationRow>;
  /** The scheduled fits that are due. */
  calibrateDue(now: Date): Promise<{ fitted: number; unchanged: number }>;
  /** Takes the walks that are due a stretch further. */
  recomputeDue(now: Date): Promise<{ customers: number; finished: number }>;
}

export interface PoliciesDeps {
  database: Database;
  outbox: Pick<OutboxService, 'prepareEvents' | 'publish'>;
  calibrations: Calibrations;
  transitions: Pick<TransitionsService, 'recompute'>;
  clock: () => Date;
}

export function createPoliciesService(deps: PoliciesDeps): PoliciesService {
  const { database, outbox, calibrations } = deps;
  const read = <T>(context: Context, work: (executor: Executor) => Promise<T>) =>
    database.read(context.tenantId, work);

  return {
    async adoptDefault(tx, context) {
      const { tenantId, now } = context;
      const row = { version: 1, effectiveFrom: null, policy: DEFAULT_POLICY, backfill: false };
      await Promise.all([
        insertPolicy(tx, tenantId, { ...row, activatedBy: 'system:default', createdAt: now }),
        scheduleCalibration(tx, tenantId, new Date(now.getTime() + CALIBRATION_EVERY_MS)),
      ]);
    },
    live: (context) =>
      read(context, async (executor) => {
        const [row, calibration] = await Promise.all([
          livePolicy(executor, context.tenantId),
          newestCalibration(executor, context.tenantId),
        ]);
        if (row === undefined) throw new NotFoundError('policy_not_found', 'The tenant has no policy.');
        return { row, calibration };
      }),
    async activate(context, activation) {
      refuseFaults(activation, context.now);
      return database.write(context, (tx) => activateIn(outbox, tx, context, activation), {
        exclusive: true,
      });
    },
    async get(context, version) {
      const row = await read(context, (executor) => findPolicy(executor, context.tenantId, version));
      if (row === undefined) throw new NotFoundError('policy_not_found', 'There is no such policy version.');
      return row;
    },
    list: (context, before, limit) =>
      read(context, (executor) => listPolicies(executor, context.tenantId, before, limit)),
    calibrations: (context, before, limit) =>
      read(context, (executor) => listCalibrations(executor, context.tenantId, before, limit)),
    recomputations: (context, before, limit) =>
      read(context, (executor) => listRecomputations(executor, context.tenantId, before, limit)),
    calibrate: (context) => calibrations.fit(context, usesCalibration),
    calibrateDue: (now) => calibrations.fitDue(now, usesCalibration),
    recomputeDue: (now) => recomputeDue(deps, now),
  };
}

async function activateIn(
  outbox: PoliciesDeps['outbox'],
  tx: Transaction,
  context: Context,
  activation: Activation,
): Promise<Live> {
  const { tenantId, now } = context;
  const { policy, effectiveFrom, backfill, expected } = activation;
  const [live, calibration] = await Promise.all([livePolicy(tx, tenantId), newestCalibration(tx, tenantId)]);
  if (expected != null && expected !== live?.version) {
    throw new PerennialError('precondition_failed', 'version_mismatch', 'The policy is at another version.');
  }
  // `now` on a policy that is in force already: a PUT that is sent twice makes one version.
  const asBefore =
    effectiveFrom?.getTime() === live?.effectiveFrom?.getTime() || effectiveFrom?.getTime() === now.getTime();
  if (live !== undefined && asBefore && sameJson(live.policy, policy)) return { row: live, calibration };
  const row: PolicyRow = {
    version: (live?.version ?? 0) + 1,
    effectiveFrom,
    policy,
    backfill,
    activatedBy: `${context.actor.kind}:${context.actor.id}`,
    createdAt: now,
  };
  const draft = { type: 'policy.activated', occurredAt: now, data: { policy: policyPayload(row) } };
  await Promise.all([
    insertPolicy(tx, tenantId, row),
    insertRecomputation(tx, tenantId, {
      id: newId(),
      cause: 'policy',
      version: row.version,
      backfill,
      createdAt: now,
    }),
    outbox.publish(
      tx,
      context,
      outbox.prepareEvents(context, [{ draft, customerId: null, sequence: null, deliver: !backfill }]),
    ),
  ]);
  return { row, calibration };
}

function refuseFaults({ policy, effectiveFrom }: Activation, now: Date): void {
  const faults = validatePolicy(policy).map(({ pointer, message }) => ({
    pointer: `/policy${pointer}`,
    detail: message,
  }));
  if (effectiveFrom !== null && effectiveFrom > now) {
    faults.push({
      pointer: '/effectiveFrom',
      detail: 'lies in the future; a policy takes effect now or from a past instant',
    });
  }
  const [first] = faults;
  if (first !== undefined)
    throw new InvalidError('invalid_policy', `${first.pointer} ${first.detail}.`, { faults });
}
