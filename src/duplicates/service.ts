// Owns the use cases of duplicates: which customers may be one, and which are known not to be. Does not own merging
// them (merges/).

import { cursorScope, decodeCursor, encodeCursor } from '../api/cursor.js';
import { PAGE_LIMIT_DEFAULT } from '../api/shapes.js';
import type { Context } from '../context.js';
import { toApiCustomer } from '../customers/views.js';
import type { Database } from '../db/database.js';
import type { Executor, Transaction } from '../db/executor.js';
import { NotFoundError } from '../errors.js';
import type { TransitionsService } from '../transitions/service.js';
import type { CustomerSnapshot, LockedCustomer } from '../transitions/work.js';
import type { DismissedDuplicate, DuplicatePage, DuplicateQuery } from './schemas.js';
import { deletePairsOf, dismissPair, heldPairsOf, listPairs, type PairRow, replaceKeys } from './store.js';
import { lookAt, type WalkResult, walkDue } from './walk.js';
import { holdWalk, openWalk } from './walk-store.js';

export interface DuplicatesDeps {
  database: Database;
  transitions: Pick<TransitionsService, 'find'>;
}

export type DuplicatesService = ReturnType<typeof createDuplicatesService>;

const BY_SCORE = cursorScope('duplicates', ['integer', 'uuid']);

export function createDuplicatesService({ database, transitions }: DuplicatesDeps) {
  return {
    /** Makes a new tenant's walk. */
    open: openWalk,

    /** One bounded run over what has changed. */
    walkDue: (now: Date): Promise<WalkResult> => walkDue(database, now),

    /** Pairs of whom one has gone since they were found are left out, so a page may be shorter than asked for. */
    async list({ tenantId }: Context, query: DuplicateQuery): Promise<DuplicatePage> {
      const { limit = PAGE_LIMIT_DEFAULT, cursor } = query;
      const after = cursor === undefined ? null : decodeCursor(BY_SCORE, {}, cursor);
      return database.read(tenantId, async (executor) => {
        const found = await listPairs(executor, tenantId, { after, limit: limit + 1 });
        const shown = found.slice(0, limit);
        const refs = shown.flatMap(({ firstId, secondId }) => [byId(firstId), byId(secondId)]);
        const customers = refs.length === 0 ? [] : await transitions.find(executor, tenantId, refs);
        const last = found.length > limit ? shown.at(-1) : undefined;
        return {
          data: shown.flatMap((pair, index) => toApi(pair, customers[index * 2], customers[index * 2 + 1])),
          nextCursor: last === undefined ? null : encodeCursor(BY_SCORE, {}, [last.score, last.id]),
        };
      });
    },

    /** They stay known as two, whatever else comes to speak for their being one. */
    dismiss: (context: Context, id: string): Promise<DismissedDuplicate> =>
      database.write(context, async (tx) => {
        const { tenantId, actor, now } = context;
        const pair = await dismissPair(tx, tenantId, { id, by: `${actor.kind}:${actor.id}`, now });
        if (pair === undefined) throw new NotFoundError('duplicate_not_found', 'There is no such pair.');
        return toApiDismissed(pair);
      }),

    /** Whom these customers may be the same as, for who hands over all that is held. */
    held: async (executor: Executor, tenantId: string, customerIds: string[]) =>
      (await heldPairsOf(executor, tenantId, customerIds)).map(toApiDismissed),

    /**
     * Looks at these customers now, for whoever has parted them: what was made of both goes at once, and with it what
     * nobody would find under the one once the other is erased. Everybody else waits for the walk.
     */
    async look(tx: Transaction, context: Context, customers: readonly CustomerSnapshot[]): Promise<void> {
      await holdWalk(tx, context.tenantId);
      const looked = customers.map((customer) => ({ ...customer, isGone: customer.erasedAt !== null }));
      await lookAt(tx, context, looked);
    },

    /**
     * All that was made of what these customers are. A walk under way may have read them as they were and not yet
     * have written: it is waited for, so that its keys are among those that go; one that comes later passes over
     * the row until the erasure is through, and reads nobody.
     */
    async erase(tx: Transaction, tenantId: string, customerIds: string[]): Promise<void> {
      await holdWalk(tx, tenantId);
      await replaceKeys(tx, tenantId, { customerIds, keys: [] });
      await deletePairsOf(tx, tenantId, customerIds);
    },
  };
}

const byId = (id: string) => ({ kind: 'id', id }) as const;

function toApi(pair: PairRow, first: LockedCustomer | undefined, second: LockedCustomer | undefined) {
  if (first === undefined || second === undefined) return [];
  if (first.snapshot.erasedAt !== null || second.snapshot.erasedAt !== null) return [];
  const { id, score, reasons, foundAt } = pair;
  const customers = [toApiCustomer(first), toApiCustomer(second)];
  return [{ id, score, reasons, foundAt: foundAt.toISOString(), customers }];
}

function toApiDismissed({ id, score, reasons, foundAt, ...pair }: PairRow): DismissedDuplicate {
  return {
    ...{ id, score, reasons, foundAt: foundAt.toISOString() },
    customerIds: [pair.firstId, pair.secondId],
    dismissedAt: pair.dismissedAt?.toISOString() ?? null,
    dismissedBy: pair.dismissedBy,
  };
}
