// Owns recording and reading touchpoints. They are facts: each is handed to advanceCustomers in the
// transaction that records it. Does not own the customers (customers/) nor what their stage becomes.

import { cursorScope, decodeCursor, encodeCursor } from '../api/cursor.js';
import { parseRef } from '../api/references.js';
import { PAGE_LIMIT_DEFAULT } from '../api/shapes.js';
import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Executor, Transaction } from '../db/executor.js';
import { NotFoundError } from '../errors.js';
import { DAY_MS } from '../lifecycle/calendar.js';
import { refuseMerged } from '../transitions/absence.js';
import type { TransitionsService } from '../transitions/service.js';
import { recordAll } from './recording.js';
import type { Touchpoint, TouchpointInput, TouchpointPage, TouchpointQuery } from './schemas.js';
import {
  countTouchpoints,
  eraseTouchpoints,
  findByExternalIds,
  findTouchpoint,
  insertTouchpoints,
  listTouchpoints,
  type TouchpointFilter,
  type TouchpointRow,
} from './store.js';
import { toApiTouchpoint } from './views.js';

export type { Outcome } from './recording.js';

export interface TouchpointsDeps {
  database: Database;
  transitions: Pick<TransitionsService, 'lock' | 'find' | 'absences' | 'advanceCustomers'>;
}

export type TouchpointsService = ReturnType<typeof createTouchpointsService>;

const BY_OCCURRENCE = cursorScope('touchpoints', ['time', 'uuid']);

export function createTouchpointsService({ database, transitions }: TouchpointsDeps) {
  async function recordInputs(
    tx: Transaction,
    context: Context,
    inputs: readonly TouchpointInput[],
    deliver: boolean,
  ) {
    const { tenantId } = context;
    const externalIds = inputs.flatMap(({ externalId }) => (externalId == null ? [] : [externalId]));
    const refs = inputs.map(({ customer }) => parseRef(customer));
    const [customers, known] = await Promise.all([
      transitions.lock(tx, tenantId, refs),
      findByExternalIds(tx, tenantId, externalIds),
    ]);
    const missing = refs.filter((_, place) => customers[place] === undefined);
    const absences = missing.length === 0 ? [] : await transitions.absences(tx, tenantId, missing);
    const { now } = context;
    const { outcomes, rows, advancements } = recordAll({ inputs, customers, absences, known, now });
    if (rows.length > 0) {
      await Promise.all([
        insertTouchpoints(tx, tenantId, rows),
        transitions.advanceCustomers(tx, context, advancements, { mode: 'write', deliver }),
      ]);
    }
    return outcomes;
  }

  return {
    /** One outcome for each input, in their order; one item's failure leaves the others done. */
    record: (context: Context, inputs: readonly TouchpointInput[], options: { backfill: boolean }) =>
      database.write(context, (tx) => recordInputs(tx, context, inputs, !options.backfill)),

    async get(tenantId: string, id: string): Promise<Touchpoint> {
      const row = await database.read(tenantId, (executor) =>
        findTouchpoint(executor, tenantId, id.toLowerCase()),
      );
      if (row === undefined) throw new NotFoundError('touchpoint_not_found', 'There is no such touchpoint.');
      return toApiTouchpoint(row);
    },

    async list(tenantId: string, query: TouchpointQuery): Promise<TouchpointPage> {
      const { limit = PAGE_LIMIT_DEFAULT, cursor } = query;
      const after = cursor === undefined ? null : decodeCursor(BY_OCCURRENCE, query, cursor);
      const found = await database.read(tenantId, async (executor) => {
        const filter = await filterOf(executor, tenantId, query);
        // One more than asked for tells whether there is a next page.
        return filter === undefined
          ? []
          : listTouchpoints(executor, tenantId, { filter, after, limit: limit + 1 });
      });
      const shown = found.slice(0, limit);
      return {
        data: shown.map(toApiTouchpoint),
        nextCursor: found.length > limit ? cursorAt(query, shown) : null,
      };
    },

    /** Takes what is personal out of a customer's touchpoints; the customer is locked. */
    erase: eraseTouchpoints,

    /** How many there were in each of the last so many days, `now` included. */
    countSince(
      executor: Executor,
      tenantId: string,
      customerId: string,
      windowsDays: readonly number[],
      now: Date,
    ): Promise<number[]> {
      const since = windowsDays.map((days) => new Date(now.getTime() - days * DAY_MS));
      return countTouchpoints(executor, tenantId, { customerId, since, now });
    },
  };

  /** Undefined where the customer is unknown: like one without touchpoints they have an empty list. */
  async function filterOf(
    executor: Executor,
    tenantId: string,
    query: TouchpointQuery,
  ): Promise<TouchpointFilter | undefined> {
    const { kind, channel, direction, from, to } = query;
    const filter: TouchpointFilter = { kind, channel, direction };
    if (from !== undefined) filter.from = new Date(from);
    if (to !== undefined) filter.to = new Date(to);
    if (query.customer === undefined) return filter;
    const named = parseRef(query.customer);
    const [customer] = await transitions.find(executor, tenantId, [named]);
    if (customer !== undefined) return { ...filter, customerId: customer.snapshot.id };
    await refuseMerged(executor, tenantId, named);
    return undefined;
  }
}

function cursorAt(query: TouchpointQuery, shown: TouchpointRow[]): string | null {
  const last = shown.at(-1);
  return last === undefined
    ? null
    : encodeCursor(BY_OCCURRENCE, query, [last.occurredAt.toISOString(), last.id]);
}
