// What a recipe is: one valid request and more for an operation.

import type { Things } from './things.js';

export interface Call {
  params?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
}

/** Calls by names of one tenant. The first one succeeds where these are the caller's own. */
export type Recipe = (things: Things) => [Call, ...Call[]];
