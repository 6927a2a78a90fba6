// The recipes of what is put on a customer and taken off again.

import type { Call, Recipe } from './recipe.js';
import type { Things } from './things.js';

const tagged = (things: Things, tag: string) =>
  [
    { params: { ref: things.customerId, tag } },
    { params: { ref: things.customerRef, tag } },
    { params: { ref: `ext:email:${things.email}`, tag } },
  ] as [Call, ...Call[]];

export const PROFILE_RECIPES: Record<string, Recipe> = {
  addCustomerTag: (things) => tagged(things, things.fresh),
  removeCustomerTag: (things) => tagged(things, things.tag),
};
