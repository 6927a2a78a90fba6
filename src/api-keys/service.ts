// Owns the use cases of API keys: making one, showing, listing, revoking. Does not own the finding of a
// request's key (holders.ts).

import { v7 as uuidV7 } from 'uuid';
import { cursorScope, decodeCursor, encodeCursor } from '../api/cursor.js';
import { versionMismatch } from '../api/etag.js';
import { PAGE_LIMIT_DEFAULT } from '../api/shapes.js';
import { type Context, SCOPES, type Scope } from '../context.js';
import type { Database } from '../db/database.js';
import type { Transaction } from '../db/executor.js';
import { ConflictError, ForbiddenError, InvalidError, NotFoundError } from '../errors.js';
import type { KeyHolders } from './holders.js';
import {
  type ApiKey,
  type ApiKeyDraft,
  type ApiKeyPage,
  type ApiKeyWithSecret,
  toApiKey,
} from './schemas.js';
import { hashKey, hintOf, makeKey } from './secret.js';
import {
  type ApiKeyRow,
  findApiKey,
  insertApiKeys,
  listApiKeys,
  lockKeyMakers,
  revokeApiKey,
} from './store.js';

export interface KeyIssue {
  tenantId: string;
  name: string;
  scopes: readonly Scope[];
  expiresAt?: Date;
  /** A key that somebody else made; without it, a new one. */
  secret?: string;
  now: Date;
}

export interface PageQuery {
  limit?: number;
  cursor?: string;
}

export interface ApiKeysService {
  /** Nobody can hand on more than they hold. */
  create(context: Context, held: ReadonlySet<Scope>, draft: ApiKeyDraft): Promise<ApiKeyWithSecret>;
  /** Inside somebody else's transaction, as the tenant that the key is for. */
  issue(tx: Transaction, issue: KeyIssue): Promise<ApiKeyWithSecret>;
  get(context: Context, id: string): Promise<ApiKey>;
  list(context: Context, query: PageQuery): Promise<ApiKeyPage>;
  /** `expectedVersion` null or undefined: whatever it is. Revoking what is revoked changes nothing. */
  revoke(context: Context, id: string, expectedVersion?: number | null): Promise<void>;
}

interface Deps {
  database: Database;
  holders: Pick<KeyHolders, 'forgetAll'>;
}

const BY_ID = cursorScope('api_keys', ['uuid']);

export function createApiKeysService({ database, holders }: Deps): ApiKeysService {
  return {
    issue,
    create(context, held, draft) {
      const expiresAt = checkDraft(draft, held, context.now);
      const { tenantId, now } = context;
      return database.write(context, (tx) =>
        issue(tx, { tenantId, name: draft.name, scopes: draft.scopes, expiresAt, now }),
      );
    },
    get({ tenantId }, id) {
      return database.read(tenantId, async (executor) =>
        toApiKey(known(await findApiKey(executor, tenantId, id))),
      );
    },
    list: ({ tenantId }, query) => list(database, tenantId, query),
    async revoke(context, id, expectedVersion) {
      await database.write(context, (tx) => revoke(tx, context, { id, expectedVersion }));
      holders.forgetAll();
    },
  };
}

async function issue(tx: Transaction, { secret = makeKey(), ...draft }: KeyIssue): Promise<ApiKeyWithSecret> {
  const row: ApiKeyRow = {
    tenantId: draft.tenantId,
    id: uuidV7({ msecs: draft.now.getTime() }),
    name: draft.name,
    hint: hintOf(secret),
    keyHash: hashKey(secret),
    // In the order of the vocabulary and once each, however they were asked for.
    scopes: SCOPES.filter((scope) => draft.scopes.includes(scope)),
    createdAt: draft.now,
    expiresAt: draft.expiresAt ?? null,
    revokedAt: null,
  };
  await insertApiKeys(tx, [row]);
  return { ...toApiKey(row), secret };
}

function checkDraft(draft: ApiKeyDraft, held: ReadonlySet<Scope>, now: Date): Date | undefined {
  const missing = draft.scopes.filter((scope) => !held.has(scope));
  if (missing.length > 0) {
    throw new ForbiddenError(
      'scope_not_held',
      `A key cannot get scopes that its maker lacks: ${missing.join(', ')}.`,
    );
  }
  if (draft.expiresAt === undefined) return undefined;
  const expiresAt = new Date(draft.expiresAt);
  if (expiresAt > now) return expiresAt;
  const faults = [{ pointer: '/expiresAt', detail: 'must lie in the future' }];
  throw new InvalidError('invalid_expiry', 'A key cannot expire before it is made.', { faults });
}

async function list(
  database: Database,
  tenantId: string,
  { limit = PAGE_LIMIT_DEFAULT, cursor }: PageQuery,
): Promise<ApiKeyPage> {
  const [afterId] = cursor === undefined ? [] : decodeCursor(BY_ID, {}, cursor);
  const range = { tenantId, afterId, limit: limit + 1 };
  const rows = await database.read(tenantId, (executor) => listApiKeys(executor, range));
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  const nextCursor = last === undefined ? null : encodeCursor(BY_ID, {}, [last.id]);
  return { data: page.map(toApiKey), nextCursor };
}

interface RevokeRequest {
  id: string;
  expectedVersion?: number | null;
}

async function revoke(
  tx: Transaction,
  context: Context,
  { id, expectedVersion }: RevokeRequest,
): Promise<void> {
  const { tenantId, now } = context;
  const makers = await lockKeyMakers(tx, tenantId, now);
  const key = toApiKey(known(await findApiKey(tx, tenantId, id)));
  if (expectedVersion != null && expectedVersion !== key.version) {
    throw versionMismatch();
  }
  if (makers.length === 1 && makers[0] === id) {
    throw new ConflictError(
      'last_key',
      'This is the last key that can make keys; revoking it would lock its tenant out. Make another first.',
    );
  }
  await revokeApiKey(tx, { tenantId, id, now });
}

function known(row: ApiKeyRow | undefined): ApiKeyRow {
  if (row === undefined) throw new NotFoundError('api_key_not_found', 'There is no such API key.');
  return row;
}
