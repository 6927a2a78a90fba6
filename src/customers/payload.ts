// Owns how a customer reads outside of this service: the same in an answer of the API and in an event.
// Pure, so that transitions/ can use it too.

import type { CustomerSnapshot } from '../transitions/work.js';
import type { CustomerDetails, ExternalId } from './kinds.js';

/** Where the customer stands. */
export interface Position {
  stage: string;
  stageSince: Date;
  lifecycleVersion: number;
}

export interface CustomerPayload extends CustomerDetails {
  externalIds: ExternalId[];
  stage: string;
  stageSince: string;
  version: number;
  createdAt: string;
  updatedAt: string;
  /** Only where their personal data was erased. */
  erasedAt?: string;
}

/** One version covers both rows: the profile's and the lifecycle's own only ever grow. */
export function customerPayload(snapshot: CustomerSnapshot, position: Position): CustomerPayload {
  const payload: CustomerPayload = {
    id: snapshot.id,
    kind: snapshot.kind,
    name: snapshot.name,
    email: snapshot.email,
    phone: snapshot.phone,
    country: snapshot.country,
    channel: snapshot.channel,
    owner: snapshot.owner,
    tags: snapshot.tags,
    externalIds: snapshot.externalIds,
    attributes: snapshot.attributes,
    stage: position.stage,
    stageSince: position.stageSince.toISOString(),
    version: snapshot.profileVersion + position.lifecycleVersion,
    createdAt: snapshot.createdAt.toISOString(),
    updatedAt: snapshot.updatedAt.toISOString(),
  };
  if (snapshot.erasedAt !== null) payload.erasedAt = snapshot.erasedAt.toISOString();
  return payload;
}
