// Owns reading: the feed of all that happened, one event, and the catalogue's list. Does not own how positions
// are given (number.ts).

import { cursorScope, decodeCursor, encodeCursor } from '../api/cursor.js';
import { parseRef } from '../api/references.js';
import { PAGE_LIMIT_DEFAULT } from '../api/shapes.js';
import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import { InvalidError, NotFoundError, PerennialError } from '../errors.js';
import { pointedAt, unknownCustomer } from '../transitions/absence.js';
import type { TransitionsService } from '../transitions/service.js';
import {
  feedEdges,
  findBody,
  lastPosition,
  type PositionedBody,
  readOfCustomer,
  readWindow,
  WINDOW,
} from './feed-store.js';
import { numberEvents } from './number.js';
import { typesOf } from './topics.js';

export interface FeedQuery {
  after?: string;
  types?: readonly string[];
  customer?: string;
  limit?: number;
}

export interface FeedPage {
  /** The very texts that webhooks carry. */
  bodies: string[];
  /** Null where there is no more just now. */
  nextCursor: string | null;
  /** Where to go on from, later, even when nothing was found. */
  cursor: string;
}

export interface FeedService {
  /**
   * Events after a place, in the order of the feed. What has been committed and has no position yet is numbered
   * first, so that whoever reads after their own write finds it (a backlog larger than one batch apart). A page
   * may be empty and have a next one: a filter looks through a bounded stretch at a time. From a place below
   * what is kept, nothing is read: the reader is told that something was missed.
   */
  read(context: Context, query: FeedQuery): Promise<FeedPage>;
  /** The text of one event. */
  get(context: Context, id: string): Promise<string>;
}

export interface FeedDeps {
  database: Database;
  transitions: Pick<TransitionsService, 'find' | 'absences'>;
}

/** A place in the feed is a place whatever is asked of it: a reader may change the filter and keep the place. */
const FEED = cursorScope('events', ['integer']);

export function createFeedService({ database, transitions }: FeedDeps): FeedService {
  async function search(tenantId: string, query: Search): Promise<Found> {
    return database.read(tenantId, async (executor) => {
      // In this order: what the first sees as the feed's end, the others see as well; and if what the last sees
      // as its beginning lies at or below where was read from, nothing of the stretch had been pruned.
      const [end, rows, edges] = await Promise.all([
        lastPosition(executor, tenantId),
        query.customerId === undefined
          ? readWindow(executor, tenantId, query)
          : readOfCustomer(executor, tenantId, { ...query, customerId: query.customerId }),
        feedEdges(executor, tenantId),
      ]);
      return { end, rows, ...edges };
    });
  }

  return {
    async read({ tenantId, now }, { after, types, customer, limit = PAGE_LIMIT_DEFAULT }) {
      let asked: Search = {
        after: after === undefined ? 0 : placeOf(after),
        types: types === undefined ? null : typesOf(types),
        limit,
        customerId: await idOf(tenantId, customer),
      };
      let found = await search(tenantId, asked);
      if (found.isBehind && found.rows.length < limit) {
        await numberEvents(database, { tenantId, now, wait: true });
        found = await search(tenantId, asked);
      }
      // Of another tenant's feed, or of one that was restored from a copy: read from there, events would be missed.
      if (asked.after > found.end) throw noPlace();
      while (found.prunedTo > asked.after) {
        if (after !== undefined) throw expired();
        asked = { ...asked, after: found.prunedTo };
        found = await search(tenantId, asked);
      }
      return pageOf(asked, found);
    },
    async get({ tenantId }, id) {
      const body = await database.read(tenantId, (executor) => findBody(executor, tenantId, id));
      if (body === undefined) throw new NotFoundError('event_not_found', 'There is no such event.');
      return body;
    },
  };

  async function idOf(tenantId: string, customer: string | undefined): Promise<string | undefined> {
    if (customer === undefined) return undefined;
    const refs = [parseRef(customer)];
    return database.read(tenantId, async (executor) => {
      const [found] = await transitions.find(executor, tenantId, refs);
      if (found !== undefined) return found.snapshot.id;
      const [absence = unknownCustomer()] = await transitions.absences(executor, tenantId, refs);
      throw pointedAt('/query/customer', absence);
    });
  }
}

interface Search {
  after: number;
  types: readonly string[] | null;
  limit: number;
  customerId: string | undefined;
}

interface Found {
  end: number;
  rows: PositionedBody[];
  prunedTo: number;
  isBehind: boolean;
}

function pageOf({ after, limit, customerId }: Search, { end, rows }: Found): FeedPage {
  const last = rows.at(-1)?.position ?? after;
  const stretchEnd = customerId === undefined ? Math.min(after + WINDOW, end) : end;
  // A full page has been read up to its last event, any other to the end of the stretch.
  const place = rows.length === limit ? last : Math.max(last, stretchEnd);
  const cursor = encodeCursor(FEED, {}, [place]);
  return { bodies: rows.map(({ body }) => body), nextCursor: place < end ? cursor : null, cursor };
}

/** Not a 400: the cursor was good, and what it stands before was kept for as long as the deployment says. */
function expired(): PerennialError {
  const detail =
    'Events after this place are kept no longer. Read from the beginning, without `after`, and take the present ' +
    'state of what may have been missed from its own resources.';
  return new PerennialError('gone', 'cursor_expired', detail, {
    faults: [{ pointer: '/query/after', detail: 'This place is older than what is kept.' }],
  });
}

function placeOf(after: string): number {
  try {
    return decodeCursor(FEED, {}, after)[0];
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    throw noPlace();
  }
}

function noPlace(): InvalidError {
  const detail = 'This is no place in the feed: take `cursor` of an earlier page.';
  return new InvalidError('invalid_cursor', detail, { faults: [{ pointer: '/query/after', detail }] });
}
