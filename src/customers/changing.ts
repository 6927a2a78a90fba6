// Owns changing one customer: create, upsert, patch, and what they are known by. The last statements of each
// transaction are settle's: the rows, then advanceCustomers. Many at once are in bulk.ts.

import { versionMismatch } from '../api/etag.js';
import { parseRef, type Reference } from '../api/references.js';
import type { Context } from '../context.js';
import type { Transaction } from '../db/executor.js';
import { refuseErased } from '../transitions/absence.js';
import type { TransitionsService } from '../transitions/service.js';
import type { CustomerSnapshot, LockedCustomer, Standing } from '../transitions/work.js';
import { advancementOf, createRegister, type Register } from './admission.js';
import { registerOf, upsert } from './bulk.js';
import { type Identity, identitiesOf, identityKey } from './identities.js';
import type { ExternalId } from './kinds.js';
import { normalProfile } from './profile.js';
import type { Customer, CustomerInput } from './schemas.js';
import { writeProfiles } from './store.js';
import { toApiCustomer } from './views.js';

/** Which customer, and at which version: undefined asks for none, null for any (`If-Match: *`). */
export interface Target {
  ref: string;
  expected: number | null | undefined;
}

export interface Change {
  /** Locked. */
  customer: LockedCustomer;
  next: CustomerSnapshot;
  /** The external ids that the request holds, for the pointer of a conflict. */
  given?: readonly ExternalId[];
}

/** `created` is false where the customer was there and has been changed. */
export interface Admitted {
  created: boolean;
  customer: Customer;
}

export function createChanging(transitions: TransitionsService) {
  /** Writes what the register holds and advances it; nothing is sent after it. */
  async function settle(tx: Transaction, context: Context, register: Register, deliver: boolean) {
    const entries = register.changed();
    if (entries.length === 0) return new Map<string, Standing>();
    const [, standings] = await Promise.all([
      writeProfiles(tx, context.tenantId, entries, context.now),
      transitions.advanceCustomers(tx, context, entries.map(advancementOf), { mode: 'write', deliver }),
    ]);
    return standings;
  }

  /** Undefined where nobody is meant. The version is compared under the lock: nothing can come between. */
  async function lock(tx: Transaction, { tenantId }: Context, { ref, expected }: Target) {
    const [customer] = await transitions.lock(tx, tenantId, [parseRef(ref)]);
    if (customer !== undefined && expected != null) {
      if (customer.snapshot.profileVersion + customer.lifecycleVersion !== expected) throw versionMismatch();
    }
    if (customer !== undefined) refuseErased(customer);
    return customer;
  }

  /** Why there was nobody to lock. */
  async function absence(tx: Transaction, { tenantId }: Context, { ref }: Target) {
    const [reason] = await transitions.absences(tx, tenantId, [parseRef(ref)]);
    return reason;
  }

  return {
    settle,

    /** By `names` the customer may be found after all: they may have been admitted since they were looked for. */
    async admit(
      tx: Transaction,
      context: Context,
      input: CustomerInput,
      names: Identity[] = [],
    ): Promise<Admitted> {
      const change = normalProfile(input, null);
      const register = await registerOf(tx, context, identitiesOf(change).map(external), transitions);
      const { customer, created } = upsert(register, change, names);
      const standings = await settle(tx, context, register, true);
      return { created, customer: toApiCustomer(customer, standings.get(customer.snapshot.id)) };
    },

    lock,
    absence,

    async lockPresent(tx: Transaction, context: Context, target: Target): Promise<LockedCustomer> {
      const customer = await lock(tx, context, target);
      if (customer === undefined) throw await absence(tx, context, target);
      return customer;
    },

    /** Those who hold an identity that the customer is to get are locked with them, to be named in a conflict. */
    async change(tx: Transaction, context: Context, { customer, next, given }: Change): Promise<Customer> {
      const held = new Set(identitiesOf(customer.snapshot).map(identityKey));
      const claimed = identitiesOf(next).filter((identity) => !held.has(identityKey(identity)));
      const refs = claimed.map(external);
      const others = refs.length === 0 ? [] : await transitions.lock(tx, context.tenantId, refs);
      const { opened } = transitions;
      const locked = [...others, customer];
      const register = createRegister({ locked, refs, opened, now: context.now });
      const entry = register.byId(customer.snapshot.id);
      if (entry === undefined) throw new Error('a register holds the customers that it is made of');
      register.change(entry, next, given);
      const standings = await settle(tx, context, register, true);
      return toApiCustomer(entry.customer, standings.get(customer.snapshot.id));
    },
  };
}

function external({ namespace, id }: Identity): Reference {
  return { kind: 'external', namespace, id };
}
