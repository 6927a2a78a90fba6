// The recipes of what was: stages at an instant, and how many were in each.

import type { Call, Recipe } from './recipe.js';
import type { Things } from './things.js';

const asOf = '2026-03-02T10:00:00+01:00';
const knownAt = '2026-03-02T09:00:00.500Z';

const stageOf = ({ customerId, customerRef, email }: Things, query?: Call['query']): Call[] =>
  [customerId, customerRef, `ext:email:${email}`].map((ref) => ({
    params: { ref },
    ...(query === undefined ? {} : { query }),
  }));

export const AS_OF_RECIPES: Record<string, Recipe> = {
  getCustomerStage: (things) =>
    [...stageOf(things), ...stageOf(things, { asOf }), ...stageOf(things, { asOf, knownAt })] as [
      Call,
      ...Call[],
    ],
  getStageCounts: () => [
    {},
    { query: { asOf } },
    { query: { asOf, knownAt } },
    { query: { from: '2026-02-01T00:00:00Z', to: asOf, step: 'day' } },
    { query: { from: '2025-01-31T00:00:00Z', step: 'month', knownAt } },
  ],
};
