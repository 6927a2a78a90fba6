// The recipes of webhook endpoints, and of what is sent to them.

import { EVENT_NAMES } from '../../src/outbox/topics.js';
import type { Recipe } from './recipe.js';

const PLACED_AT = '2026-02-01T10:00:00Z';

/** So that two requests that should differ do. */
const numberIn = (name: string) => Number(/\d+$/.exec(name)?.[0] ?? 0) % 1_000;
const secondsBefore = (name: string, time: string) =>
  new Date(Date.parse(time) - numberIn(name) * 1_000).toISOString();
const someType = (name: string) => EVENT_NAMES[numberIn(name) % EVENT_NAMES.length];
const filterOf = (name: string) => ({
  all: [
    { field: 'country', op: 'in', values: ['DE', 'AT'] },
    { not: { field: 'attributes.tier', op: 'eq', value: name } },
  ],
});

export const WEBHOOK_RECIPES: Record<string, Recipe> = {
  getDelivery: ({ deliveryId }) => [{ params: { id: deliveryId } }],
  resendDelivery: ({ deliveryId }) => [{ params: { id: deliveryId } }],
  discardDelivery: ({ pendingDeliveryId }) => [{ params: { id: pendingDeliveryId } }],

  listWebhookEndpoints: () => [{}],
  createWebhookEndpoint: ({ fresh: name }) => [
    { body: { url: `https://127.0.0.1/${name}` } },
    { body: { url: `https://127.0.0.1/${name}`, filter: filterOf(name), ordering: 'per_customer' } },
    {
      body: {
        url: `https://127.0.0.1/${name}`,
        signing: 'v1a',
        headers: { 'X-Name': name },
        rateLimitPerS: 5,
      },
    },
  ],
  getWebhookEndpoint: ({ endpointId }) => [{ params: { id: endpointId } }],
  changeWebhookEndpoint: ({ endpointId, fresh: description }) => [
    { params: { id: endpointId }, body: { description } },
    { params: { id: endpointId }, body: { filter: filterOf(description), metadata: { name: description } } },
    {
      params: { id: endpointId },
      body: { filter: null, headers: { 'x-name': description }, status: 'active' },
    },
  ],
  deleteWebhookEndpoint: ({ endpointId }) => [{ params: { id: endpointId } }],
  listWebhookDeliveries: ({ endpointId }) => [{ params: { id: endpointId } }],
  listWebhookAttempts: ({ endpointId }) => [{ params: { id: endpointId } }],
  getWebhookStats: ({ endpointId }) => [{ params: { id: endpointId } }],
  replayWebhookEndpoint: ({ endpointId, fresh: name }) => [
    { params: { id: endpointId }, body: { from: secondsBefore(name, PLACED_AT) } },
    { params: { id: endpointId }, body: { from: secondsBefore(name, PLACED_AT), scope: 'missed' } },
  ],
  recoverWebhookEndpoint: ({ quietEndpointId, fresh: name }) => [
    { params: { id: quietEndpointId }, body: { since: secondsBefore(name, PLACED_AT) } },
  ],
  listWebhookReplays: ({ endpointId }) => [{ params: { id: endpointId } }],
  getWebhookReplay: ({ endpointId, replayId }) => [{ params: { id: endpointId, replayId } }],
  cancelWebhookReplay: ({ endpointId, replayId }) => [{ params: { id: endpointId, replayId } }],
  getWebhookEndpointSecret: ({ endpointId }) => [{ params: { id: endpointId } }],
  rotateWebhookEndpointSecret: ({ endpointId, fresh: name }) => [
    { params: { id: endpointId }, body: { overlapS: numberIn(name) } },
    { params: { id: endpointId }, body: { signing: 'v1a', overlapS: 0 } },
    { params: { id: endpointId } },
  ],
  testWebhookEndpoint: ({ endpointId, fresh: name }) => [
    { params: { id: endpointId }, body: { eventType: someType(name) } },
    { params: { id: endpointId } },
  ],
  previewWebhookEndpoint: ({ endpointId, eventId, fresh: name }) => [
    { params: { id: endpointId }, body: { eventType: someType(name) } },
    { params: { id: endpointId }, body: { eventId } },
    { params: { id: endpointId } },
  ],
};
