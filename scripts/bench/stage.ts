// Owns what most groups measure on: the service as it is deployed, in a process of its own, on a Postgres that
// waits for the disk at each commit, with one tenant. Does not own what is in the database (sales.ts).

import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { type Api, createApi } from '../api-client.js';
import { startThrowawayPostgres } from '../throwaway-postgres.js';
import { type ServerProcess, startServer } from './child.js';
import type { Bench } from './group.js';

const SERVICE = new URL('../../src/server.js', import.meta.url);

export interface Stage {
  databaseUrl: string;
  service: ServerProcess;
  /** Of all scopes. */
  key: string;
  api: Api;
  /** Another process of the same service, on the same database. */
  startService(environment: Record<string, string>): Promise<ServerProcess>;
  /** Asks the database as its owner, for what no client of the API needs to know. */
  query<T extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<T[]>;
}

export interface StageOptions {
  /** Settings of Postgres beyond those of the embedded server. */
  postgres?: Record<string, string>;
  environment?: Record<string, string>;
}

export async function openStage({ lifetime }: Bench, options: StageOptions = {}): Promise<Stage> {
  const databaseUrl = await startPostgres({ lifetime }, options.postgres ?? {});
  const key = `pk_${randomBytes(24).toString('base64url')}`;
  const secretsKey = randomBytes(32).toString('base64');
  const startService = (environment: Record<string, string>) =>
    startServer(lifetime, {
      entry: SERVICE,
      environment: {
        DATABASE_URL: databaseUrl,
        BOOTSTRAP_API_KEY: key,
        SECRETS_KEY: secretsKey,
        // The limit is counted at each request as ever, and never reached.
        RATE_LIMIT_PER_MINUTE: '100000000',
        WEBHOOK_ALLOW_PRIVATE: 'true',
        WEBHOOK_ALLOW_HTTP: 'true',
        ...environment,
      },
    });
  const service = await startService(options.environment ?? {});
  const api = createApi({ url: service.url, key, signal: lifetime.signal });
  const query = <T extends pg.QueryResultRow>(text: string, values?: unknown[]) =>
    ask<T>(databaseUrl, text, values);
  return { databaseUrl, service, key, api, startService, query };
}

export async function startPostgres(
  { lifetime }: Pick<Bench, 'lifetime'>,
  settings: Record<string, string>,
  isDurable = true,
): Promise<string> {
  const server = await startThrowawayPostgres(lifetime, { isDurable });
  const wanted = Object.entries(settings);
  if (wanted.length === 0) return server.url;
  for (const [name, value] of wanted) await ask(server.url, `ALTER SYSTEM SET ${name} = '${value}'`);
  return (await server.restart()).url;
}

async function ask<T extends pg.QueryResultRow>(
  url: string,
  text: string,
  values: unknown[] = [],
): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(text, values)).rows;
  } finally {
    await client.end();
  }
}
