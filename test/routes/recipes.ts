// One valid request and more for every operation, by its id: the tests of all routes are made of them, and a
// route without one fails them. A recipe names things only by what it is handed.

import { AS_OF_RECIPES } from './as-of-recipes.js';
import { BACKTEST_RECIPES } from './backtest-recipes.js';
import { MERGE_RECIPES } from './merge-recipes.js';
import { MODEL_RECIPES, PREDICTED } from './model-recipes.js';
import { type Operation, parametersIn } from './operations.js';
import { POLICIES_RECIPES } from './policies-recipes.js';
import { PROFILE_RECIPES } from './profile-recipes.js';
import type { Call, Recipe } from './recipe.js';
import { SHADOW_RECIPES } from './shadow-recipes.js';
import type { Things } from './things.js';
import { WEBHOOK_RECIPES } from './webhook-recipes.js';

export type { Call } from './recipe.js';

const PLACED_AT = '2026-02-01T10:00:00Z';

const order = (customer: unknown, more: object = {}) => ({
  ...{ customer, placedAt: PLACED_AT, amountMinor: 900, currency: 'EUR' },
  lines: [{ product: 'p', category: 'games', quantity: 1, unitPriceMinor: 900 }],
  ...more,
});
const inline = ({ identityNamespace, identityId, email, phone }: Things) => ({
  ...{ email, phone, externalIds: [{ namespace: identityNamespace, id: identityId }] },
});
const refund = ({ refundId }: Things) => ({ refunds: [{ externalId: refundId, amountMinor: 100 }] });
const contact = (customer: string, more: object = {}) => ({
  ...{ customer, channel: 'phone', direction: 'outbound', kind: 'call', ...more },
});
const answer = { kind: 'survey_answer', satisfaction: { scale: 'nps', score: 9 } };
const shopOrder = ({ orderRef }: Things) => ({ namespace: 'shop', id: orderRef.replace('ext:shop:', '') });
const fresh = (things: Things) => ({ namespace: 'shop', id: things.fresh });
const identity = ({ identityNamespace: namespace, identityId: id }: Things) => ({ namespace, id });
const crm = ({ customerRef }: Things) => ({ namespace: 'crm', id: customerRef.replace('ext:crm:', '') });
const customerPaths = (things: Things, more: object = {}) =>
  [
    { params: { ref: things.customerId }, ...more },
    { params: { ref: things.customerRef }, ...more },
    { params: { ref: `ext:email:${things.email}` }, ...more },
    { params: { ref: `ext:phone:${things.phone}` }, ...more },
  ] as [Call, ...Call[]];
const orderPaths = (things: Things, more: object = {}) =>
  [
    { params: { ref: things.orderRef }, ...more },
    { params: { ref: things.orderId }, ...more },
  ] as [Call, ...Call[]];
const nothing: Recipe = () => [{}];

