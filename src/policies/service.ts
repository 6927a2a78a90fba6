// Owns a tenant's policies and calibrations: drafts, shadows and dated versions, how one comes into force, and
// that everybody is decided anew by it. Does not own the deciding (transitions/).

import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Executor, Transaction } from '../db/executor.js';
import { newId } from '../ids.js';
import type { Calibration } from '../lifecycle/calibration.js';
import { DEFAULT_POLICY } from '../lifecycle/defaultPolicies.js';
import type { Policy } from '../lifecycle/policy.js';
import type { OutboxService } from '../outbox/service.js';
import type { TransitionsService } from '../transitions/service.js';
import {
  type Activation,
  type ActivationTerms,
  activateDraft,
  activateRules,
  checkActivation,
} from './activation.js';
import type { AsOf, Calibrations, FitSteps } from './calibrate.js';
import { changeDraft, createDraft, type DraftChange, type DraftInput, removeDraft } from './drafts.js';
import { type Findings, findingsOf } from './findings.js';
import { futureFaults, known, refuseFaults } from './guards.js';
import { type AvailableModels, availableModels } from './models.js';
import {
  findPolicy,
  insertPolicy,
  listPolicies,
  livePolicy,
  type PolicyPage,
  type PolicyRow,
  type PolicyVersionRow,
} from './policies-store.js';
import type { PolicyRef } from './policy-ref.js';
import { previewDue } from './preview-walk.js';
import { createPreviews, type Previews } from './previews.js';
import { listRecomputations, type Recomputation } from './recomputations-store.js';
import { recomputeDue } from './recompute.js';
import { CALIBRATION_EVERY_MS } from './schedule.js';
import {
  leaveTo,
  NO_SHADOW_LEDGERS,
  type PolicyTarget,
  type ShadowLedgers,
  startShadow,
} from './shadowing.js';
import { type Simulated, simulateOn } from './simulating.js';
import type { SimulationInput } from './simulation-schemas.js';
import { changeTo } from './steps.js';
import { type CalibrationRow, listCalibrations, newestCalibration, scheduleCalibration } from './store.js';

export type { Activation } from './activation.js';
export type { PolicyRow, PolicyVersionRow } from './policies-store.js';
export { type PolicyRef, parsePolicyRef } from './policy-ref.js';
export type { PreviewRow, PreviewSummaryRow } from './previews-store.js';
export type { ShadowLedgers } from './shadowing.js';
export type { CalibrationRow } from './store.js';

export interface Live {
  row: PolicyVersionRow;
  calibration: CalibrationRow | undefined;
}

export interface PoliciesService {
  /** Gives a new tenant its first version, in force from the beginning of time. */
  adoptDefault(tx: Transaction, context: Context): Promise<void>;
  live(context: Context): Promise<Live>;
  /** Puts a policy into force as a new version; the same policy with the same date changes nothing. */
  activate(context: Context, activation: Activation): Promise<Live>;
  /** The policy that is named; throws where there is none. For who backtests, simulates or shadows it. */
  resolve(executor: Executor, tenantId: string, ref: PolicyRef): Promise<PolicyRow>;
  get(context: Context, ref: PolicyRef): Promise<PolicyRow>;
  list(context: Context, page: PolicyPage): Promise<PolicyRow[]>;
  draft(context: Context, input: DraftInput): Promise<PolicyRow>;
  change(context: Context, target: PolicyTarget & DraftChange): Promise<PolicyRow>;
  remove(context: Context, target: PolicyTarget): Promise<void>;
  /** The faults and the doubts there are about a policy. Changes nothing. */
  validate(context: Context, ref: PolicyRef): Promise<Findings>;
  /** Puts a draft or a shadow into force as a new version. */
  activateDraft(context: Context, terms: ActivationTerms & { ref: PolicyRef }): Promise<PolicyRow>;
  shadow(context: Context, target: PolicyTarget): Promise<PolicyRow>;
  unshadow(context: Context, target: PolicyTarget): Promise<PolicyRow>;
  /** For a draft or a shadow that will not be needed; what is in force is retired by its successor. */
  retire(context: Context, target: PolicyTarget): Promise<PolicyRow>;
  /** What the policy makes of a made-up history. Changes nothing. */
  simulate(context: Context, ref: PolicyRef, input: SimulationInput): Promise<Simulated>;
  previews: Previews;
  calibrations(context: Context, before: number | null, limit: number): Promise<CalibrationRow[]>;
  recomputations(context: Context, before: string | null, limit: number): Promise<Recomputation[]>;
  /** Fits the tenant's models now; the version takes effect once it is made, and everybody is decided anew if it matters. */
  calibrate(context: Context, steps?: FitSteps): Promise<CalibrationRow>;
  /** The policy in force and the newest calibration, for those who compute with them; undefined where there is none. */
  ground(
    executor: Executor,
    tenantId: string,
  ): Promise<{ policy: Policy | undefined; calibration: CalibrationRow | undefined }>;
  calibrationAt(executor: Executor, tenantId: string, version: number): Promise<CalibrationRow | undefined>;
  /** What a first fit at a past instant would have found (calibrate.ts). */
  calibrationAsOf(context: Context, asOf: AsOf): Promise<Calibration>;
  /** The scheduled fits that are due. */
  calibrateDue(now: Date): Promise<{ fitted: number; unchanged: number }>;
  /** Takes the walks that are due a stretch further. */
  recomputeDue(now: Date): Promise<{ customers: number; finished: number }>;
  /** Takes the previews that are due a stretch further. */
  previewDue(now: Date): Promise<{ customers: number; finished: number }>;
}

