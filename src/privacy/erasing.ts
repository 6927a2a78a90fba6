// Owns the erasure of one person's data: out of every table that holds some, in one transaction under the
// customer's lock, each module taking out of its own rows what is personal. Does not own what a customer is
// afterwards for others (transitions/absence.ts) nor the rows themselves.

import { versionMismatch } from '../api/etag.js';
import { describeProblem } from '../api/problem.js';
import { parseRef } from '../api/references.js';
import type { BacktestsService } from '../backtests/service.js';
import type { Context } from '../context.js';
import { datedChanges } from '../customers/rewriting.js';
import type { Customer } from '../customers/schemas.js';
import type { CustomersService, Target } from '../customers/service.js';
import { toApiCustomer } from '../customers/views.js';
import type { Transaction } from '../db/executor.js';
import { eraseAnswers } from '../db/idempotency.js';
import type { DuplicatesService } from '../duplicates/service.js';
import type { MergesService } from '../merges/service.js';
import type { OrdersService } from '../orders/service.js';
import type { OutboxErasure } from '../outbox/erasure-service.js';
import type { ShadowsService } from '../shadows/service.js';
import type { TouchpointsService } from '../touchpoints/service.js';
import { customerErased } from '../transitions/absence.js';
import { recordingTime, type TransitionsService } from '../transitions/service.js';
import type { CustomerSnapshot, LockedCustomer } from '../transitions/work.js';

export interface ErasingDeps {
  transitions: Pick<
    TransitionsService,
    'lock' | 'absences' | 'merging' | 'erasure' | 'held' | 'advanceCustomers'
  >;
  customers: Pick<CustomersService, 'rewrite'>;
  orders: Pick<OrdersService, 'erase'>;
  touchpoints: Pick<TouchpointsService, 'erase'>;
  merges: Pick<MergesService, 'erase'>;
  told: OutboxErasure;
  duplicates: Pick<DuplicatesService, 'erase'>;
  shadows: Pick<ShadowsService, 'forget'>;
  backtests: Pick<BacktestsService, 'forget'>;
}

export async function eraseIn(
  deps: ErasingDeps,
  tx: Transaction,
  context: Context,
  { ref, expected }: Target,
): Promise<Customer> {
  const { transitions } = deps;
  const { tenantId } = context;
  const refs = [parseRef(ref)];
  const [customer] = await transitions.lock(tx, tenantId, refs);
  if (customer === undefined) throw (await transitions.absences(tx, tenantId, refs))[0];
  const { snapshot, lifecycleVersion } = customer;
  if (expected != null && snapshot.profileVersion + lifecycleVersion !== expected) throw versionMismatch();
  // Who has been erased is so: a repeat finds nothing more to do.
  if (snapshot.erasedAt !== null) return toApiCustomer(customer);
  await deps.told.hold(tx, tenantId);
  const merged = await transitions.erasure.mergedInto(tx, tenantId, snapshot.id);
  await eraseRows(deps, tx, context, { customer, ids: [snapshot.id, ...merged] });
  return becomeNobody(deps, tx, context, customer);
}

interface DatedValue {
  field: string;
  value: unknown;
}

interface Person {
  customer: LockedCustomer;
  /** Theirs, and those of everybody who was merged into them. */
  ids: string[];
}

