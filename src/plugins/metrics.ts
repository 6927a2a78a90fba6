// Owns the figures for Prometheus that concern HTTP, the pool and the process. Jobs and queues add their own
// through `app.metrics.registry`. One registry for each app: there may be several in one process.

import fp from 'fastify-plugin';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { App } from '../api/schema.js';
import type { Database } from '../db/database.js';
import { RequestDurations } from './durations.js';

export interface Metrics {
  registry: Registry;
}

declare module 'fastify' {
  interface FastifyInstance {
    metrics: Metrics;
  }
}

export interface MetricsOptions {
  database: Pick<Database, 'usage'>;
}

export const metricsPlugin = fp(
  (app: App, { database }: MetricsOptions, done: () => void) => {
    const registry = new Registry();
    processRegistry();
    app.decorate('metrics', { registry });
    measurePool(registry, database);
    measureRequests(app, registry);
    app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
      const texts = await Promise.all([registry.metrics(), processRegistry().metrics()]);
      reply.header('content-type', registry.contentType);
      return reply.send(texts.join('\n'));
    });
    done();
  },
  { name: 'metrics' },
);

let ofProcess: Registry | undefined;

/** Memory, event loop and garbage collection belong to the process: observed once, however many apps it has. */
function processRegistry(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}

function measureRequests(app: App, registry: Registry): void {
  const durations = new RequestDurations();
  registry.registerMetric(durations.asMetric());
  app.addHook('onResponse', (request, reply, next) => {
    const { config, url } = request.routeOptions;
    // The pattern and never the path: paths name people, and are without number.
    const labels = { method: request.method, route: url ?? 'none', status: reply.statusCode };
    durations.observe(config, labels, reply.elapsedTime / 1000);
    next();
  });
}

function measurePool(registry: Registry, database: Pick<Database, 'usage'>): void {
  const connections = new Gauge({
    name: 'perennial_database_connections',
    help: 'Connections of the pool, and callers that wait for one.',
    labelNames: ['state'] as const,
    registers: [registry],
    collect() {
      const { total, idle, waiting } = database.usage();
      connections.set({ state: 'idle' }, idle);
      connections.set({ state: 'busy' }, total - idle);
      connections.set({ state: 'waiting' }, waiting);
    },
  });
}
