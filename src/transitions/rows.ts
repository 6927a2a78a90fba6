// Owns the mapping of a customer's joined rows (profile and lifecycle) to the value the services work with.

import type { CustomerDetails, ExternalId } from '../customers/kinds.js';
import type { CustomerState } from '../lifecycle/replay.js';
import type { CustomerSnapshot, ListedCustomer, LockedCustomer, Outlook } from './work.js';

export interface ListedRow extends CustomerDetails {
  external_ids: ExternalId[];
  profile_version: number;
  created_at: Date;
  updated_at: Date;
  erased_at: Date | null;
  stage: string;
  stage_since: Date;
  lifecycle_version: number;
}

export interface JoinedRow extends ListedRow {
  state: CustomerState;
  /** Only where a customer is read to be shown. */
  outlook?: Outlook;
  newest_calibration?: number;
  review_at: Date | null;
  next_fact_at: Date | null;
  failures: number;
  sequence: number;
  recorded_at: Date;
}

/** For `customers c`: who somebody is. */
export const profileColumns = `
  c.id, c.kind, c.name, c.email, c.phone, c.country, c.channel, c.owner, c.tags, c.attributes, c.external_ids,
  c.version AS profile_version, c.created_at, c.updated_at, c.erased_at`;

/** For `customer_lifecycles l JOIN customers c`, with $1 the tenant: what a list shows. */
export const listedColumns = `${profileColumns},
  l.stage, l.stage_since, l.version AS lifecycle_version`;

/** The same and all that a decision needs. */
export const joinedColumns = `${listedColumns},
  l.state, l.review_at, l.next_fact_at, l.failures, l.sequence,
  l.updated_at AS recorded_at`;

/**
 * Rows in force, for statements that name the customer: said so that the partial indexes of the feed do not
 * fit. Before the first ANALYZE one of those looks as good as the customer's own, and is the whole tenant's.
 */
export const inForceOfCustomer = "coalesce(superseded_at, 'infinity') = 'infinity'";

/** 0 where there is none. */
export const newestCalibration = (tenant: string) =>
  `COALESCE((SELECT max(version) FROM calibrations WHERE tenant_id = ${tenant}), 0)`;

/** The tenant's newest versions, 0 where there is none, and whether a shadow is to be told who has changed. */
export const newestVersions = (tenant: string) => `
  COALESCE((SELECT max(version) FROM policies WHERE tenant_id = ${tenant}), 0) AS policy,
  ${newestCalibration(tenant)} AS calibration,
  EXISTS (SELECT FROM shadows WHERE tenant_id = ${tenant} AND status = 'running') AS "isShadowed"`;

export function fromDbListed(row: ListedRow): ListedCustomer {
  return {
    snapshot: snapshotOf(row),
    stage: row.stage,
    stageSince: row.stage_since,
    lifecycleVersion: row.lifecycle_version,
  };
}

export function fromDbCustomer(row: JoinedRow): LockedCustomer {
  return {
    snapshot: snapshotOf(row),
    stage: row.stage,
    stageSince: row.stage_since,
    lifecycleVersion: row.lifecycle_version,
    state: row.state,
    outlook: row.outlook ?? null,
    newestCalibration: row.newest_calibration,
    reviewAt: row.review_at,
    nextFactAt: row.next_fact_at,
    sequence: row.sequence,
    recordedAt: row.recorded_at,
  };
}

function snapshotOf(row: ListedRow): CustomerSnapshot {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    email: row.email,
    phone: row.phone,
    country: row.country,
    channel: row.channel,
    owner: row.owner,
    tags: row.tags,
    attributes: row.attributes,
    externalIds: row.external_ids,
    profileVersion: row.profile_version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    erasedAt: row.erased_at,
  };
}
