// Owns the mapping of a customer's joined rows (profile and lifecycle) to the value the services work with.

import type { CustomerKind, ExternalId } from '../customers/kinds.js';
import type { CustomerState } from '../lifecycle/walk.js';
import type { LockedCustomer, Outlook } from './work.js';

export interface JoinedRow {
  id: string;
  kind: CustomerKind;
  name: string | null;
  email: string | null;
  phone: string | null;
  country: string | null;
  channel: string | null;
  owner: string | null;
  attributes: Record<string, unknown>;
  external_ids: ExternalId[];
  profile_version: number;
  created_at: Date;
  updated_at: Date;
  stage: string;
  stage_since: Date;
  state: CustomerState;
  outlook: Outlook;
  review_at: Date | null;
  next_fact_at: Date | null;
  failures: number;
  sequence: number;
  lifecycle_version: number;
}

/** For `customer_lifecycles l JOIN customers c`, with $1 the tenant. */
export const joinedColumns = `
  c.id, c.kind, c.name, c.email, c.phone, c.country, c.channel, c.owner, c.attributes, c.external_ids,
  c.version AS profile_version, c.created_at, c.updated_at, l.stage, l.stage_since, l.state, l.outlook,
  l.review_at, l.next_fact_at, l.failures, l.sequence, l.version AS lifecycle_version`;

export function fromDbCustomer(row: JoinedRow): LockedCustomer {
  return {
    snapshot: {
      id: row.id,
      kind: row.kind,
      name: row.name,
      email: row.email,
      phone: row.phone,
      country: row.country,
      channel: row.channel,
      owner: row.owner,
      attributes: row.attributes,
      externalIds: row.external_ids,
      profileVersion: row.profile_version,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    },
    stage: row.stage,
    stageSince: row.stage_since,
    state: row.state,
    outlook: row.outlook,
    reviewAt: row.review_at,
    nextFactAt: row.next_fact_at,
    sequence: row.sequence,
    lifecycleVersion: row.lifecycle_version,
  };
}
