// The recipes of models: their fits, and lists by what is predicted.

import type { Call, Recipe } from './recipe.js';

export const MODEL_RECIPES: Record<string, Recipe> = {
  fitModels: () => [{}],
  listModelFits: () => [{}],
  getModelFit: ({ fitId }) => [{ params: { id: fitId } }],
  getCurrentModels: () => [{}],
};

/** Queries of the list of customers. */
export const PREDICTED: Call[] = [
  { query: { pAliveBelow: '0.5' } },
  { query: { pAliveAtLeast: '0.1', pAliveBelow: '0.9' } },
  { query: { expectedOrders90AtLeast: '0.5' } },
  { query: { futureValueAtLeast: '100', currency: 'EUR' } },
  { query: { pAliveAtLeast: '0' } },
];
