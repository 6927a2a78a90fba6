// Owns the one value that travels from an entry point down into every use case: for whom, by whom and
// when. Does not own authentication (plugins/auth) or the transaction (db/).

/** Scopes that a credential can hold; `admin` manages tenants and belongs to no tenant. */
export const SCOPES = [
  'customers:read',
  'customers:write',
  'customers:erase',
  'customers:export',
  'orders:read',
  'orders:write',
  'touchpoints:read',
  'touchpoints:write',
  'policies:read',
  'policies:write',
  'transitions:read',
  'transitions:write',
  'events:read',
  'webhooks:read',
  'webhooks:write',
  'webhooks:secrets',
  'api_keys:read',
  'api_keys:write',
] as const;
export type Scope = (typeof SCOPES)[number];

/** The administrator's place in `Context.tenantId`: it sees the list of tenants and nothing of theirs. */
export const NO_TENANT_ID = '00000000-0000-0000-0000-000000000000';

export const ACTOR_KINDS = ['api_key', 'user', 'admin', 'system'] as const;
export interface Actor {
  kind: (typeof ACTOR_KINDS)[number];
  /** The key's id, the token's subject, or the job's name. */
  id: string;
}

/** A response before it is sent. */
export interface Answer {
  status: number;
  body: unknown;
}

/** An `Idempotency-Key` that was sent: the work, the key and the response are committed together. */
export interface IdempotencyClaim {
  key: string;
  /** SHA-256 of method, path and body. */
  fingerprint: Buffer;
  /** The status that the route answers with when the work succeeds. */
  status: number;
  /**
   * What the route answers, made from what the transaction's work returned, where that is not the body itself.
   * It runs inside the transaction, so that the answer is kept with the work.
   */
  answer?: (result: never) => Answer;
  /** Set where the response holds a secret: the stored copy is encrypted with it. */
  encryptionKey?: Buffer;
}

export interface Context {
  tenantId: string;
  actor: Actor;
  now: Date;
  requestId: string;
  idempotency?: IdempotencyClaim;
}
