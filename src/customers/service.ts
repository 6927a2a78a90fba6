// Owns the use cases of customers: who they are and what they are known by. Does not own where they stand
// (transitions/): every write here hands its customers to advanceCustomers in its own transaction.

import { versionMismatch } from '../api/etag.js';
import { parseRef, type Reference } from '../api/references.js';
import type { Context } from '../context.js';
import type { Transaction } from '../db/executor.js';
import { InvalidError, NotFoundError, type PerennialError } from '../errors.js';
import type { TransitionsService } from '../transitions/service.js';
import { type CustomerMention, type Resolved, resolveOrAdmit, type Upserted, workBatch } from './bulk.js';
import { type Admitted, createChanging, type Target } from './changing.js';
import { type Identity, identityKey, isReserved, withIdentities } from './identities.js';
import { normalProfile, overwritten, patched } from './profile.js';
import { createReading, type ReadingDeps } from './reading.js';
import { rewriteProfiles } from './rewriting.js';
import type { Customer, CustomerInput, CustomerPatch } from './schemas.js';
import { normalTag, TAG_FAULT, withoutTag } from './tags.js';

export type { CustomerMention, InlineCustomer, Resolved, Upserted } from './bulk.js';
export type { Target } from './changing.js';
export type CustomersService = ReturnType<typeof createCustomersService>;

export interface CustomersDeps extends ReadingDeps {
  transitions: TransitionsService;
}

export function createCustomersService(deps: CustomersDeps) {
  const { database, transitions } = deps;
  const { admit, change, lock, lockPresent, absence, settle } = createChanging(transitions);
  return {
    ...createReading(deps),

    create: (context: Context, input: CustomerInput): Promise<Customer> =>
      database.write(context, async (tx) => {
        const { customer } = await admit(tx, context, input);
        return customer;
      }),

    /** By external id: created or changed. By id: changed. */
    upsert: (context: Context, target: Target, input: CustomerInput) =>
      database.write(context, async (tx): Promise<Admitted> => {
        const ref = parseRef(target.ref);
        const given = withReference(input, ref);
        const customer = await lock(tx, context, target);
        if (customer !== undefined) {
          const { snapshot } = customer;
          const profile = normalProfile(given, snapshot.country);
          const next = overwritten(snapshot, profile);
          const changed = await change(tx, context, { customer, next, given: profile.externalIds });
          return { created: false, customer: changed };
        }
        if (ref.kind === 'id') throw await absence(tx, context, target);
        if (target.expected !== undefined) throw versionMismatch();
        return admit(tx, context, given, [ref]);
      }),

    patch: (context: Context, target: Target, patch: CustomerPatch): Promise<Customer> =>
      database.write(context, async (tx) => {
        const customer = await lockPresent(tx, context, target);
        const profile = normalProfile(patch, customer.snapshot.country);
        const next = patched(customer.snapshot, profile, patch);
        return change(tx, context, { customer, next, given: profile.externalIds });
      }),

    /** `added` is false where the customer had it already. */
    addIdentity: (context: Context, target: Target, identity: Identity) =>
      database.write(context, async (tx): Promise<{ added: boolean; customer: Customer }> => {
        if (isReserved(identity.namespace)) throw reserved('/namespace', identity.namespace);
        const customer = await lockPresent(tx, context, target);
        const next = overwritten(customer.snapshot, { externalIds: [identity] });
        const added = next.externalIds.length > customer.snapshot.externalIds.length;
        return { added, customer: await change(tx, context, { customer, next }) };
      }),

    removeIdentity: (context: Context, target: Target, identity: Identity): Promise<Customer> =>
      database.write(context, async (tx) => {
        const customer = await lockPresent(tx, context, target);
        const held = customer.snapshot.externalIds;
        const externalIds = held.filter((other) => identityKey(other) !== identityKey(identity));
        if (externalIds.length === held.length) {
          throw new NotFoundError('identity_not_found', 'The customer has no such external id.');
        }
        return change(tx, context, { customer, next: { ...customer.snapshot, externalIds } });
      }),

    /** Changes nothing where the customer has it. */
    addTag: (context: Context, target: Target, given: string): Promise<Customer> =>
      database.write(context, async (tx) => {
        const tag = tagOf(given);
        const customer = await lockPresent(tx, context, target);
        return change(tx, context, { customer, next: overwritten(customer.snapshot, { tags: [tag] }) });
      }),

    /** Changes nothing where the customer does not have it. */
    removeTag: (context: Context, target: Target, given: string): Promise<Customer> =>
      database.write(context, async (tx) => {
        const tag = tagOf(given);
        const customer = await lockPresent(tx, context, target);
        const { snapshot } = customer;
        return change(tx, context, {
          customer,
          next: { ...snapshot, tags: withoutTag(snapshot.tags, tag) },
        });
      }),

    /** One outcome for each input, in their order; one item's failure leaves the others done. */
    batch: (context: Context, inputs: readonly CustomerInput[], options: { backfill: boolean }) =>
      database.write(context, async (tx): Promise<(Upserted | PerennialError)[]> => {
        const { register, outcomes } = await workBatch(tx, context, inputs, transitions);
        await settle(tx, context, register, !options.backfill);
        return outcomes;
      }),

    /** For orders: locks those who are named, admits and changes those who are brought along. */
    resolveOrAdmit: (
      tx: Transaction,
      context: Context,
      mentions: readonly CustomerMention[],
    ): Promise<Resolved> => resolveOrAdmit(tx, context, mentions, transitions),

    /** For merges and erasure: writes whole profiles, and the dated values that they lack. */
    rewrite: rewriteProfiles,
  };
}

/** The external id that a PUT names its customer by is one of the customer's. */
function withReference(input: CustomerInput, ref: Reference): CustomerInput {
  if (ref.kind === 'id') return input;
  const { namespace, id } = ref;
  if (isReserved(namespace)) throw reserved('/path/ref', namespace);
  return { ...input, externalIds: withIdentities(input.externalIds ?? [], [{ namespace, id }]) };
}

function tagOf(given: string): string {
  const tag = normalTag(given);
  if (tag !== undefined) return tag;
  const pointer = '/path/tag';
  const faults = [{ pointer, detail: TAG_FAULT }];
  throw new InvalidError('invalid_request', `${pointer} ${TAG_FAULT}`, { faults });
}

function reserved(pointer: string, namespace: string): InvalidError {
  const detail = `is in a reserved namespace: the field ${namespace} holds it`;
  return new InvalidError('invalid_request', `${pointer} ${detail}`, { faults: [{ pointer, detail }] });
}
