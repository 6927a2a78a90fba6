// Owns the statements that write profiles, identities, tags and dated values. Where customers stand, and
// reading them together with it, is in transitions/. A thousand customers take as many statements as one.

import type { Transaction } from '../db/executor.js';
import { arrayText, recordset } from '../db/recordset.js';
import type { Entry, Written } from './admission.js';
import { type Identity, identitiesOf, identityKey } from './identities.js';
import { tagChanges } from './tags.js';

/**
 * Writes what a register has changed. Nothing is awaited between the statements, so they travel together;
 * those that have nothing to write are not sent. Identities are given up before any is taken, so that one
 * can pass from a customer to another in one batch.
 */
export async function writeProfiles(
  tx: Transaction,
  tenantId: string,
  entries: Written[],
  now: Date,
): Promise<void> {
  const { released, claimed } = identityChanges(entries);
  const { untagged, tagged } = tagRows(entries);
  const facts = entries.flatMap(({ customer: { snapshot }, facts }) =>
    facts.map((fact) => ({ ...fact, customer: snapshot.id })),
  );
  const profiles = entries.map(({ customer: { snapshot } }) => ({
    ...snapshot,
    tags: arrayText(snapshot.tags),
  }));
  await Promise.all([
    released.length > 0 && tx.rows({ ...RELEASE, values: [tenantId, ...HOLDINGS.values(released)] }),
    profiles.length > 0 && tx.rows({ ...WRITE, values: [tenantId, ...PROFILES.values(profiles)] }),
    claimed.length > 0 && tx.rows({ ...CLAIM, values: [tenantId, now, ...HOLDINGS.values(claimed)] }),
    untagged.length > 0 && tx.rows({ ...UNTAG, values: [tenantId, ...TAGGED.values(untagged)] }),
    tagged.length > 0 && tx.rows({ ...TAG, values: [tenantId, ...TAGGED.values(tagged)] }),
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
  tags: 'text',
  attributes: 'jsonb',
  externalIds: 'jsonb',
  profileVersion: 'int4',
  createdAt: 'timestamptz',
  updatedAt: 'timestamptz',
});

const FACTS = recordset({ customer: 'uuid', id: 'uuid', field: 'text', value: 'jsonb', at: 'timestamptz' });

/** A tag and who has it; by the time of their creation, which never changes, lists are read. */
const TAGGED = recordset({ tag: 'text', createdAt: 'timestamptz', customer: 'uuid' });

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

function tagRows(entries: Entry[]) {
  const untagged: { tag: string; createdAt: Date; customer: string }[] = [];
  const tagged: typeof untagged = [];
  for (const { before, customer } of entries) {
    const { id, createdAt, tags } = customer.snapshot;
    const { added, removed } = tagChanges(before?.tags ?? [], tags);
    untagged.push(...removed.map((tag) => ({ tag, createdAt, customer: id })));
    tagged.push(...added.map((tag) => ({ tag, createdAt, customer: id })));
  }
  return { untagged, tagged };
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
  text: `INSERT INTO customers (tenant_id, id, kind, name, email, phone, country, channel, owner, tags,
                                attributes, external_ids, version, created_at, updated_at)
         SELECT $1, r.id, r.kind, r.name, r.email, r.phone, r.country, r.channel, r.owner, r.tags::text[],
                r.attributes, r."externalIds", r."profileVersion", r."createdAt", r."updatedAt"
           FROM ${PROFILES.sql(2, 'r')}
         ON CONFLICT (tenant_id, id) DO UPDATE
            SET kind = excluded.kind, name = excluded.name, email = excluded.email, phone = excluded.phone,
                country = excluded.country, channel = excluded.channel, owner = excluded.owner,
                tags = excluded.tags,
                attributes = excluded.attributes, external_ids = excluded.external_ids,
                version = excluded.version, updated_at = excluded.updated_at`,
};

/** By their places, for the reason given above. */
const UNTAG: Prepared = {
  name: 'customers_untag',
  text: `DELETE FROM customer_tags WHERE ctid = ANY (ARRAY(
           SELECT held.place FROM ${TAGGED.sql(2, 'r')}
            CROSS JOIN LATERAL (
              SELECT ctid AS place FROM customer_tags
               WHERE tenant_id = $1 AND tag = r.tag AND created_at = r."createdAt" AND customer_id = r.customer
               LIMIT 1) held))`,
};

/** All tags of customers, whenever they were created: for who writes them anew. */
export function deleteTags(tx: Transaction, tenantId: string, customerIds: string[]): Promise<unknown[]> {
  return tx.rows({
    name: 'customers_untag_all',
    text: `DELETE FROM customer_tags WHERE tenant_id = $1 AND ctid = ANY (ARRAY(
             SELECT t.place FROM unnest($2::uuid[]) AS c(id)
              CROSS JOIN LATERAL (
                SELECT ctid AS place FROM customer_tags WHERE tenant_id = $1 AND customer_id = c.id OFFSET 0) t))`,
    values: [tenantId, customerIds],
  });
}

const TAG: Prepared = {
  name: 'customers_tag',
  text: `INSERT INTO customer_tags (tenant_id, tag, created_at, customer_id)
         SELECT $1, r.tag, r."createdAt", r.customer FROM ${TAGGED.sql(2, 'r')}`,
};

/**
 * In one order everywhere: two batches that claim the same identities then wait in line, not for each other. One
 * that was left to the customer by another who was merged is theirs already.
 */
const CLAIM: Prepared = {
  name: 'customers_claim_identities',
  text: `INSERT INTO customer_identities (tenant_id, namespace, value, customer_id, created_at)
         SELECT $1, r.namespace, r.id, r.customer, $2
           FROM ${HOLDINGS.sql(3, 'r')}
          WHERE (SELECT customer_id FROM customer_identities
                  WHERE tenant_id = $1 AND namespace = r.namespace AND value = r.id LIMIT 1) IS DISTINCT FROM r.customer
          ORDER BY r.namespace, r.id`,
};

const INSERT_FACTS: Prepared = {
  name: 'customers_insert_facts',
  text: `INSERT INTO customer_attribute_facts (tenant_id, customer_id, id, field, value, effective_at, recorded_at)
         SELECT $1, r.customer, r.id, r.field, r.value, r.at, $2
           FROM ${FACTS.sql(3, 'r')}`,
};
