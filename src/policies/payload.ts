// Owns a policy version as events show it. Pure.

import type { PolicyRow } from './store.js';

export function policyPayload({ version, effectiveFrom, policy, backfill }: PolicyRow) {
  return { version, effectiveFrom: effectiveFrom?.toISOString() ?? null, backfill, ...policy };
}
