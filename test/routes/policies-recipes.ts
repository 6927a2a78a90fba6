// Valid requests for the operations of policies: drafts, their statuses, previews and templates.

import type { Recipe } from './recipe.js';
import { policyOf } from './things.js';

/** One instant in another spelling for each name: what is done twice is one thing, and two requests. */
function firstOfMarch(name: string): string {
  const minutes = Number(/\d*$/.exec(name)?.[0] ?? 0) % 800;
  const clock = new Date(minutes * 60_000).toISOString().slice(11, 16);
  return `2026-03-01T${clock}:00+${clock}`;
}

export const POLICIES_RECIPES: Record<string, Recipe> = {
  listPolicies: () => [{}, { query: { status: 'draft' } }],
  createPolicy: ({ fresh: name }) => [
    { body: { name, policy: policyOf(30) } },
    { body: { fromTemplate: 'ecommerce' } },
  ],
  getLivePolicy: () => [{}],
  putLivePolicy: ({ fresh: name }) => [{ body: { policy: policyOf(20 + name.length) } }],
  getPolicy: ({ policyVersion, draftId }) => [{ params: { id: policyVersion } }, { params: { id: draftId } }],
  updatePolicy: ({ draftId, fresh: name }) => [
    { params: { id: draftId }, body: { name } },
    { params: { id: draftId }, body: { policy: { timeZone: 'Asia/Shanghai', rules: policyOf(40).rules } } },
  ],
  deletePolicy: ({ draftId }) => [{ params: { id: draftId } }],
  validatePolicy: ({ draftId, policyVersion }) => [
    { params: { id: draftId } },
    { params: { id: policyVersion } },
  ],
  activatePolicy: ({ candidateId, fresh: name }) => [
    { params: { id: candidateId }, body: { effectiveFrom: firstOfMarch(name) } },
    { params: { id: candidateId }, body: { effectiveFrom: 'beginning', backfill: true } },
  ],
  simulatePolicy: ({ draftId, policyVersion, fresh }) => [
    {
      params: { id: draftId },
      body: { orders: [{ placedAt: '2026-01-05T10:00:00Z', categories: [fresh] }] },
    },
    { params: { id: policyVersion }, body: { until: '2027-01-05T10:00:00Z' } },
  ],
  shadowPolicy: ({ understudyId }) => [{ params: { id: understudyId } }],
  unshadowPolicy: ({ shadowId }) => [{ params: { id: shadowId } }],
  retirePolicy: ({ obsoleteId }) => [{ params: { id: obsoleteId } }],
  previewPolicy: ({ draftId, shadowId, fresh: name }) => [
    { params: { id: draftId }, body: { effectiveFrom: firstOfMarch(name) } },
    { params: { id: shadowId }, body: { effectiveFrom: 'beginning', backfill: true } },
  ],
  listPolicyPreviews: ({ draftId, shadowId, policyVersion }) => [
    {},
    { query: { policyId: policyVersion } },
    // The shadow has the most (crowd.ts), all of them done: what few have is asked for on either side.
    { query: { policyId: draftId } },
    { query: { policyId: draftId, status: 'done' } },
    { query: { policyId: shadowId, status: 'failed' } },
  ],
  getPolicyPreview: ({ previewId }) => [{ params: { id: previewId } }],
  listLifecycleTemplates: () => [{}],
  getLifecycleTemplate: () => [{ params: { key: 'ecommerce' } }],
};
