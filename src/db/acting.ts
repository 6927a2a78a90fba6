// Owns the change of tenant within one transaction. Only the administrator's work needs it: what it does in
// a new tenant's name is committed together with the idempotency key, which is the administrator's own.

import type { Transaction } from './executor.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface Acting {
  /** Whose rows the transaction sees before `work` and again after it. */
  from: string;
  as: string;
}

/** Runs `work` as another tenant. When it fails there is nothing to switch back: the transaction is lost. */
export async function actingAs<T>(tx: Transaction, { from, as }: Acting, work: () => Promise<T>): Promise<T> {
  await setTenant(tx, as);
  const result = await work();
  await setTenant(tx, from);
  return result;
}

async function setTenant(tx: Transaction, tenantId: string): Promise<void> {
  // SET takes no parameters. The id is checked against the alphabet of a UUID before it is spliced in.
  if (!UUID.test(tenantId)) throw new Error('a tenant id must be a lower-case UUID');
  await tx.rows({ text: `SET LOCAL app.tenant_id = '${tenantId}'` });
}
