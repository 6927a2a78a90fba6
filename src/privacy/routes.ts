// Owns the routes of privacy law: a schema and a call of the service each.

import { Readable } from 'node:stream';
import Type from 'typebox';
import { expectedVersion, sendVersioned } from '../api/etag.js';
import { PATTERNS } from '../api/patterns.js';
import { responses } from '../api/responses.js';
import { type App, type RouteModule, ref } from '../api/schema.js';
import { Customer, customerPath } from '../customers/schemas.js';
import { contextOf } from '../plugins/context.js';
import type { PrivacyService } from './service.js';

const tags = ['Customers'];

export function privacyRoutes(privacy: PrivacyService): RouteModule {
  return (app) => {
    erasing(app, privacy);
    exporting(app, privacy);
  };
}

function erasing(app: App, privacy: PrivacyService): void {
  app.delete(
    '/v1/customers/:ref',
    {
      config: { scope: 'customers:erase' },
      schema: {
        operationId: 'eraseCustomer',
        tags,
        summary: 'Erase a customer’s personal data',
        description:
          'For good: names, contacts, external ids, attributes, tags, notes and reasons are gone, from the feed of ' +
          'events too. Orders, amounts, times and stages stay, of nobody in particular. Also those who were merged ' +
          'into the customer are erased, and backtests whose segments name a value of theirs. Nothing is written of the customer afterwards, and no webhook tells of them.',
        params: customerPath,
        response: responses({ 200: ref(Customer) }, 404, 412),
      },
    },
    async (request, reply) => {
      const target = { ref: request.params.ref, expected: expectedVersion(request) };
      return sendVersioned(request, reply, 200, await privacy.erase(contextOf(request), target));
    },
  );
}

/** Described in words: the lines are of many kinds, each the shape that its own route answers with. */
const ExportLines = Type.Unsafe<Readable>(
  Type.String({
    pattern: PATTERNS.anyText,
    maxLength: 1_000_000_000,
    description: 'A JSON object a line, with `type` and `data`.',
  }),
);

function exporting(app: App, privacy: PrivacyService): void {
  app.get(
    '/v1/customers/:ref/export',
    {
      config: { scope: 'customers:export' },
      schema: {
        operationId: 'exportCustomer',
        tags,
        summary: 'Hand over all that is held of a customer',
        description:
          'NDJSON: a `manifest` with the number of lines of each type; then `profile`, `identity`, `datedValue`, ' +
          '`order`, `touchpoint`, `move`, `transition` and `shadowTransition` (those that were taken back too), ' +
          '`event` with each `delivery`, `merge` (without what it holds of somebody else), `duplicatePair`; and an ' +
          '`end`. Where there is no `end` the rest was lost on the way; where it says ' +
          '`changed`, the customer has changed while it was read. Answers kept for idempotency keys, for 24 hours, ' +
          'are not among it, nor is what receivers of webhooks answered: the ones repeat the rest, and the others ' +
          'are the receivers’ own words.',
        params: customerPath,
        produces: ['application/x-ndjson'],
        response: responses({ 200: ExportLines }, 404),
      },
    },
    async (request, reply) => {
      const lines = await privacy.export(contextOf(request), request.params.ref);
      const name = 'attachment; filename="customer.ndjson"';
      return reply
        .type('application/x-ndjson; charset=utf-8')
        .header('content-disposition', name)
        .header('cache-control', 'no-store')
        .send(Readable.from(lines, { objectMode: false, highWaterMark: HIGH_WATER_BYTES }));
    },
  );
}

/** Pages are asked for as long as less than this waits to be sent. */
const HIGH_WATER_BYTES = 65_536;
