// The recipes of customers who are merged, erased, and handed over.

import type { Recipe } from './recipe.js';

export const MERGE_RECIPES: Record<string, Recipe> = {
  mergeCustomer: ({ customerId, customerRef, twinId, fresh: reason }) => [
    { params: { ref: customerId }, body: { from: twinId, dryRun: true, reason } },
    { params: { ref: customerRef }, body: { from: twinId } },
  ],
  undoCustomerMerge: ({ customerId, customerRef, mergeId, fresh: reason }) => [
    { params: { ref: customerId, mergeId }, body: { dryRun: true, reason } },
    { params: { ref: customerRef, mergeId } },
  ],
  listCustomerMerges: ({ customerId, customerRef }) => [
    { params: { ref: customerId } },
    { params: { ref: customerRef } },
  ],
  exportCustomer: ({ customerId, customerRef }) => [
    { params: { ref: customerId } },
    { params: { ref: customerRef } },
  ],
  listDuplicates: () => [{}],
  dismissDuplicate: ({ duplicateId }) => [{ params: { id: duplicateId } }],
  eraseCustomer: ({ leaverId }) => [{ params: { ref: leaverId } }],
};
