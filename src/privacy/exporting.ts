// Owns handing over all that is held of a person: one line of JSON after another, each made when it is asked for, so
// that somebody of a hundred thousand orders takes no more memory than somebody of one. Does not own the rows.

import { parseRef } from '../api/references.js';
import type { Context } from '../context.js';
import type { CustomersService } from '../customers/service.js';
import type { Database } from '../db/database.js';
import type { Executor } from '../db/executor.js';
import type { DuplicatesService } from '../duplicates/service.js';
import type { MergesService } from '../merges/service.js';
import { toApiOrder } from '../orders/schemas.js';
import type { OrdersService } from '../orders/service.js';
import type { Told } from '../outbox/held-service.js';
import type { ShadowsService } from '../shadows/service.js';
import type { TouchpointsService } from '../touchpoints/service.js';
import { toApiTransition } from '../transitions/schemas.js';
import type { TransitionsService } from '../transitions/service.js';

export interface ExportingDeps {
  database: Database;
  transitions: Pick<TransitionsService, 'identify' | 'merging' | 'erasure' | 'held' | 'history'>;
  customers: Pick<CustomersService, 'get'>;
  orders: Pick<OrdersService, 'list'>;
  touchpoints: Pick<TouchpointsService, 'list'>;
  merges: Pick<MergesService, 'held' | 'countHeld'>;
  duplicates: Pick<DuplicatesService, 'held'>;
  shadows: Pick<ShadowsService, 'held' | 'countLedger'>;
  told: Told;
}

/** Rows that are read at a time, and so kept at once. */
const PAGE = 200;

interface Subject {
  id: string;
  /** The same, and those who were merged into them: something may still be kept under those. */
  ids: string[];
  version: number;
}

/**
 * The lines. Throws at once where there is no such customer. Each page is read by itself, so that no transaction
 * waits for a slow reader; the last line says whether the customer has changed meanwhile.
 */
export async function exportOf(
  deps: ExportingDeps,
  context: Context,
  ref: string,
): Promise<AsyncIterable<string>> {
  const { database, transitions } = deps;
  const { tenantId } = context;
  const id = await transitions.identify(context, parseRef(ref));
  const merged = await database.read(tenantId, (executor) =>
    transitions.erasure.mergedInto(executor, tenantId, id),
  );
  const { version } = await deps.customers.get(context, id);
  return lines(deps, context, { id, ids: [id, ...merged], version });
}

async function* lines(deps: ExportingDeps, context: Context, subject: Subject): AsyncGenerator<string> {
  const { id, version } = subject;
  yield line('manifest', await manifestOf(deps, context, subject));
  const profile = await deps.customers.get(context, id);
  yield line('profile', profile);
  const { tenantId } = context;
  const [identities, pairs] = await deps.database.read(tenantId, (executor) =>
    Promise.all([
      deps.transitions.merging.identitiesHeld(executor, tenantId, id),
      deps.duplicates.held(executor, tenantId, subject.ids),
    ]),
  );
  yield* identities.map((identity) => line('identity', identity));
  yield* factsOf(deps, context, id);
  for (const customerId of subject.ids) yield* ledgerOf(deps, context, customerId);
  for (const customerId of subject.ids) yield* shadowsOf(deps, context, customerId);
  for (const customerId of subject.ids) yield* toldOf(deps, context, customerId);
  for (const away of [false, true]) {
    for (const customerId of subject.ids) {
      const merges = (after: MergePlace) =>
        deps.merges.held(context, { of: customerId, ids: subject.ids, away, after, limit: PAGE });
      yield* paged('merge', merges, ({ createdAt, id }) => [createdAt.toISOString(), id] as const);
    }
  }
  yield* pairs.map((pair) => line('duplicatePair', pair));
  const { version: last } = await deps.customers.get(context, id);
  yield line('end', { version: last, changed: last !== version });
}

type MergePlace = readonly [string, string] | null;

function line(type: string, data: unknown): string {
  return `${JSON.stringify({ type, data })}\n`;
}