async function eraseRows(
  { transitions, orders, touchpoints, merges, told, duplicates, shadows, backtests }: ErasingDeps,
  tx: Transaction,
  context: Context,
  { customer, ids }: Person,
): Promise<void> {
  const { tenantId } = context;
  const { id } = customer.snapshot;
  const now = recordingTime(context.now, customer);
  // Shadows before the search for duplicates, in which order the undoing of a merge locks them too.
  await shadows.forget(tx, context, ids);
  // What they are known by is looked for in kept answers, so it is read before it goes.
  const [held, said] = await Promise.all([
    transitions.merging.identitiesHeld(tx, tenantId, id),
    saidOf(transitions, tx, tenantId, customer.snapshot),
  ]);
  const [known] = await Promise.all([
    merges.erase(tx, tenantId, ids),
    orders.erase(tx, tenantId, id, now),
    touchpoints.erase(tx, tenantId, id),
    duplicates.erase(tx, tenantId, ids),
    backtests.forget(tx, context, said),
    transitions.erasure.erase(tx, tenantId, { customerId: id, ids, now }),
  ]);
  // While they were merged into somebody who has parted with them again, that one was told of with their data.
  const { hosts, copies } = known;
  await transitions.erasure.eraseHosts(tx, tenantId, { ids, hosts });
  const whole = ids.map((customerId) => ({ customerId, recorded: null }));
  await told.erase(tx, tenantId, { told: [...whole, ...hosts] });
  const contacts = held.filter(({ namespace }) => namespace === 'email' || namespace === 'phone');
  const { kind: _, code, message } = customerErased(id);
  await eraseAnswers(tx, tenantId, {
    needles: [...ids, ...contacts.map((contact) => contact.id)],
    hosts: hosts.map(({ customerId, recorded }) => ({ needle: customerId, ...recorded })),
    texts: [...new Set([customer.snapshot, ...copies].flatMap(textsOf))],
    answer: { status: 409, body: { ...describeProblem(409, code, message), customerId: id } },
  });
}

/** How an answer shows what is personal: as JSON, and with its name where the value may be anybody's. */
function textsOf(profile: Pick<CustomerSnapshot, 'name' | 'owner' | 'tags' | 'externalIds' | 'attributes'>) {
  const { name, owner, tags, externalIds, attributes } = profile;
  const named = [
    ...Object.entries({ name, owner, ...attributes }),
    ...externalIds.map((external) => ['id', external.id] as const),
  ].filter(([, value]) => value !== null);
  return [
    ...named.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`),
    ...tags.map((tag) => JSON.stringify(tag)),
  ];
}

const VALUES_A_PAGE = 500;

/** What the profile says and, as far as that is dated, ever said: of those who were merged into it too. */
async function saidOf(
  { held }: ErasingDeps['transitions'],
  tx: Transaction,
  tenantId: string,
  { id: customerId, owner, attributes }: CustomerSnapshot,
): Promise<DatedValue[]> {
  const now = Object.entries(attributes).map(([key, value]) => ({ field: `attributes.${key}`, value }));
  const said: DatedValue[] = [{ field: 'owner', value: owner }, ...now];
  let after: readonly [Date, string] | null = null;
  for (;;) {
    const page: Awaited<ReturnType<typeof held.values>> = await held.values(tx, tenantId, {
      ...{ customerId, after, limit: VALUES_A_PAGE },
    });
    said.push(...page.map(({ field, value }) => ({ field, value })));
    const last = page.at(-1);
    if (last === undefined || page.length < VALUES_A_PAGE) return said;
    after = [last.effectiveAt, last.id];
  }
}

/** The profile of nobody in particular, and the ledger that comes of what is left. */
async function becomeNobody(
  { transitions, customers }: ErasingDeps,
  tx: Transaction,
  context: Context,
  customer: LockedCustomer,
): Promise<Customer> {
  const { tenantId } = context;
  const now = recordingTime(context.now, customer);
  const dated = await transitions.merging.lastValues(tx, tenantId, [customer.snapshot.id]);
  customer.snapshot = anonymous(customer.snapshot, now);
  const facts = datedChanges(customer.snapshot, dated, now);
  const identities = { email: null, phone: null, externalIds: [] };
  const event = { type: 'customer.erased', occurredAt: now, data: {} };
  const [, standings] = await Promise.all([
    customers.rewrite(tx, tenantId, [{ customer, identities, facts }], now),
    transitions.advanceCustomers(tx, context, [{ customer, replay: true, events: [event] }], {
      mode: 'write',
      deliver: true,
    }),
  ]);
  return toApiCustomer(customer, standings.get(customer.snapshot.id));
}

/** What says nothing of a person by itself stays: whether a company, where from, and by which way they came. */
function anonymous(snapshot: CustomerSnapshot, now: Date): CustomerSnapshot {
  return {
    ...snapshot,
    ...{ name: null, email: null, phone: null, owner: null },
    ...{ tags: [], externalIds: [], attributes: {} },
    ...{ profileVersion: snapshot.profileVersion + 1, updatedAt: now, erasedAt: now },
  };
}
