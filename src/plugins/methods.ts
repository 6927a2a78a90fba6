// Owns the answer to a method that a known path does not take: 405 with what it takes. The router alone
// would say 404. Does not own the routes.

import type { FastifySchema, RouteOptions } from 'fastify';
import type { App } from '../api/schema.js';
import { HttpProblem } from './http-problem.js';

const HIDDEN: FastifySchema = { hide: true };
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'];

/** Collects the routes from here on; the function that comes back is called once they are all there. */
export function collectMethods(app: App): () => void {
  const taken = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }: RouteOptions) => {
    if (url.includes('*')) return;
    const methods = taken.get(url) ?? new Set();
    for (const name of [method].flat()) methods.add(name);
    taken.set(url, methods);
  });
  return () => {
    for (const [url, methods] of [...taken]) refuseOthers(app, url, methods);
  };
}

function refuseOthers(app: App, url: string, methods: ReadonlySet<string>): void {
  const allow = [...methods].sort().join(', ');
  const method = METHODS.filter((name) => !methods.has(name));
  const problem = () => new HttpProblem(405, 'method_not_allowed', `This takes ${allow}.`, { allow });
  app.route({
    method,
    url,
    config: { scope: 'public' },
    schema: HIDDEN,
    exposeHeadRoute: false,
    // Before the body is read: its type and size do not matter here.
    onRequest: (_request, _reply, next) => next(problem()),
    handler: () => {
      throw problem();
    },
  });
}
