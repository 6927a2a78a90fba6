// Owns the statements that write profiles, identities and dated attribute values. Where customers stand, and
// reading them together with it, is in transitions/. A thousand customers take as many statements as one.

import type { Transaction } from '../db/executor.js';
import { recordset } from '../db/recordset.js';
import { newId } from '../ids.js';
import type { Entry } from './admission.js';
import { type Identity, identitiesOf, identityKey } from './identities.js';
import { factsBetween } from './profile.js';

/**
 * Writes what a register has changed. Nothing is awaited between the statements, so they travel together;
 * those that have nothing to write are not sent. Identities are given up before any is taken, so that one
 * can pass from a customer to another in one batch.
 */
export async function writeProfiles(
  tx: Transaction,
  tenantId: string,
  entries: Entry[],
  now: Date,
): Promise<void> {
  const { released, claimed } = identityChanges(entries);
  const facts = entries.flatMap(({ before, customer: { snapshot } }) =>
    factsBetween(before, snapshot).map((fact) => ({ ...fact, id: newId(), customer: snapshot.id })),
  );
  const profiles = entries.map(({ customer }) => customer.snapshot);
  await Promise.all([
    released.length > 0 && tx.rows({ ...RELEASE, values: [tenantId, ...HOLDINGS.values(released)] }),
    profiles.length > 0 && tx.rows({ ...WRITE, values: [tenantId, ...PROFILES.values(profiles)] }),
    claimed.length > 0 && tx.rows({ ...CLAIM, values: [tenantId, now, ...HOLDINGS.values(claimed)] }),
    facts.length > 0 && tx.rows({ ...INSERT_FACTS, values: [tenantId, now, ...FACTS.values(facts)] }),
  ]);
}

interface Prepared {
  name: string;
  text: string;
}

/** An external id and who has it. */
const HOLDINGS = recordset({ namespace: 'text', id: 'text', customer: 'uuid' });

const PROFILES = recordset({
  id: 'uuid',
  kind: 'text',
  name: 'text',
  email: 'text',
  phone: 'text',
  country: 'text',
  channel: 'text',
  owner: 'text',
  attributes: 'jsonb',
  externalIds: 'jsonb',
  profileVersion: 'int4',
  createdAt: 'timestamptz',
  updatedAt: 'timestamptz',
});

const FACTS = recordset({ customer: 'uuid', id: 'uuid', field: 'text', value: 'jsonb' });

function identityChanges(entries: Entry[]) {
  const released: (Identity & { customer: string })[] = [];
  const claimed: (Identity & { customer: string })[] = [];
  for (const { before, customer } of entries) {
    const held = before === null ? [] : identitiesOf(before);
    const holds = identitiesOf(customer.snapshot);
    const heldKeys = new Set(held.map(identityKey));
    const holdsKeys = new Set(holds.map(identityKey));
    const of = (identity: Identity) => ({ ...identity, customer: customer.snapshot.id });
    released.push(...held.filter((identity) => !holdsKeys.has(identityKey(identity))).map(of));
    claimed.push(...holds.filter((identity) => !heldKeys.has(identityKey(identity))).map(of));
  }
  return { released, claimed };
}

/** By their places, each looked up by its key: the customers are locked, so nobody moves them meanwhile. */
const RELEASE: Prepared = {
  name: 'customers_release_identities',
  text: `DELETE FROM customer_identities WHERE ctid = ANY (ARRAY(
           SELECT held.place FROM ${HOLDINGS.sql(2, 'r')}
            CROSS JOIN LATERAL (
              SELECT ctid AS place, customer_id, value FROM customer_identities
               WHERE tenant_id = $1 AND namespace = r.namespace AND value >= r.id ORDER BY value LIMIT 1) held
            WHERE held.value = r.id AND held.customer_id = r.customer))`,
};

/**
 * New and changed profiles alike. An UPDATE that joins its input would be planned by the table's statistics,
 * and by stale ones (a first import) it reads all of the tenant; a conflict is always found by the key.
 */
const WRITE: Prepared = {
  name: 'customers_write',
  text: `INSERT INTO customers (tenant_id, id, kind, name, email, phone, country, channel, owner, attributes,
                                external_ids, version, created_at, updated_at)
         SELECT $1, r.id, r.kind, r.name, r.email, r.phone, r.country, r.channel, r.owner, r.attributes,
                r."externalIds", r."profileVersion", r."createdAt", r."updatedAt"
           FROM ${PROFILES.sql(2, 'r')}
         ON CONFLICT (tenant_id, id) DO UPDATE
            SET kind = excluded.kind, name = excluded.name, email = excluded.email, phone = excluded.phone,
                country = excluded.country, channel = excluded.channel, owner = excluded.owner,
                attributes = excluded.attributes, external_ids = excluded.external_ids,
                version = excluded.version, updated_at = excluded.updated_at`,
};

/** In one order everywhere: two batches that claim the same identities then wait in line, not for each other. */
const CLAIM: Prepared = {
  name: 'customers_claim_identities',
  text: `INSERT INTO customer_identities (tenant_id, namespace, value, customer_id, created_at)
         SELECT $1, r.namespace, r.id, r.customer, $2
           FROM ${HOLDINGS.sql(3, 'r')}
          ORDER BY r.namespace, r.id`,
};

const INSERT_FACTS: Prepared = {
  name: 'customers_insert_facts',
  text: `INSERT INTO customer_attribute_facts (tenant_id, customer_id, id, field, value, effective_at, recorded_at)
         SELECT $1, r.customer, r.id, r.field, r.value, $2, $2
           FROM ${FACTS.sql(3, 'r')}`,
};
