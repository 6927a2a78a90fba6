// Owns a policy version as events show it. Pure.

import type { PolicyVersionRow } from './policies-store.js';

export function policyPayload({ version, effectiveFrom, policy, backfill }: PolicyVersionRow) {
  return { version, effectiveFrom: effectiveFrom?.toISOString() ?? null, backfill, ...policy };
}
