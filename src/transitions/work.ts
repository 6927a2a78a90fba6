// Owns the shape of what other modules hand to advanceCustomers: a locked customer, what has become known of
// them, and the events that the caller tells of it. Holds no behaviour.

import type { CustomerDetails, ExternalId } from '../customers/kinds.js';
import type { ManualMoveFact, OrderFact, ProfileChangeFact, TouchpointFact } from '../lifecycle/facts.js';
import type { CustomerState } from '../lifecycle/replay.js';
import type { Transition } from '../lifecycle/transition.js';

/** A customer as events show them: taken under the lock, so that a payload is a snapshot of its moment. */
export interface CustomerSnapshot extends CustomerDetails {
  externalIds: ExternalId[];
  /** The profile's own version; what the API shows is this plus the lifecycle's. */
  profileVersion: number;
  createdAt: Date;
  updatedAt: Date;
  /** Since when nothing here tells who they are; null for everybody else. */
  erasedAt: Date | null;
}

/** What is to come if no fact arrives, and the customer's own rhythm; kept with the state, served by reads. */
export interface Outlook {
  next: { at: string; stage: string; because: unknown } | null;
  cadence: Cadence | null;
}

/** Half, three quarters and nine tenths of the gaps that ended were shorter, for a history like this one. */
export interface Cadence {
  meanGapDays: number;
  gapDaysP50: number;
  gapDaysP75: number;
  gapDaysP90: number;
  calibrationVersion: number;
}

/** A customer as a list shows them. */
export interface ListedCustomer {
  snapshot: CustomerSnapshot;
  /** Null for one that the transaction has just created. */
  stage: string | null;
  stageSince: Date | null;
  lifecycleVersion: number;
}

/** A customer whose lifecycle row this transaction holds; `state` is null for one that it has just created. */
export interface LockedCustomer extends ListedCustomer {
  state: CustomerState | null;
  reviewAt: Date | null;
  nextFactAt: Date | null;
  outlook: Outlook | null;
  /** The tenant's newest calibration version, 0 before the first; only where a customer is read to be shown. */
  newestCalibration?: number | undefined;
  sequence: number;
  /** When the last change of this customer was recorded; null for one that has just been created. */
  recordedAt: Date | null;
}

/** An event that a module tells of; id, sequence and times of recording are given when it is written. */
export interface DraftEvent {
  type: string;
  occurredAt: Date;
  data: object;
  previous?: object;
}

/** A transition as partners know it. */
export type Heard = Pick<Transition, 'effectiveAt' | 'from' | 'to' | 'cause'>;

/** What has become known of one customer in this transaction. */
export interface Advancement {
  customer: LockedCustomer;
  /** Counting orders that are new, or that have begun to count. */
  orders?: OrderFact[];
  touchpoints?: TouchpointFact[];
  moves?: ManualMoveFact[];
  /** Dated values of the profile that are new, with the ids that they are kept under. */
  changes?: ProfileChangeFact[];
  /** True when a fact that was known has changed or gone: the history is replayed from the tables. */
  replay?: boolean;
  /** Told before the transitions, in this order. */
  events?: DraftEvent[];
  /** What was delivered of them before and never taken back: found again, it enters the feed and is not news. */
  heard?: readonly Heard[];
}

export interface AdvanceOptions {
  /** `write`: only the row in force afterwards is delivered; `tick`: every row found is. */
  mode: 'write' | 'tick';
  /** False for a backfill: everything enters the feed, nothing is delivered. */
  deliver: boolean;
  /** Decides up to this instant instead of now; what falls due after it is a tick's. */
  until?: Date;
}

/** A ledger row as it is written and as it is read back; instants in epoch milliseconds. */
export interface LedgerRow extends Transition {
  id: string;
  customer: string;
  correctionId: string | null;
  eventId: string | null;
  told: boolean;
  /** Of a row that is being written: when, in epoch milliseconds. */
  writtenAt?: number;
  /** Of a row that was read back: the id under which its event told of it. */
  announcedId?: string;
}

/** Where a customer stands after an advance. */
export interface Standing {
  customerId: string;
  stage: string;
  stageSince: Date;
  state: CustomerState;
  reviewAt: Date | null;
  outlook: Outlook;
  lifecycleVersion: number;
  recordedAt: Date;
  /** The rows that the advance has added, oldest first. */
  added: LedgerRow[];
}
