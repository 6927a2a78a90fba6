// Owns the use cases of the tenant's models: asking for a fit, how far it is, what has come of it, and what it
// says of customers. Does not own the versions themselves, which decisions read (policies/).

import { cursorScope, decodeCursor, encodeCursor } from '../api/cursor.js';
import { PAGE_LIMIT_DEFAULT } from '../api/shapes.js';
import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Executor } from '../db/executor.js';
import { NotFoundError } from '../errors.js';
import { newId } from '../ids.js';
import type { Calibration } from '../lifecycle/calibration.js';
import { DEFAULT_POLICY } from '../lifecycle/defaultPolicies.js';
import type { CurrencyDays, PredictionFacts } from '../lifecycle/models/prediction.js';
import type { Offload } from '../offload/offload.js';
import type { PoliciesService } from '../policies/service.js';
import { type FitsRun, runFits } from './fits-run.js';
import { findFit, findQueuedFit, insertFit, listFits } from './fits-store.js';
import { createNewestCalibrations, fromRow } from './newest.js';
import { findWalk } from './predictions-store.js';
import { type Ground, predictDue, type WalkRun } from './predictions-walk.js';
import { type CurrentModels, type Fit, type FitPage, toApiCurrent, toApiFit } from './schemas.js';
import { readSpends } from './spend-store.js';

export interface ModelsService {
  /** Asks for a fit; one that waits and has not begun is the answer to everybody who asks meanwhile. */
  fit(context: Context): Promise<Fit>;
  get(context: Context, id: string): Promise<Fit>;
  list(context: Context, query: { limit?: number; cursor?: string }): Promise<FitPage>;
  /** Throws where nothing has been fitted yet. */
  current(context: Context): Promise<CurrentModels>;
  /** The fits that are due, each as far as it goes. */
  fitDue(now: Date): Promise<FitsRun>;
  /** A stretch of each tenant's walk over its customers. */
  predictDue(now: Date): Promise<WalkRun>;
  /**
   * Begins to read what a prediction of this customer will need, by a statement that travels with the caller's own;
   * nothing where the tenant's models, as they were last seen, do not ask for it.
   */
  foresee(executor: Executor, viewer: Viewer, customerId: string): Foreseen | undefined;
  /** All that a prediction of one customer needs beside their facts. */
  evidence(executor: Executor, viewer: Viewer, customer: Predicted): Promise<PredictionEvidence>;
}

export type Viewer = Pick<Context, 'tenantId' | 'now'>;

export type Foreseen = Promise<CurrencyDays[]>;

export interface Predicted {
  id: string;
  facts: PredictionFacts;
  /** The tenant's newest. */
  calibrationVersion: number;
  foreseen: Foreseen | undefined;
}

/** The newest calibration, and what the customer has spent by currency up to the viewer's now. */
export interface PredictionEvidence {
  calibration: Calibration;
  currencies: CurrencyDays[];
}

export interface ModelsDeps {
  database: Database;
  policies: Pick<PoliciesService, 'calibrate' | 'ground' | 'calibrationAt'>;
  offload: Pick<Offload, 'run'>;
  clock: () => Date;
  onFailure: (failure: { tenantId: string; fitId: string; error: unknown }) => void;
}

const BY_ID = cursorScope('model_fits', ['uuid']);

export function createModelsService(deps: ModelsDeps): ModelsService {
  const { database, policies, offload, clock } = deps;

  const calibrations = createNewestCalibrations(policies);

  async function groundOf({ tenantId }: Pick<Context, 'tenantId'>): Promise<Ground> {
    const { policy, calibration } = await database.read(tenantId, (executor) =>
      policies.ground(executor, tenantId),
    );
    const { timeZone } = policy ?? DEFAULT_POLICY;
    return { calibration: fromRow(calibration), timeZone };
  }

  return {
    fit: (context) =>
      database.write(context, async (tx) => {
        const { tenantId, now, actor } = context;
        const queued = await findQueuedFit(tx, tenantId);
        if (queued !== undefined) return toApiFit(queued);
        const requestedBy = `${actor.kind}:${actor.id}`;
        const [row] = await insertFit(tx, tenantId, { id: newId(), requestedBy, createdAt: now });
        if (row === undefined) throw new Error('what is inserted is returned');
        return toApiFit(row);
      }),

    async get({ tenantId }, id) {
      const row = await database.read(tenantId, (executor) => findFit(executor, tenantId, id));
      if (row === undefined) throw new NotFoundError('fit_not_found', 'There is no such fit.');
      return toApiFit(row);
    },

    async list({ tenantId }, { limit = PAGE_LIMIT_DEFAULT, cursor }) {
      const before = cursor === undefined ? null : decodeCursor(BY_ID, {}, cursor)[0];
      const rows = await database.read(tenantId, (executor) =>
        listFits(executor, tenantId, before, limit + 1),
      );
      const data = rows.slice(0, limit).map(toApiFit);
      const last = rows.length > limit ? data.at(-1) : undefined;
      return { data, nextCursor: last === undefined ? null : encodeCursor(BY_ID, {}, [last.id]) };
    },

    current: ({ tenantId }) =>
      database.read(tenantId, async (executor) => {
        const [{ calibration }, walk] = await Promise.all([
          policies.ground(executor, tenantId),
          findWalk(executor, tenantId),
        ]);
        if (calibration === undefined)
          throw new NotFoundError(
            'models_not_fitted',
            'Nothing has been fitted to this tenant’s orders yet.',
          );
        return toApiCurrent(calibration, walk);
      }),

    fitDue: (now) => runFits(deps, now),

    predictDue: (now) => predictDue({ database, offload, clock, groundOf }, now),

    foresee(executor, viewer, id) {
      const guess = calibrations.last(viewer.tenantId);
      if (guess === undefined || !asksForSpend(guess)) return undefined;
      const foreseen = spendOf(executor, viewer, id);
      // Who finds no such customer does not ask after it.
      foreseen.catch(() => undefined);
      return foreseen;
    },

    async evidence(executor, viewer, { id, facts, calibrationVersion, foreseen }) {
      const calibration = await calibrations.of(executor, viewer.tenantId, calibrationVersion);
      const isAsked = asksForSpend(calibration) && facts.purchaseDays > 0;
      const currencies = isAsked ? await (foreseen ?? spendOf(executor, viewer, id)) : spentIn(facts);
      return { calibration, currencies };
    },
  };
}

/** Without a model of spend nothing is asked of how it came about, only how much it was. */
function asksForSpend({ spend }: Calibration): boolean {
  return Object.keys(spend).length > 0;
}

function spentIn({ spend }: PredictionFacts): CurrencyDays[] {
  return Object.keys(spend).map((currency) => ({ currency, days: 0, repeatDays: 0, repeatMinor: 0 }));
}

async function spendOf(executor: Executor, { tenantId, now }: Viewer, id: string): Promise<CurrencyDays[]> {
  const spends = await readSpends(executor, { tenantId, timeZone: null, now }, [id]);
  return spends.get(id) ?? [];
}
