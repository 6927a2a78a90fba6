// Owns the look at a stored due time: the stage holds until the millisecond before it, and changes at it.

import { notStrictEqual, ok, strictEqual } from 'node:assert/strict';
import type { Playground } from './playground.js';

type Tenant = Awaited<ReturnType<Playground['openTenant']>>;

export async function assertDueIsExact(tenant: Tenant, now: number): Promise<void> {
  for (const { customer, stage, reviewAt } of await tenant.standings()) {
    if (reviewAt === null) continue;
    ok(reviewAt > now, 'what is due has been done');
    await tenant.tick(reviewAt - 1);
    strictEqual((await tenant.standingOf(customer)).stage, stage, 'the stage holds until then');
    await tenant.tick(reviewAt);
    const after = await tenant.standingOf(customer);
    notStrictEqual(after.stage, stage, 'and changes at it');
    strictEqual(after.since, reviewAt);
    return;
  }
}
