// Owns the memory of answered requests: key, fingerprint and response, written in the transaction that did
// the work, so that neither can exist without the other. Does not own the HTTP header (plugins/idempotency).

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Context, IdempotencyClaim } from '../context.js';
import { ConflictError, PerennialError } from '../errors.js';
import type { Executor, Transaction } from './executor.js';

/** How long an answer is kept. */
export const IDEMPOTENCY_TTL_MS = 24 * 3_600_000;

/** The request has been answered before; whoever serves the request sends this answer again. */
export class IdempotentReplay extends Error {
  constructor(
    readonly status: number,
    /** The JSON text of the response, as it was sent the first time. */
    readonly body: string,
  ) {
    super('the request has been answered before');
  }
}

interface StoredAnswer {
  free: boolean;
  fingerprint: Buffer | null;
  status: number | null;
  body: Buffer | null;
}

/**
 * Takes the key for this transaction. An advisory lock tells a request in flight from one that is done
 * without waiting for it; where both slip past, the unique key stops the second at its end and the rerun
 * finds the answer.
 */
export async function openClaim(tx: Transaction, tenantId: string, claim: IdempotencyClaim): Promise<void> {
  const [answer] = await tx.rows<StoredAnswer>({
    name: 'idempotency_open',
    text: `SELECT pg_try_advisory_xact_lock(hashtextextended($1::text || ':' || $2, 1)) AS free,
                  k.fingerprint, k.status, k.body
             FROM (SELECT 1) AS one
             LEFT JOIN idempotency_keys k ON k.tenant_id = $1::uuid AND k.key = $2`,
    values: [tenantId, claim.key],
  });
  if (answer?.fingerprint != null) {
    if (!answer.fingerprint.equals(claim.fingerprint)) {
      throw reused('This Idempotency-Key was used before with a different request.');
    }
    throw new IdempotentReplay(
      answer.status ?? 200,
      open(answer.body ?? Buffer.alloc(0), claim.encryptionKey),
    );
  }
  if (answer?.free !== true) {
    throw new ConflictError(
      'idempotency_key_in_flight',
      'A request with this Idempotency-Key is under way.',
      {
        retryAfterS: 1,
      },
    );
  }
}

export async function settleClaim(
  tx: Transaction,
  context: Context,
  claim: IdempotencyClaim,
  result: unknown,
): Promise<void> {
  const answer = claim.answer?.(result as never) ?? { status: claim.status, body: result };
  const body = seal(Buffer.from(JSON.stringify(answer.body ?? null)), claim.encryptionKey);
  await tx.rows({
    name: 'idempotency_settle',
    text: `INSERT INTO idempotency_keys (tenant_id, key, fingerprint, status, body, created_at)
           VALUES ($1, $2, $3, $4, $5, $6)`,
    values: [context.tenantId, claim.key, claim.fingerprint, answer.status, body, context.now],
  });
}

/** Drops a batch of answers that are past their time and says how many went. */
export async function pruneAnswers(
  tx: Executor,
  tenantId: string,
  before: Date,
  limit: number,
): Promise<number> {
  const rows = await tx.rows({
    name: 'idempotency_prune',
    text: `DELETE FROM idempotency_keys
            WHERE tenant_id = $1 AND ctid = ANY (ARRAY(
              SELECT ctid FROM idempotency_keys WHERE tenant_id = $1 AND created_at < $2
               ORDER BY created_at LIMIT $3)) RETURNING 1`,
    values: [tenantId, before, limit],
  });
  return rows.length;
}

const ERASE_PAGE = 1_000;

/** What a repeat is answered with. */
export interface ErasedAnswer {
  status: number;
  body: unknown;
}

/** Somebody who had the data for a time. */
export interface HostNeedle {
  needle: string;
  from: Date;
  to: Date;
}

export interface ErasedAnswers {
  needles: readonly string[];
  hosts: readonly HostNeedle[];
  /** An answer of a host's time that shows one of these as well is the person's too. */
  texts: readonly string[];
  answer: ErasedAnswer;
}

/** A request is dated by when it came, and may have waited so long for the merge that its answer shows. */
const WAITED = "interval '1 minute'";

const inBody = (needle: string) => `position(convert_to(${needle}, 'UTF8') IN page.body) > 0`;

/**
 * Takes the place of every kept answer that holds one of `needles`. A repeat is answered so and not done again: it
 * would bring back what was erased. Where the key itself holds one, it goes. Sealed answers show secrets, not people.
 */
export async function eraseAnswers(
  tx: Transaction,
  tenantId: string,
  { needles, hosts, texts, answer }: ErasedAnswers,
): Promise<void> {
  const body = Buffer.from(JSON.stringify(answer.body));
  let after: string | null = '';
  while (after !== null) {
    const [page]: { last: string | null; count: number }[] = await tx.rows({
      name: 'idempotency_erase',
      text: `WITH page AS MATERIALIZED (
               SELECT key, body, created_at FROM idempotency_keys WHERE tenant_id = $1 AND key > $2
                ORDER BY key LIMIT ${ERASE_PAGE}
             ), named AS (
               DELETE FROM idempotency_keys WHERE tenant_id = $1 AND key = ANY (ARRAY(
                 SELECT key FROM page
                  WHERE EXISTS (SELECT FROM unnest($3::text[]) n(needle) WHERE position(n.needle IN key) > 0)))
             ), holding AS (
               UPDATE idempotency_keys SET status = $4, body = $5 WHERE tenant_id = $1 AND key = ANY (ARRAY(
                 SELECT key FROM page
                  WHERE NOT EXISTS (SELECT FROM unnest($3::text[]) n(needle) WHERE position(n.needle IN key) > 0)
                    AND (EXISTS (SELECT FROM unnest($3::text[]) n(needle) WHERE ${inBody('n.needle')})
                         OR EXISTS (SELECT FROM unnest($6::text[], $7::timestamptz[], $8::timestamptz[])
                                           AS h(needle, since, until)
                                     WHERE page.created_at BETWEEN h.since - ${WAITED} AND h.until
                                       AND ${inBody('h.needle')})
                            AND EXISTS (SELECT FROM unnest($9::text[]) x(text) WHERE ${inBody('x.text')}))))
             )
             SELECT max(key) AS last, count(*)::int AS count FROM page`,
      values: [
        ...[tenantId, after, needles, answer.status, body],
        hosts.map(({ needle }) => needle),
        hosts.map(({ from }) => from.toISOString()),
        hosts.map(({ to }) => to.toISOString()),
        texts,
      ],
    });
    after = page !== undefined && page.count === ERASE_PAGE ? page.last : null;
  }
}

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** A response that shows a secret is kept encrypted by a key that only the same caller can derive again. */
function seal(plain: Buffer, key: Buffer | undefined): Buffer {
  if (key === undefined) return plain;
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]);
}

function open(stored: Buffer, key: Buffer | undefined): string {
  if (key === undefined) return stored.toString();
  const decipher = createDecipheriv('aes-256-gcm', key, stored.subarray(0, IV_BYTES));
  decipher.setAuthTag(stored.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  const sealed = stored.subarray(IV_BYTES + TAG_BYTES);
  try {
    return Buffer.concat([decipher.update(sealed), decipher.final()]).toString();
  } catch {
    // The same request with the same key, but not by the same credential.
    throw reused('This Idempotency-Key was used before with another credential.');
  }
}

function reused(detail: string): PerennialError {
  return new PerennialError('unprocessable', 'idempotency_key_reused', detail);
}
