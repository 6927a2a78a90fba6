// Owns reading customers: one with everything that is known of them, and lists. Writes nothing.

import { cursorScope, decodeCursor, encodeCursor } from '../api/cursor.js';
import { parseRef } from '../api/references.js';
import { PAGE_LIMIT_DEFAULT } from '../api/shapes.js';
import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Executor } from '../db/executor.js';
import { InvalidError } from '../errors.js';
import type { TouchpointsService } from '../touchpoints/service.js';
import type { TransitionsService } from '../transitions/service.js';
import type { LockedCustomer } from '../transitions/work.js';
import { customerNotFound } from './errors.js';
import { identitiesOf } from './identities.js';
import { normalEmail, normalPhone } from './normal-forms.js';
import type { CustomerPage, CustomerProfile, CustomerQuery, IdentityPage } from './schemas.js';
import { type RecentInteractions, toApiCustomer, toApiProfile } from './views.js';

export interface ReadingDeps {
  database: Database;
  transitions: Pick<TransitionsService, 'find' | 'list'>;
  touchpoints: Pick<TouchpointsService, 'countSince'>;
}

type CustomerFilter = Parameters<TransitionsService['list']>[2];

/** Whose customers are read, and as of when. */
export type Viewer = Pick<Context, 'tenantId' | 'now'>;

const BY_CREATION = cursorScope('customers', ['time', 'uuid']);
const DAY_MS = 86_400_000;
const RECENT_DAYS_MAX = 90;

export function createReading({ database, transitions, touchpoints }: ReadingDeps) {
  async function find(executor: Executor, tenantId: string, ref: string): Promise<LockedCustomer> {
    const [customer] = await transitions.find(executor, tenantId, [parseRef(ref)]);
    if (customer === undefined) throw customerNotFound();
    return customer;
  }

  /** Most customers have not been in touch for long; their state says so, and a statement is saved. */
  async function recentInteractions(executor: Executor, viewer: Viewer, customer: LockedCustomer) {
    const none: RecentInteractions = { last30Days: 0, last90Days: 0 };
    const last = customer.state?.facts.lastInteractionAt ?? null;
    const longAgo = last === null || last <= viewer.now.getTime() - RECENT_DAYS_MAX * DAY_MS;
    // A fact that was recorded ahead of its time is not in the state until a tick has taken it up.
    if (longAgo && customer.nextFactAt === null) return none;
    const { id } = customer.snapshot;
    const counts = await touchpoints.countSince(
      executor,
      viewer.tenantId,
      id,
      [30, RECENT_DAYS_MAX],
      viewer.now,
    );
    const [last30Days = 0, last90Days = 0] = counts;
    return { last30Days, last90Days };
  }

  return {
    get(viewer: Viewer, ref: string): Promise<CustomerProfile> {
      return database.read(viewer.tenantId, async (executor) => {
        const customer = await find(executor, viewer.tenantId, ref);
        return toApiProfile(customer, await recentInteractions(executor, viewer, customer));
      });
    },

    async list({ tenantId }: Pick<Viewer, 'tenantId'>, query: CustomerQuery): Promise<CustomerPage> {
      const { limit = PAGE_LIMIT_DEFAULT, cursor } = query;
      const after = cursor === undefined ? null : decodeCursor(BY_CREATION, query, cursor);
      const filter = filterOf(query);
      const found = await database.read(tenantId, (executor) =>
        // One more than asked for tells whether there is a next page.
        transitions.list(executor, tenantId, filter, { after, limit: limit + 1 }),
      );
      const shown = found.slice(0, limit);
      const last = found.length > limit ? shown.at(-1)?.snapshot : undefined;
      return {
        data: shown.map((customer) => toApiCustomer(customer)),
        nextCursor:
          last === undefined
            ? null
            : encodeCursor(BY_CREATION, query, [last.createdAt.toISOString(), last.id]),
      };
    },

    listIdentities({ tenantId }: Pick<Viewer, 'tenantId'>, ref: string): Promise<IdentityPage> {
      return database.read(tenantId, async (executor) => {
        const customer = await find(executor, tenantId, ref);
        return { data: identitiesOf(customer.snapshot), nextCursor: null };
      });
    },
  };
}

const TIMES = [
  'createdFrom',
  'createdTo',
  'stageSinceFrom',
  'stageSinceTo',
  'lastOrderFrom',
  'lastOrderTo',
  'reviewBefore',
] as const;

/** E-mail and phone are looked up by their normal forms, however they are written. */
function filterOf(query: CustomerQuery): CustomerFilter {
  const { stage, kind, owner, channel, country } = query;
  const filter: CustomerFilter = { stage, kind, owner, channel, country };
  if (query.email !== undefined) {
    filter.email = normalEmail(query.email) ?? unreadable('/query/email', 'is not an e-mail address');
  }
  if (query.phone !== undefined) {
    const detail = 'is not a phone number; a + is written %2B in a URL';
    filter.phone = normalPhone(query.phone, country ?? null) ?? unreadable('/query/phone', detail);
  }
  for (const name of TIMES) {
    const given = query[name];
    if (given !== undefined) filter[name] = new Date(given);
  }
  return filter;
}

function unreadable(pointer: string, detail: string): never {
  throw new InvalidError('invalid_request', `${pointer} ${detail}`, { faults: [{ pointer, detail }] });
}