async function manifestOf(deps: ExportingDeps, context: Context, { id, ids, version }: Subject) {
  const { database, transitions, told } = deps;
  const { tenantId, now } = context;
  const counts = await database.read(tenantId, async (executor) => {
    const [rows, identities, ledger, events, merges, pairs, shadow] = await Promise.all([
      transitions.merging.count(executor, tenantId, id),
      transitions.merging.identitiesHeld(executor, tenantId, id),
      transitions.held.countLedger(executor, tenantId, ids),
      told.count(executor, tenantId, ids),
      deps.merges.countHeld(executor, tenantId, ids),
      deps.duplicates.held(executor, tenantId, ids),
      deps.shadows.countLedger(executor, tenantId, ids),
    ]);
    const { order, touchpoint, move, fact } = rows;
    return {
      ...{ identity: identities.length, datedValue: fact, order, touchpoint, move, transition: ledger },
      ...{ event: events.events, delivery: events.deliveries, merge: merges },
      ...{ duplicatePair: pairs.length, shadowTransition: shadow },
    };
  });
  return { customerId: id, mergedIds: ids.slice(1), version, exportedAt: now.toISOString(), counts };
}

async function* factsOf(deps: ExportingDeps, context: Context, customerId: string): AsyncGenerator<string> {
  const { database, transitions, orders, touchpoints } = deps;
  const { tenantId } = context;
  const read = <T>(work: (executor: Executor) => Promise<T>) => database.read(tenantId, work);
  const byEffect = ({ effectiveAt, id }: { effectiveAt: Date; id: string }) => [effectiveAt, id] as const;
  yield* paged(
    'datedValue',
    (after: readonly [Date, string] | null) =>
      read((executor) => transitions.held.values(executor, tenantId, { customerId, after, limit: PAGE })),
    byEffect,
  );
  const customer = { kind: 'id', id: customerId } as const;
  yield* paged(
    'order',
    async (after: readonly [string, string] | null) =>
      (await orders.list(context, { customer }, { after, limit: PAGE })).map(toApiOrder),
    ({ placedAt, id }) => [placedAt, id] as const,
  );
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const query = { customer: customerId, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) };
    const page: Awaited<ReturnType<typeof touchpoints.list>> = await touchpoints.list(tenantId, query);
    yield* page.data.map((touchpoint) => line('touchpoint', touchpoint));
    cursor = page.nextCursor;
  }
  yield* paged(
    'move',
    (after: readonly [Date, string] | null) =>
      read((executor) => transitions.held.moves(executor, tenantId, { customerId, after, limit: PAGE })),
    byEffect,
  );
}

/** What was taken back as well. */
function ledgerOf(
  { transitions }: ExportingDeps,
  context: Context,
  customerId: string,
): AsyncGenerator<string> {
  return paged(
    'transition',
    async (after: readonly [string, string] | null) => {
      const filter = { customerId, superseded: true };
      return (await transitions.history(context, filter, { after, limit: PAGE })).map(toApiTransition);
    },
    ({ effectiveAt, id }) => [effectiveAt, id] as const,
  );
}

/** Of those who were merged into them too: a shadow that had been stopped before still has what it said of them. */
async function* shadowsOf({ shadows }: ExportingDeps, context: Context, id: string): AsyncGenerator<string> {
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const query = { superseded: true, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) };
    const page: Awaited<ReturnType<typeof shadows.held>> = await shadows.held(context, id, query);
    yield* page.data.map((transition) => line('shadowTransition', transition));
    cursor = page.nextCursor;
  }
}

async function* toldOf(
  { database, told }: ExportingDeps,
  { tenantId }: Context,
  customerId: string,
): AsyncGenerator<string> {
  let after = 0;
  for (;;) {
    const [events, deliveries] = await database.read(tenantId, async (executor) => {
      const page = await told.events(executor, tenantId, { customerId, after, limit: PAGE });
      return [
        page,
        await told.deliveries(
          executor,
          tenantId,
          page.map(({ id }) => id),
        ),
      ] as const;
    });
    // The very text that was sent, within the line.
    yield* events.map(({ body }) => `{"type":"event","data":${body}}\n`);
    yield* deliveries.map((delivery) => line('delivery', delivery));
    const last = events.at(-1);
    if (last === undefined || events.length < PAGE) return;
    after = last.sequence;
  }
}

/** Page after page, until one is not full. */
async function* paged<Row, Place>(
  type: string,
  read: (after: Place | null) => Promise<Row[]>,
  placeOf: (row: Row) => Place,
): AsyncGenerator<string> {
  let after: Place | null = null;
  for (;;) {
    const rows: Row[] = await read(after);
    yield* rows.map((row) => line(type, row));
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = placeOf(last);
  }
}
