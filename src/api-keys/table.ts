import { foreignKey, index, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { bytes, instant, tenantId } from '../db/columns.js';
import { tenants } from '../tenants/table.js';

/** Only the SHA-256 of a key is kept; `hint` is its last four characters, for people to tell keys apart. */
export const apiKeys = pgTable(
  'api_keys',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    name: text('name').notNull(),
    hint: text('hint').notNull(),
    keyHash: bytes('key_hash').notNull(),
    scopes: text('scopes').array().notNull(),
    createdAt: instant('created_at').notNull(),
    expiresAt: instant('expires_at'),
    revokedAt: instant('revoked_at'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({ columns: [table.tenantId], foreignColumns: [tenants.id] }),
    // A credential is what a tenant is found by, so this lookup alone leads without the tenant.
    index('api_keys_hash_idx').on(table.keyHash),
  ],
);
