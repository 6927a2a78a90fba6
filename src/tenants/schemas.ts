// Owns the API shapes of tenants and how a row becomes one. Does not own the rows (table.ts).

import Type, { type Static } from 'typebox';
import { choice, closed, ref, type Shared, shared } from '../api/schema.js';
import { page, Timestamp, text, Uuid, Version } from '../api/shapes.js';
import { ApiKeyWithSecretSchema } from '../api-keys/schemas.js';
import type { TenantRow } from './store.js';
import { TENANT_STATUSES } from './table.js';

export type TenantStatus = (typeof TENANT_STATUSES)[number];

/** It begins with a letter, so that a slug is never the same text as an id of ours. */
const slug = Type.String({
  pattern: '^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$',
  maxLength: 63,
  description: 'The name by which tokens may name the tenant. It never changes.',
});
const name = text({ max: 200, description: 'For people.' });
const status = choice(TENANT_STATUSES, { description: 'The credentials of a suspended tenant are refused.' });

const shown = {
  id: ref(Uuid),
  version: ref(Version),
  slug,
  name,
  status,
  createdAt: ref(Timestamp),
  updatedAt: ref(Timestamp),
};

export const TenantSchema = shared('Tenant', closed(shown, { description: 'Who the service works for.' }));
export type Tenant = Static<typeof TenantSchema>;

export const OpenedTenantSchema = shared(
  'OpenedTenant',
  closed(
    { ...shown, apiKey: ref(ApiKeyWithSecretSchema) },
    { description: 'A new tenant and its first key.' },
  ),
);
export type OpenedTenant = Static<typeof OpenedTenantSchema>;

export const TenantDraftSchema = shared(
  'TenantDraft',
  closed({ slug, name }, { description: 'A tenant to be opened.' }),
);
export type TenantDraft = Static<typeof TenantDraftSchema>;

export const TenantPatchSchema = shared(
  'TenantPatch',
  closed(
    { name: Type.Optional(name), status: Type.Optional(status) },
    { description: 'A JSON merge patch.' },
  ),
);
export type TenantPatch = Static<typeof TenantPatchSchema>;

export const TenantPageSchema = shared('TenantPage', page(ref(TenantSchema)));
export type TenantPage = Static<typeof TenantPageSchema>;

export const TENANT_SCHEMAS: Shared[] = [
  TenantSchema,
  OpenedTenantSchema,
  TenantDraftSchema,
  TenantPatchSchema,
  TenantPageSchema,
];

export function toTenant(row: TenantRow): Tenant {
  return {
    id: row.id,
    version: row.version,
    slug: row.slug,
    name: row.name,
    status: row.status,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
