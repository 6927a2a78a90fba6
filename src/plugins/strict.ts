// Owns the refusal of what a route has no place for: a body or query parameters where its schema has none.
// Does not own the check of what it has a place for (validation/). Nothing that is sent is dropped in silence.

import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { type App, closed } from '../api/schema.js';
import { InvalidError } from '../errors.js';

const NO_QUERY = closed({});

export const strictPlugin = fp(
  (app: App, _options: object, done: () => void) => {
    app.addHook('onRoute', (route) => {
      if (!route.url.startsWith('/v1') || route.schema?.hide === true) return;
      if (route.schema?.querystring === undefined) route.schema = { ...route.schema, querystring: NO_QUERY };
      if (route.schema.body !== undefined) return;
      route.preValidation = [refuseBody, ...[route.preValidation ?? []].flat()];
    });
    done();
  },
  { name: 'strict' },
);

/** `{}` says nothing, and clients that always send a body send that. */
function refuseBody({ body }: FastifyRequest, _reply: unknown, next: (error?: Error) => void): void {
  if (body === undefined || (typeof body === 'object' && body !== null && Object.keys(body).length === 0))
    next();
  else
    next(
      new InvalidError('unexpected_body', 'This takes no body.', {
        faults: [{ pointer: '', detail: 'is not expected' }],
      }),
    );
}
