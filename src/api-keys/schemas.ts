// Owns the API shapes of API keys and how a row becomes one. Does not own the rows (table.ts).

import Type, { type Static } from 'typebox';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import { page, Timestamp, TimestampInput, text, Uuid, Version } from '../api/shapes.js';
import { SCOPES, type Scope } from '../context.js';
import type { ApiKeyRow } from './store.js';

export const ApiKeyScope = shared('Scope', choice(SCOPES, { description: 'What a credential may do.' }));

const scopes = Type.Array(ref(ApiKeyScope), { minItems: 1, maxItems: SCOPES.length, uniqueItems: true });
const name = text({ max: 100, description: 'For people, to know the key by.' });

const shown = {
  id: ref(Uuid),
  version: ref(Version),
  name,
  hint: text({ max: 4, description: 'The last characters of the secret.' }),
  scopes: Type.Array(ref(ApiKeyScope), { maxItems: SCOPES.length }),
  createdAt: ref(Timestamp),
  expiresAt: nullable(ref(Timestamp), { description: 'Null: it does not expire.' }),
  revokedAt: nullable(ref(Timestamp), { description: 'Null while the key may be used.' }),
};

export const ApiKeySchema = shared('ApiKey', closed(shown, { description: 'A key, without its secret.' }));
export type ApiKey = Static<typeof ApiKeySchema>;

export const ApiKeyWithSecretSchema = shared(
  'ApiKeyWithSecret',
  closed(
    {
      ...shown,
      secret: text({ max: 256, description: 'The key itself. It is shown this once and kept nowhere.' }),
    },
    { description: 'A key at the one moment when its secret is known.' },
  ),
);
export type ApiKeyWithSecret = Static<typeof ApiKeyWithSecretSchema>;

export const ApiKeyDraftSchema = shared(
  'ApiKeyDraft',
  closed(
    { name, scopes, expiresAt: Type.Optional(ref(TimestampInput)) },
    { description: 'A key to be made.' },
  ),
);
export type ApiKeyDraft = Static<typeof ApiKeyDraftSchema>;

export const ApiKeyPageSchema = shared('ApiKeyPage', page(ref(ApiKeySchema)));
export type ApiKeyPage = Static<typeof ApiKeyPageSchema>;

export const API_KEY_SCHEMAS: Shared[] = [
  ApiKeyScope,
  ApiKeySchema,
  ApiKeyWithSecretSchema,
  ApiKeyDraftSchema,
  ApiKeyPageSchema,
];

export function toApiKey(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    // Revocation is the only change that a key can see.
    version: row.revokedAt === null ? 1 : 2,
    name: row.name,
    hint: row.hint,
    scopes: row.scopes as Scope[],
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt?.toISOString() ?? null,
    revokedAt: row.revokedAt?.toISOString() ?? null,
  };
}
