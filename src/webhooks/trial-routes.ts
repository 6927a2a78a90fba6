// Owns the HTTP face of what is done with an endpoint beside keeping it: its secret, a test, a preview.

import { responses } from '../api/responses.js';
import { closed, nullable, type RouteModule, ref } from '../api/schema.js';
import { Uuid } from '../api/shapes.js';
import { Delivery } from '../outbox/schemas.js';
import { contextOf } from '../plugins/context.js';
import type { WebhooksService } from './service.js';
import {
  RotatedSecret,
  SecretRotation,
  TRIAL_SCHEMAS,
  WebhookPreview,
  WebhookPreviewInput,
  WebhookSecret,
  WebhookTest,
} from './trial-schemas.js';

const tags = ['Webhooks'];
const params = closed({ id: ref(Uuid) });

type Register = (app: Parameters<RouteModule>[0], service: WebhooksService) => void;

export const registerTrials: Register = (app, service) => {
  for (const schema of TRIAL_SCHEMAS) app.addSchema(schema);
  for (const register of [secret, rotation, test, preview]) register(app, service);
};

const secret: Register = (app, service) =>
  app.get(
    '/v1/webhook-endpoints/:id/secret',
    {
      config: { scope: 'webhooks:secrets' },
      schema: {
        operationId: 'getWebhookEndpointSecret',
        tags,
        summary: "Show a webhook endpoint's secret",
        params,
        response: responses({ 200: ref(WebhookSecret) }, 404, 409),
      },
    },
    (request) => service.secret(contextOf(request), request.params.id),
  );

const rotation: Register = (app, service) =>
  app.post(
    '/v1/webhook-endpoints/:id/secret/rotate',
    {
      config: { scope: 'webhooks:secrets', secretResponse: true },
      schema: {
        operationId: 'rotateWebhookEndpointSecret',
        tags,
        summary: 'Give a webhook endpoint a new secret',
        description:
          'The earlier secrets go on signing beside it for a time, so that a receiver can change over without ' +
          'refusing anything: five of them at most.',
        params,
        body: nullable(ref(SecretRotation)),
        response: responses({ 200: ref(RotatedSecret) }, 404, 409),
      },
    },
    (request) => service.rotate(contextOf(request, 200), request.params.id, request.body ?? {}),
  );

const test: Register = (app, service) =>
  app.post(
    '/v1/webhook-endpoints/:id/test',
    {
      config: { scope: 'webhooks:write' },
      schema: {
        operationId: 'testWebhookEndpoint',
        tags,
        summary: 'Send a ping or a sample to a webhook endpoint',
        description:
          'Queues a `ping`, or the example of any type, for this endpoint alone, whatever it listens to. A ' +
          'sample says `"test": true` in its signed body and is not in the feed. Its delivery shows what came ' +
          'back: follow it by its id.',
        params,
        body: nullable(ref(WebhookTest)),
        response: responses({ 202: ref(Delivery) }, 404, 409),
      },
    },
    async (request, reply) =>
      reply
        .code(202)
        .send(await service.test(contextOf(request, 202), request.params.id, request.body ?? {})),
  );

const preview: Register = (app, service) =>
  app.post(
    '/v1/webhook-endpoints/:id/preview',
    {
      config: { scope: 'webhooks:write' },
      schema: {
        operationId: 'previewWebhookEndpoint',
        tags,
        summary: 'Show the signed request that a webhook endpoint would be sent',
        description:
          'Of a `ping`, of the example of any type, or of an event that has happened; nothing is sent. ' +
          '`matches` says whether the endpoint hears of such an event at all.',
        params,
        body: nullable(ref(WebhookPreviewInput)),
        response: responses({ 200: ref(WebhookPreview) }, 404, 409),
      },
    },
    (request) => service.preview(contextOf(request, 200), request.params.id, request.body ?? {}),
  );
