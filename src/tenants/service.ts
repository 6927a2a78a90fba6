// Owns the use cases of tenants: opening one, showing, listing, changing. Does not own what a tenant has of
// its own beyond its first key and its first policy.

import { v7 as uuidV7 } from 'uuid';
import { cursorScope, decodeCursor, encodeCursor } from '../api/cursor.js';
import { versionMismatch } from '../api/etag.js';
import { PAGE_LIMIT_DEFAULT } from '../api/shapes.js';
import type { KeyHolders } from '../api-keys/holders.js';
import type { ApiKeysService, PageQuery } from '../api-keys/service.js';
import { type Context, SCOPES } from '../context.js';
import { actingAs } from '../db/acting.js';
import type { Database } from '../db/database.js';
import type { Transaction } from '../db/executor.js';
import { ConflictError, NotFoundError } from '../errors.js';
import { LookupCache } from '../lookup-cache.js';
import {
  type OpenedTenant,
  type Tenant,
  type TenantDraft,
  type TenantPage,
  type TenantPatch,
  toTenant,
} from './schemas.js';
import {
  findStanding,
  findTenant,
  hasTenants,
  insertTenant,
  listTenants,
  lockTenant,
  type StandingRow,
  type TenantRow,
  updateTenant,
} from './store.js';

/** A tenant as credentials need to know it. */
export type TenantStanding = StandingRow;

/** What a tenant that opens gets of other modules. */
export interface PolicyAdopter {
  adoptDefault(tx: Transaction, context: Context): Promise<void>;
}
export interface FeedOpener {
  open(tx: Transaction, tenantId: string): Promise<void>;
}

export interface FirstTenant extends TenantDraft {
  /** Asked only where the tenant is about to be opened; gives the key that it begins with. */
  secret: () => Promise<string>;
}

/** All contexts but that of `openFirst` are the administrator's. */
export interface TenantsService {
  open(context: Context, draft: TenantDraft): Promise<OpenedTenant>;
  /** Only where there is no tenant at all; false where there is one. */
  openFirst(context: Context, first: FirstTenant): Promise<boolean>;
  get(context: Context, id: string): Promise<Tenant>;
  list(context: Context, query: PageQuery): Promise<TenantPage>;
  change(context: Context, id: string, change: TenantChange): Promise<Tenant>;
  /** Whether a tenant, by id or slug, is being served; null where there is none. Seconds old at the most. */
  standing(reference: string): Promise<TenantStanding | null>;
}

export interface TenantChange {
  patch: TenantPatch;
  expectedVersion?: number | null;
}

export interface TenantsDeps {
  database: Database;
  apiKeys: Pick<ApiKeysService, 'issue'>;
  holders: Pick<KeyHolders, 'forgetAll'>;
  policies: PolicyAdopter;
  feeds: FeedOpener;
  duplicates: { open(tx: Transaction, tenantId: string, now: Date): Promise<void> };
  elapsedMs?: () => number;
}

const BY_ID = cursorScope('tenants', ['uuid']);
const STANDING_FOR_MS = 4_000;
const STANDING_MISSED_FOR_MS = 1_000;
const STANDINGS_MAX = 10_000;

export function createTenantsService(deps: TenantsDeps): TenantsService {
  const { database, holders } = deps;
  const standings = new LookupCache<TenantStanding>({
    entriesMax: STANDINGS_MAX,
    foundForMs: STANDING_FOR_MS,
    missedForMs: STANDING_MISSED_FOR_MS,
    elapsedMs: deps.elapsedMs,
  });
  return {
    open: (context, draft) => database.write(context, (tx) => open(deps, tx, { context, draft })),
    openFirst(context, { secret, ...draft }) {
      // Alone, so that of several replicas that start together one opens it and the others see it.
      const work = async (tx: Transaction) => {
        if (await hasTenants(tx)) return false;
        await open(deps, tx, { context, draft, secret: await secret() });
        return true;
      };
      return database.write(context, work, { exclusive: true });
    },
    get: (context, id) =>
      database.read(context.tenantId, async (executor) => toTenant(known(await findTenant(executor, id)))),
    list: (context, query) => list(database, context, query),
    async change(context, id, change) {
      const changed = await database.write(context, (tx) => apply(tx, { context, id, ...change }));
      standings.forgetAll();
      holders.forgetAll();
      return changed;
    },
    standing: (reference) =>
      standings.get(reference, () => database.find((finder) => findStanding(finder, reference))),
  };
}

interface Opening {
  context: Context;
  draft: TenantDraft;
  secret?: string;
}

async function open(
  deps: TenantsDeps,
  tx: Transaction,
  { context, draft, secret }: Opening,
): Promise<OpenedTenant> {
  const { now } = context;
  const id = uuidV7({ msecs: now.getTime() });
  const row: TenantRow = { ...draft, id, status: 'active', version: 1, createdAt: now, updatedAt: now };
  if (!(await insertTenant(tx, row))) {
    throw new ConflictError('tenant_slug_taken', `Another tenant has the slug ${draft.slug}.`);
  }
  return actingAs(tx, { from: context.tenantId, as: id }, async () => {
    const key = { tenantId: id, name: 'First key', scopes: SCOPES, secret, now };
    const apiKey = await deps.apiKeys.issue(tx, key);
    await deps.feeds.open(tx, id);
    await deps.duplicates.open(tx, id, now);
    await deps.policies.adoptDefault(tx, { ...context, tenantId: id, idempotency: undefined });
    return { ...toTenant(row), apiKey };
  });
}

async function list(
  database: Database,
  { tenantId }: Context,
  { limit = PAGE_LIMIT_DEFAULT, cursor }: PageQuery,
): Promise<TenantPage> {
  const [afterId] = cursor === undefined ? [] : decodeCursor(BY_ID, {}, cursor);
  const rows = await database.read(tenantId, (executor) =>
    listTenants(executor, { afterId, limit: limit + 1 }),
  );
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  const nextCursor = last === undefined ? null : encodeCursor(BY_ID, {}, [last.id]);
  return { data: page.map(toTenant), nextCursor };
}

interface Application extends TenantChange {
  context: Context;
  id: string;
}

async function apply(tx: Transaction, { context, id, patch, expectedVersion }: Application): Promise<Tenant> {
  const row = known(await lockTenant(tx, id));
  if (expectedVersion != null && expectedVersion !== row.version) {
    throw versionMismatch();
  }
  const { name = row.name, status = row.status } = patch;
  // A patch that changes nothing is no new version, or a client that repeats itself would never match.
  if (name === row.name && status === row.status) return toTenant(row);
  const changed: TenantRow = { ...row, name, status, version: row.version + 1, updatedAt: context.now };
  await updateTenant(tx, changed);
  return toTenant(changed);
}

function known(row: TenantRow | undefined): TenantRow {
  if (row === undefined) throw new NotFoundError('tenant_not_found', 'There is no such tenant.');
  return row;
}
