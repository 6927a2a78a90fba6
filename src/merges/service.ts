// Owns the use cases of merges: two customers who are one, what would come of it, undoing it within 30 days. Does
// not own finding out who may be the same (duplicates/) nor the ledger (transitions/).

import { cursorScope, decodeCursor, encodeCursor } from '../api/cursor.js';
import { parseRef } from '../api/references.js';
import { PAGE_LIMIT_DEFAULT } from '../api/shapes.js';
import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import { refuseErased } from '../transitions/absence.js';
import type { TransitionsService } from '../transitions/service.js';
import { eraseMerges } from './erasing.js';
import { lockBoth, type MergingDeps, mergeIn, previewMerge } from './merging.js';
import type { Merge, MergeInput, MergePreview, MergeQuery, MergeUndo, MergeUndoInput } from './schemas.js';
import { countMerges, listMergedAway, listMerges, type MergeSlice } from './store.js';
import { previewUndo, undoableMerge, undoIn } from './undoing.js';
import { ownPart, toApiMerge } from './views.js';

export interface MergesDeps extends MergingDeps {
  database: Database;
  transitions: MergingDeps['transitions'] & Pick<TransitionsService, 'identify'>;
}

export type MergesService = ReturnType<typeof createMergesService>;

const BY_TIME = cursorScope('merges', ['time', 'uuid']);

export interface Held {
  of: string;
  ids: string[];
  away: boolean;
}

export interface UndoTarget {
  ref: string;
  mergeId: string;
}

export function createMergesService(deps: MergesDeps) {
  const { database, transitions } = deps;
  return {
    merge: (context: Context, ref: string, input: MergeInput): Promise<Merge> =>
      database.write(context, async (tx) =>
        mergeIn(deps, tx, context, await lockBoth(deps, tx, context, { ref, ...input })),
      ),

    /** The same up to the first write. */
    preview: (context: Context, ref: string, input: MergeInput): Promise<MergePreview> =>
      database.write(context, async (tx) =>
        previewMerge(deps, tx, context, await lockBoth(deps, tx, context, { ref, ...input })),
      ),

    undo: (context: Context, { ref, mergeId }: UndoTarget, input: MergeUndoInput): Promise<MergeUndo> =>
      database.write(context, async (tx) => {
        const refs = [parseRef(ref)];
        const [survivor] = await transitions.lock(tx, context.tenantId, refs);
        if (survivor === undefined) throw (await transitions.absences(tx, context.tenantId, refs))[0];
        refuseErased(survivor);
        const target = { survivorId: survivor.snapshot.id, mergeId };
        const merge = await undoableMerge(tx, context, target);
        return input.dryRun === true
          ? previewUndo(deps, tx, context, merge)
          : undoIn(deps, tx, context, { survivor, merge, reason: input.reason ?? null });
      }),

    /** Takes who these were out of merges, and says who else had their data for a time; see erasing.ts. */
    erase: eraseMerges,

    /**
     * With the copies that are kept, for who hands over all that is held of `ids`, who are one person: what one of
     * them took in or, `away`, what became of them elsewhere.
     */
    held: (
      { tenantId }: Context,
      { of, ids, away, after, limit }: Pick<MergeSlice, 'after' | 'limit'> & Held,
    ) =>
      database.read(tenantId, async (executor) => {
        const rows = away
          ? await listMergedAway(executor, tenantId, { mergedId: of, ids, after, limit })
          : await listMerges(executor, tenantId, { survivorId: of, after, limit });
        return rows.map((row) => ownPart(row, ids));
      }),

    countHeld: countMerges,

    async list(context: Context, ref: string, query: MergeQuery) {
      const survivorId = await transitions.identify(context, parseRef(ref));
      const { limit = PAGE_LIMIT_DEFAULT, cursor } = query;
      const filter = { survivorId };
      const after = cursor === undefined ? null : decodeCursor(BY_TIME, filter, cursor);
      const found = await database.read(context.tenantId, (executor) =>
        listMerges(executor, context.tenantId, { survivorId, after, limit: limit + 1 }),
      );
      const shown = found.slice(0, limit);
      const last = found.length > limit ? shown.at(-1) : undefined;
      const nextCursor =
        last === undefined ? null : encodeCursor(BY_TIME, filter, [last.createdAt.toISOString(), last.id]);
      return { data: shown.map(toApiMerge), nextCursor };
    },
  };
}
