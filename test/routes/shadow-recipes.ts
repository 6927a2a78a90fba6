// The recipes of policies in shadow.

import type { Recipe } from './recipe.js';

export const SHADOW_RECIPES: Record<string, Recipe> = {
  getShadowReport: ({ shadowPolicyId: id }) => [{ params: { id } }],
  listShadowDisagreements: ({ shadowPolicyId: id }) => [
    { params: { id } },
    { params: { id }, query: { liveStage: 'churned', shadowStage: 'prospect' } },
  ],
  listCustomerShadowTransitions: ({ customerId, customerRef, shadowPolicyId: policyId }) => [
    { params: { ref: customerRef } },
    { params: { ref: customerId }, query: { policyId } },
  ],
};
