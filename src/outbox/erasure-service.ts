// Owns taking the personal data of a customer out of what was told of them: out of the feed, and so out of every
// delivery that is still to go, which reads the same text. Does not own who is erased (privacy/).

import type { Transaction } from '../db/executor.js';
import { anonymousEvidence, ERASED_TEXT } from '../transitions/erasure.js';
import { eventsOfCustomer, forgetAnswers, saveBodies } from './erasure-store.js';
import { lockFeed } from './feed-store.js';

export interface TellingErasure {
  /** Whose events; for one who was merged only for a time, those of that time. */
  told: readonly { customerId: string; recorded: { from: Date; to: Date } | null }[];
}

export interface OutboxErasure {
  /**
   * Holds the feed, for one that will erase: whoever gives places goes by where the events' rows lie, and must not
   * meet one that is being rewritten. Right after the customer's lock and before any other, since whoever has the
   * feed may yet wait for a customer's rows.
   */
  hold(tx: Transaction, tenantId: string): Promise<void>;
  erase(tx: Transaction, tenantId: string, erasure: TellingErasure): Promise<void>;
}

const PAGE = 500;

export function createOutboxErasure(): OutboxErasure {
  return {
    async hold(tx, tenantId) {
      await lockFeed(tx, tenantId, true);
    },
    async erase(tx, tenantId, { told }) {
      for (const stretch of told) await eraseStretch(tx, tenantId, stretch);
    },
  };
}

async function eraseStretch(
  tx: Transaction,
  tenantId: string,
  stretch: TellingErasure['told'][number],
): Promise<void> {
  let after = 0;
  for (;;) {
    const events = await eventsOfCustomer(tx, tenantId, { ...stretch, after, limit: PAGE });
    const meant = events.filter(({ isIn }) => isIn);
    if (meant.length > 0) {
      await Promise.all([
        saveBodies(
          tx,
          tenantId,
          meant.map((event) => ({ ...event, body: anonymousBody(event.body) })),
        ),
        forgetAnswers(
          tx,
          tenantId,
          meant.map(({ id }) => id),
        ),
      ]);
    }
    const last = events.at(-1);
    if (last === undefined || events.length < PAGE) return;
    after = last.sequence;
  }
}

type Json = Record<string, unknown>;

const WHO = { name: null, email: null, phone: null, externalIds: [] };
const CUSTOMER = { ...WHO, owner: null, tags: [], attributes: {} };
const TOUCHPOINT = { outcome: null, actor: null, note: null, externalId: null };

/** The same event of nobody in particular: what happened, when, and for how much. */
export function anonymousBody(body: string): string {
  const event = JSON.parse(body) as Json & { data?: Json };
  const { previous, data = {}, ...envelope } = event;
  const anonymous: Json = { ...envelope, data: anonymousData(data) };
  const before = previousOf(String(event.type), previous as Json | undefined);
  if (before !== undefined) anonymous.previous = before;
  return JSON.stringify(anonymous);
}

function anonymousData(data: Json): Json {
  const result = { ...data };
  const blank = (name: string, fields: Json) => {
    const part = result[name];
    if (typeof part !== 'object' || part === null) return;
    const given = Object.entries(fields).filter(([field]) => Object.hasOwn(part, field));
    result[name] = { ...part, ...Object.fromEntries(given) };
  };
  blank('customer', CUSTOMER);
  blank('merged', WHO);
  blank('restored', WHO);
  blank('touchpoint', TOUCHPOINT);
  if (data.order !== undefined) result.order = withoutReasons(data.order as Json);
  const transition = data.transition as Json | undefined;
  if (transition !== undefined) {
    result.transition = {
      ...transition,
      evidence: anonymousEvidence(transition.evidence),
      reason: transition.reason === null ? null : ERASED_TEXT,
    };
  }
  return result;
}

/** What a profile was before is personal as a whole; of an order the refunds' reasons are. */
function previousOf(type: string, previous: Json | undefined): Json | undefined {
  if (previous === undefined || type.startsWith('customer.')) return undefined;
  return withoutReasons(previous);
}

function withoutReasons(order: Json): Json {
  if (!Array.isArray(order.refunds)) return order;
  return { ...order, refunds: order.refunds.map(({ reason: _, ...refund }: Json) => refund) };
}
