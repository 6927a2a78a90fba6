// Owns the line that is logged for a request. Does not own failures that nobody expected (errors.ts) nor
// the figures (metrics.ts).

import fp from 'fastify-plugin';
import type { Logger } from 'pino';
import type { App } from '../api/schema.js';

export interface RequestLogOptions {
  logger: Logger;
}

/**
 * One line when a request ends: an answer of 500 and above is an error, a refusal is of interest, and what
 * went well is `debug`: at several thousand a second those lines would cost more than the queries, and the
 * metrics count them.
 */
export const requestLogPlugin = fp(
  (app: App, { logger }: RequestLogOptions, done: () => void) => {
    app.addHook('onResponse', (request, reply, next) => {
      const status = reply.statusCode;
      const level = status >= 500 ? 'error' : status >= 400 ? 'info' : 'debug';
      if (logger.isLevelEnabled(level)) {
        const line = {
          requestId: request.id,
          tenantId: request.credential?.tenantId,
          method: request.method,
          route: request.routeOptions.url ?? null,
          status,
          durationMs: Math.round(reply.elapsedTime * 100) / 100,
        };
        logger[level](line, 'request');
      }
      next();
    });
    done();
  },
  { name: 'request-log', dependencies: ['context'] },
);
