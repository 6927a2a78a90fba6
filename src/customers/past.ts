// Owns listing customers as they stood at an instant. Does not own who was in which stage (transitions/as-of.ts).

import { type Instants, instantsOf, refuse } from '../api/as-of.js';
import { cursorScope, decodeCursor, encodeCursor } from '../api/cursor.js';
import { PAGE_LIMIT_DEFAULT } from '../api/shapes.js';
import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import { type CustomerFilter, PAST_FIELDS, type TransitionsService } from '../transitions/service.js';
import type { CustomerSnapshot } from '../transitions/work.js';
import type { CustomerPage, CustomerQuery } from './schemas.js';
import { toApiCustomer } from './views.js';

export interface PastReadingDeps {
  database: Database;
  transitions: Pick<TransitionsService, 'asOf'>;
}

/** The last customer of the page before, and the instants: those that were not said are pinned by the first page. */
const AS_OF = cursorScope('customers-as-of', ['time', 'uuid', 'time', 'time']);

export function createPastReading({ database, transitions }: PastReadingDeps) {
  return {
    /** `filter` is made of the query. */
    async list(
      { tenantId, now }: Pick<Context, 'tenantId' | 'now'>,
      query: CustomerQuery,
      filter: CustomerFilter,
    ): Promise<CustomerPage> {
      refuseOthers(filter);
      const { limit = PAGE_LIMIT_DEFAULT, cursor } = query;
      const place = cursor === undefined ? null : decodeCursor(AS_OF, query, cursor);
      const instants = place === null ? instantsOf(query, now) : pinned(place[2], place[3]);
      const after = place === null ? null : ([place[0], place[1]] as const);
      const found = await database.read(tenantId, (executor) =>
        transitions.asOf.list(executor, tenantId, { ...filter, ...instants }, { after, limit: limit + 1 }),
      );
      const shown = found.slice(0, limit);
      const last = found.length > limit ? shown.at(-1)?.snapshot : undefined;
      return {
        data: shown.map((customer) => toApiCustomer(customer)),
        nextCursor: last === undefined ? null : encodeCursor(AS_OF, query, keysOf(last, instants)),
      };
    },
  };
}

function keysOf({ createdAt, id }: CustomerSnapshot, { asOf, knownAt }: Instants) {
  const keys = [createdAt.toISOString(), id, asOf.toISOString(), knownAt.toISOString()];
  return keys as [string, string, string, string];
}

function pinned(asOf: string, knownAt: string): Instants {
  return { asOf: new Date(asOf), knownAt: new Date(knownAt) };
}

/** Whatever else a list can be filtered by is of today alone. */
function refuseOthers(filter: CustomerFilter): void {
  const fields = Object.keys(filter) as (keyof CustomerFilter)[];
  const combined: readonly string[] = PAST_FIELDS;
  const others = fields.filter((field) => filter[field] !== undefined && !combined.includes(field));
  refuse(
    others.map((field) => ({
      pointer: `/query/${field}`,
      detail: 'asks how customers stand today, and does not combine with asOf and knownAt',
    })),
  );
}