export const RECIPES: Record<string, Recipe> = {
  listApiKeys: nothing,
  createApiKey: ({ fresh: name }) => [{ body: { name, scopes: ['orders:read'] } }],
  getApiKey: ({ apiKeyId }) => [{ params: { id: apiKeyId } }],
  revokeApiKey: ({ apiKeyId }) => [{ params: { id: apiKeyId } }],

  listCalibrations: nothing,
  calibrate: nothing,

  listCustomers: ({ owner, tag, channel, email, phone }) => [
    {},
    { query: { owner } },
    { query: { tag } },
    { query: { channel } },
    { query: { email } },
    { query: { phone } },
    { query: { stage: 'churned', asOf: '2026-03-02T09:00:05Z' } },
    { query: { owner, email, knownAt: '2026-03-02T09:00:05Z' } },
    ...PREDICTED,
  ],
  createCustomer: (things) => [
    { body: { name: 'New', externalIds: [fresh(things)] } },
    { body: inline(things) },
    { body: { phone: things.phone } },
  ],
  upsertCustomers: (things) => [
    { body: { items: [{ externalIds: [fresh(things)] }, inline(things), { phone: things.phone }] } },
    { body: { items: [{ externalIds: [fresh(things)] }, inline(things)], backfill: true } },
  ],
  getCustomer: customerPaths,
  explainCustomer: customerPaths,
  upsertCustomer: (things) => [
    { params: { ref: `ext:shop:${things.fresh}` }, body: { name: 'New' } },
    { params: { ref: things.customerId }, body: { name: things.fresh } },
    { params: { ref: things.customerRef }, body: { name: things.fresh } },
    { params: { ref: `ext:shop:${things.fresh}` }, body: { phone: things.phone } },
    { params: { ref: `ext:shop:${things.fresh}-2` }, body: inline(things) },
  ],
  patchCustomer: (things) => [
    ...customerPaths(things, { body: { name: things.fresh } }),
    { params: { ref: things.customerId }, body: { email: things.email, phone: things.phone } },
    { params: { ref: things.customerId }, body: { externalIds: [identity(things), crm(things)] } },
  ],
  listCustomerIdentities: customerPaths,
  addCustomerIdentity: (things) => [
    ...customerPaths(things, { body: fresh(things) }),
    { params: { ref: things.customerId }, body: identity(things) },
  ],
  removeCustomerIdentity: (things) => [
    { params: { ref: things.customerId, namespace: things.identityNamespace, id: things.identityId } },
    { params: { ref: things.customerRef, namespace: things.identityNamespace, id: things.identityId } },
  ],
  listCustomerTransitions: customerPaths,
  moveCustomer: (things) => customerPaths(things, { body: { to: 'churned', reason: things.fresh } }),

  listDeliveries: ({ endpointId }) => [{}, { query: { endpointId } }, { query: { status: 'exhausted' } }],
  listEventTypes: nothing,
  listEvents: ({ customerId, customerRef }) => [
    {},
    { query: { customer: customerId } },
    { query: { customer: customerRef } },
  ],
  getEvent: ({ eventId }) => [{ params: { id: eventId } }],

  listOrders: ({ customerId, customerRef }) => [
    {},
    { query: { customer: customerId } },
    { query: { customer: customerRef } },
  ],
  recordOrder: (things) => [
    { body: order(things.customerRef, { externalId: fresh(things) }) },
    { body: order(things.customerId) },
    { body: order(inline(things), refund(things)) },
    { body: order(things.customerRef, { externalId: shopOrder(things) }) },
  ],
  recordOrders: (things) => [
    {
      body: {
        items: [
          order(things.customerRef, { externalId: fresh(things) }),
          order(things.customerId),
          order(inline(things), refund(things)),
          order(things.customerRef, { externalId: shopOrder(things) }),
        ],
      },
    },
    { body: { items: [order(things.customerRef)], backfill: true } },
  ],
  getOrder: orderPaths,
  replaceOrder: (things) => [
    { params: { ref: `ext:shop:${things.fresh}` }, body: order(things.customerRef) },
    { params: { ref: things.orderRef }, body: order(things.customerId) },
    { params: { ref: things.orderRef }, body: order(inline(things), refund(things)) },
    { params: { ref: things.orderId }, body: order(things.customerRef) },
  ],
  cancelOrder: orderPaths,
  refundOrder: (things) => [
    ...orderPaths(things, { body: { externalId: things.fresh, amountMinor: 1 } }),
    { params: { ref: things.orderRef }, body: { externalId: things.refundId, amountMinor: 100 } },
  ],

  listRecomputations: nothing,

  listTenants: nothing,
  createTenant: ({ fresh: slug }) => [{ body: { slug, name: 'New' } }],
  getTenant: ({ tenantId }) => [{ params: { id: tenantId } }],
  updateTenant: ({ tenantId, fresh: name }) => [{ params: { id: tenantId }, body: { name } }],

  listTouchpoints: ({ customerId, customerRef, channel }) => [
    {},
    { query: { customer: customerId } },
    { query: { customer: customerRef } },
    { query: { channel } },
  ],
  recordTouchpoint: (things) => [
    { body: contact(things.customerRef, { externalId: fresh(things) }) },
    { body: contact(things.customerId) },
    { body: contact(things.customerId, answer) },
    {
      body: contact(things.customerRef, {
        externalId: { namespace: 'phone-log', id: things.touchpointExternalId },
      }),
    },
  ],
  recordTouchpoints: (things) => [
    {
      body: {
        items: [contact(things.customerRef, { externalId: fresh(things) }), contact(things.customerId)],
      },
    },
  ],
  getTouchpoint: ({ touchpointId }) => [{ params: { id: touchpointId } }],
  listTransitions: nothing,

  ...POLICIES_RECIPES,
  ...PROFILE_RECIPES,
  ...AS_OF_RECIPES,
  ...MODEL_RECIPES,
  ...BACKTEST_RECIPES,
  ...SHADOW_RECIPES,
  ...MERGE_RECIPES,
  ...WEBHOOK_RECIPES,
};

export function recipeOf({ id }: Operation): Recipe {
  const recipe = RECIPES[id];
  if (recipe === undefined)
    throw new Error(`${id} has no recipe in test/routes/recipes.ts, so nothing tests it`);
  return recipe;
}

export function urlOf(operation: Operation, { params = {}, query = {} }: Call): string {
  const path = parametersIn(operation, 'path').reduce((url, { name }) => {
    return url.replace(`{${name}}`, encodeURIComponent(params[name] ?? ''));
  }, operation.path);
  const search = new URLSearchParams(query).toString();
  return search === '' ? path : `${path}?${search}`;
}

/** The names that a recipe uses, in the order in which it does. */
export function namesUsed(recipe: Recipe, things: Things): (keyof Things)[] {
  const used = new Set<keyof Things>();
  const watched = new Proxy(things, {
    get(target, name) {
      used.add(name as keyof Things);
      return target[name as keyof Things];
    },
  });
  recipe(watched);
  return [...used];
}
