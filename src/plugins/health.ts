// Owns what a platform asks of a process: is it alive, and should it be sent requests. Does not own the
// stopping (server.ts), which says here that it has begun.

import fp from 'fastify-plugin';
import type { App } from '../api/schema.js';
import type { Database } from '../db/database.js';
import { UnavailableError } from '../errors.js';

const ANSWER_WITHIN_MS = 1000;

export interface Health {
  /** From now on the process is not ready: balancers send requests elsewhere before the listener closes. */
  drain(): void;
}

declare module 'fastify' {
  interface FastifyInstance {
    health: Health;
  }
}

export interface HealthOptions {
  database: Pick<Database, 'find'>;
  /** Rejects, saying why, while the process cannot serve for another reason, such as a missing migration. */
  assertReady?: (() => Promise<void>) | undefined;
}

export const healthPlugin = fp(
  (app: App, options: HealthOptions, done: () => void) => {
    let draining = false;
    const drain = () => {
      draining = true;
    };
    app.decorate('health', { drain });
    app.addHook('preClose', (closed) => {
      drain();
      closed();
    });
    app.addHook('onSend', (_request, reply, _payload, sent) => {
      // Fastify tells those who ask from now on. Whoever waits for an answer would keep the connection too, and
      // their next request would meet a closed one.
      if (draining) reply.header('connection', 'close');
      sent();
    });
    const probe = sharedProbe(options);
    const ok = { status: 'ok' };
    app.get('/health/live', { schema: { hide: true } }, () => ok);
    app.get('/health/ready', { schema: { hide: true } }, async () => {
      if (draining) throw new UnavailableError('The service is stopping.');
      await probe();
      return ok;
    });
    done();
  },
  { name: 'health' },
);

/** Probes that come while one is under way wait for its answer: they must not add to a database's trouble. */
function sharedProbe({ database, assertReady }: HealthOptions): () => Promise<void> {
  let underWay: Promise<void> | undefined;
  const look = async () => {
    await database.find((executor) => executor.rows({ text: 'SELECT 1' }));
    await assertReady?.();
  };
  return () => {
    underWay ??= within(look())
      .catch((cause) => {
        throw cause instanceof UnavailableError
          ? cause
          : new UnavailableError('The service is not ready.', { cause });
      })
      .finally(() => {
        underWay = undefined;
      });
    return underWay;
  };
}

async function within(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new UnavailableError('The database does not answer in time.')),
      ANSWER_WITHIN_MS,
    );
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
