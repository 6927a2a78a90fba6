// Owns what a customer is known by: external ids, e-mail and phone, each unique within its namespace. Does
// not own who holds one already (admission.ts) nor the rows (store.ts). Pure.

import type { ExternalId } from './kinds.js';

/** The namespaces of the two normal forms: no external id may use them. */
export const RESERVED_NAMESPACES = ['email', 'phone'] as const;
export const EXTERNAL_IDS_MAX = 20;

/** A name in a namespace; for `email` and `phone` the value is the normal form. */
export interface Identity {
  namespace: string;
  id: string;
}

/** The parts of a profile that name its customer. */
export interface Named {
  email?: string | null;
  phone?: string | null;
  externalIds?: readonly ExternalId[];
}

/** Namespaces hold no space, so the first one ends them. */
export function identityKey({ namespace, id }: Identity): string {
  return `${namespace} ${id}`;
}

export function identitiesOf({ email, phone, externalIds }: Named): Identity[] {
  const identities: Identity[] = externalIds?.map(({ namespace, id }) => ({ namespace, id })) ?? [];
  if (email != null) identities.push({ namespace: 'email', id: email });
  if (phone != null) identities.push({ namespace: 'phone', id: phone });
  return identities;
}

export function isReserved(namespace: string): boolean {
  return (RESERVED_NAMESPACES as readonly string[]).includes(namespace);
}

/** Where in a profile the identity stands, for a fault. */
export function pointerTo(
  { namespace, id }: Identity,
  externalIds: readonly ExternalId[] | undefined,
): string {
  if (isReserved(namespace)) return `/${namespace}`;
  const place = externalIds?.findIndex((given) => given.namespace === namespace && given.id === id) ?? -1;
  return place < 0 ? '' : `/externalIds/${place}`;
}

export function sameIdentities(a: readonly ExternalId[], b: readonly ExternalId[]): boolean {
  if (a.length !== b.length) return false;
  const keys = new Set(a.map(identityKey));
  return b.every((identity) => keys.has(identityKey(identity)));
}

/** `held` with those of `added` that it lacks behind it, in their order. */
export function withIdentities(held: readonly ExternalId[], added: readonly ExternalId[]): ExternalId[] {
  const keys = new Set(held.map(identityKey));
  return [...held, ...added.filter((identity) => !keys.has(identityKey(identity)))];
}