export interface PoliciesDeps {
  database: Database;
  outbox: Pick<OutboxService, 'prepareEvents' | 'publish'>;
  calibrations: Calibrations;
  transitions: Pick<TransitionsService, 'recompute' | 'foresee' | 'histories'>;
  /** Without them a policy in shadow has its status and no ledger. */
  shadows?: ShadowLedgers;
  clock: () => Date;
}

export function createPoliciesService(deps: PoliciesDeps): PoliciesService {
  const { database, outbox, calibrations, shadows = NO_SHADOW_LEDGERS, transitions } = deps;
  const { histories } = transitions;
  const activating = { outbox, shadows, histories };
  const read = <T>(context: Context, work: (executor: Executor) => Promise<T>) =>
    database.read(context.tenantId, work);
  // No version or status comes or goes while one is being changed: all writes of the tenant wait for it.
  const alone = <T>(context: Context, work: (tx: Transaction) => Promise<T>) =>
    database.write(context, work, { exclusive: true });
  const find: PoliciesService['resolve'] = async (executor, tenantId, ref) =>
    known(await findPolicy(executor, tenantId, ref));

  return {
    adoptDefault,
    resolve: find,
    live: (context) => read(context, (executor) => liveOf(executor, context.tenantId)),
    async activate(context, activation) {
      checkActivation(activation, context.now);
      return alone(context, async (tx) => {
        const row = await activateRules(activating, tx, context, activation);
        return { row, calibration: await newestCalibration(tx, context.tenantId) };
      });
    },
    get: (context, ref) => read(context, (executor) => find(executor, context.tenantId, ref)),
    list: (context, page) => read(context, (executor) => listPolicies(executor, context.tenantId, page)),
    draft: (context, input) => alone(context, (tx) => createDraft(tx, context, input)),
    change: (context, target) => database.write(context, (tx) => changeDraft(tx, context, target)),
    remove: (context, target) => database.write(context, (tx) => removeDraft(shadows, tx, context, target)),
    validate: (context, ref) =>
      database.write(context, async (tx) => {
        const models = await availableModels(histories, tx, context.tenantId);
        return validate(tx, context.tenantId, { ref, models });
      }),
    activateDraft(context, terms) {
      refuseFaults(futureFaults(terms.effectiveFrom, context.now));
      return alone(context, (tx) => activateDraft(activating, tx, context, terms));
    },
    shadow: (context, target) => alone(context, (tx) => startShadow(activating, tx, context, target)),
    unshadow: (context, target) => alone(context, (tx) => leaveTo('draft', { shadows, tx, context }, target)),
    retire: (context, target) => alone(context, (tx) => leaveTo('retired', { shadows, tx, context }, target)),
    simulate: (context, ref, input) =>
      database.write(context, async (tx) => {
        const policy = await find(tx, context.tenantId, ref);
        return simulateOn(histories, tx, context, { policy, input });
      }),
    previews: createPreviews(deps),
    calibrations: (context, before, limit) =>
      read(context, (executor) => listCalibrations(executor, context.tenantId, before, limit)),
    recomputations: (context, before, limit) =>
      read(context, (executor) => listRecomputations(executor, context.tenantId, before, limit)),
    calibrate: (context, steps) => calibrations.fit(context, steps),
    async ground(executor, tenantId) {
      const [live, calibration] = await Promise.all([
        livePolicy(executor, tenantId),
        newestCalibration(executor, tenantId),
      ]);
      return { policy: live?.policy, calibration };
    },
    async calibrationAt(executor, tenantId, version) {
      const [row] = await listCalibrations(executor, tenantId, version + 1, 1);
      return row?.version === version ? row : undefined;
    },
    calibrateDue: (now) => calibrations.fitDue(now),
    calibrationAsOf: (context, asOf) => calibrations.asOf(context, asOf),
    recomputeDue: (now) => recomputeDue(deps, now),
    previewDue: (now) => previewDue(deps, now),
  };
}

async function adoptDefault(tx: Transaction, context: Context): Promise<void> {
  const { tenantId, now } = context;
  const row: PolicyRow = {
    ...{ id: newId(), name: null, status: 'active', version: 1, effectiveFrom: null, policy: DEFAULT_POLICY },
    ...{ backfill: false, activatedBy: 'system:default', revision: 1, createdAt: now },
    statusChanges: [{ ...changeTo('active', context), by: 'system:default' }],
  };
  await Promise.all([
    insertPolicy(tx, tenantId, row),
    scheduleCalibration(tx, tenantId, new Date(now.getTime() + CALIBRATION_EVERY_MS)),
  ]);
}

async function liveOf(executor: Executor, tenantId: string): Promise<Live> {
  const [row, calibration] = await Promise.all([
    livePolicy(executor, tenantId),
    newestCalibration(executor, tenantId),
  ]);
  return { row: known(row), calibration };
}

async function validate(
  executor: Executor,
  tenantId: string,
  { ref, models }: { ref: PolicyRef; models: AvailableModels },
): Promise<Findings> {
  const [row, live, calibration] = await Promise.all([
    findPolicy(executor, tenantId, ref),
    livePolicy(executor, tenantId),
    newestCalibration(executor, tenantId),
  ]);
  return findingsOf(known(row), { live: live?.policy, models, newest: calibration });
}
