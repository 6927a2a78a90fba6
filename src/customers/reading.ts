// Owns reading customers: one with everything that is known of them, and lists. Writes nothing.

import { asksForPast } from '../api/as-of.js';
import { cursorScope, decodeCursor, encodeCursor } from '../api/cursor.js';
import { parseRef } from '../api/references.js';
import { PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX } from '../api/shapes.js';
import type { Context } from '../context.js';
import type { Database } from '../db/database.js';
import type { Executor } from '../db/executor.js';
import { InvalidError } from '../errors.js';
import { DAY_MS } from '../lifecycle/calendar.js';
import type { Foreseen, ModelsService } from '../models/service.js';
import type { TouchpointsService } from '../touchpoints/service.js';
import type { TransitionsService } from '../transitions/service.js';
import type { LockedCustomer } from '../transitions/work.js';
import { identitiesOf, identityKey } from './identities.js';
import type { IdentityPage } from './identity-schemas.js';
import { normalEmail, normalPhone } from './normal-forms.js';
import { createPastReading } from './past.js';
import type { CustomerProfile } from './profile-schemas.js';
import type { CustomerPage, CustomerQuery } from './schemas.js';
import { normalTag, TAG_FAULT } from './tags.js';
import { type RecentInteractions, toApiCustomer, toApiProfile } from './views.js';

export interface ReadingDeps {
  database: Database;
  transitions: Pick<TransitionsService, 'find' | 'list' | 'asOf' | 'absences' | 'merging'>;
  touchpoints: Pick<TouchpointsService, 'countSince'>;
  models: Pick<ModelsService, 'foresee' | 'evidence'>;
}

type CustomerFilter = Parameters<TransitionsService['list']>[2];

/** Whose customers are read, and as of when. */
export type Viewer = Pick<Context, 'tenantId' | 'now'>;

const BY_CREATION = cursorScope('customers', ['time', 'uuid']);
const RECENT_DAYS_MAX = 90;

export function createReading({ database, transitions, touchpoints, models }: ReadingDeps) {
  const past = createPastReading({ database, transitions });
  async function find(executor: Executor, tenantId: string, ref: string): Promise<LockedCustomer> {
    const asked = [parseRef(ref)];
    const [customer] = await transitions.find(executor, tenantId, asked);
    if (customer === undefined) throw (await transitions.absences(executor, tenantId, asked))[0];
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
        const named = parseRef(ref);
        const foreseen = named.kind === 'id' ? models.foresee(executor, viewer, named.id) : undefined;
        const customer = await find(executor, viewer.tenantId, ref);
        const [recent, evidence] = await Promise.all([
          recentInteractions(executor, viewer, customer),
          models.evidence(executor, viewer, predictedOf(customer, foreseen)),
        ]);
        return toApiProfile(customer, { recent, evidence, now: viewer.now });
      });
    },

    async list({ tenantId, now }: Viewer, query: CustomerQuery): Promise<CustomerPage> {
      if (asksForPast(query)) return past.list({ tenantId, now }, query, filterOf(query));
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
        const shown = identitiesOf(customer.snapshot);
        const all = await transitions.merging.identitiesHeld(executor, tenantId, customer.snapshot.id);
        const keys = new Set(shown.map(identityKey));
        // What those who were merged into them have left comes behind.
        const left = all.filter((identity) => !keys.has(identityKey(identity)));
        return { data: [...shown, ...left].slice(0, PAGE_LIMIT_MAX), nextCursor: null };
      });
    },
  };
}

function predictedOf({ snapshot, state, newestCalibration }: LockedCustomer, foreseen: Foreseen | undefined) {
  if (state === null) throw new Error('a customer that is shown has a state');
  const { id } = snapshot;
  return { id, facts: state.facts, calibrationVersion: newestCalibration ?? 0, foreseen };
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

/** What was predicted, as of the last walk. */
const FIGURES = ['pAliveBelow', 'pAliveAtLeast', 'expectedOrders90AtLeast', 'futureValueAtLeast'] as const;

/** E-mail and phone are looked up by their normal forms, however they are written. */
function filterOf(query: CustomerQuery): CustomerFilter {
  const { stage, kind, owner, channel, country } = query;
  const filter: CustomerFilter = { stage, kind, owner, channel, country, erased: query.erased };
  if (query.tag !== undefined) filter.tag = normalTag(query.tag) ?? unreadable('/query/tag', TAG_FAULT);
  if (query.email !== undefined) {
    filter.email = normalEmail(query.email) ?? unreadable('/query/email', 'is not an e-mail address');
  }
  if (query.phone !== undefined) {
    const detail = 'is not a phone number; a + is written %2B in a URL';
    filter.phone = normalPhone(query.phone, country ?? null) ?? unreadable('/query/phone', detail);
  }
  for (const name of FIGURES) filter[name] = query[name];
  filter.valueCurrency = query.currency;
  checkCurrency(query);
  for (const name of TIMES) {
    const given = query[name];
    if (given !== undefined) filter[name] = new Date(given);
  }
  return filter;
}

/** Amounts of different currencies are not compared, so a value is one of a currency. */
function checkCurrency({ futureValueAtLeast, currency }: CustomerQuery): void {
  if (futureValueAtLeast !== undefined && currency === undefined)
    unreadable('/query/currency', 'must be given with futureValueAtLeast');
  if (futureValueAtLeast === undefined && currency !== undefined)
    unreadable('/query/currency', 'is of no use without futureValueAtLeast');
}

function unreadable(pointer: string, detail: string): never {
  throw new InvalidError('invalid_request', `${pointer} ${detail}`, { faults: [{ pointer, detail }] });
}
