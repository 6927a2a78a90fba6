// Owns a Postgres server of one test's own, on a port that stays: to be stopped, killed and started again under
// a service that goes on. Does not own test databases on the run's server (postgres.ts).

import { rmSync } from 'node:fs';
import pg from 'pg';
import { prepareBinaries } from '../../src/db/embedded/binaries.js';
import { ensureCluster, SUPERUSER } from '../../src/db/embedded/cluster.js';
import { openDataDir, openHome } from '../../src/db/embedded/home.js';
import { type Postmaster, startPostmaster } from '../../src/db/embedded/postmaster.js';
import { freePort } from './door.js';
import { newDataDir } from './embedded.js';

const silent = () => undefined;
const LOG = { debug: silent, info: silent, warn: silent, error: silent };

export interface OwnServer {
  /** Of the superuser, to the database `postgres`. */
  url: string;
  start(): Promise<void>;
  /** Sessions are ended and told so. */
  stop(): Promise<void>;
  /** Makes an empty database and answers its url. */
  createDatabase(name: string): Promise<string>;
}

interface Teardown {
  teardown(work: () => unknown): void;
}

export async function startOwnServer(t: Teardown): Promise<OwnServer> {
  const dataDir = openDataDir(newDataDir(t));
  const home = openHome(dataDir);
  if (home.isElsewhere) t.teardown(() => rmSync(home.dir, { recursive: true, force: true }));
  const binaries = prepareBinaries(home.dir, home.account);
  await ensureCluster(home, binaries, false);
  const port = await freePort();
  const { clusterDir, account, password } = home;
  let running: Postmaster | undefined;
  const server: OwnServer = {
    url: `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`,
    async start() {
      const { postgres } = binaries;
      running = await startPostmaster({ postgres, clusterDir, account, port, isDurable: false, log: LOG });
    },
    async stop() {
      await running?.stop();
      running = undefined;
    },
    async createDatabase(name) {
      const client = new pg.Client({ connectionString: server.url });
      await client.connect();
      await client.query(`CREATE DATABASE ${name}`).finally(() => client.end());
      return Object.assign(new URL(server.url), { pathname: `/${name}` }).href;
    },
  };
  t.teardown(() => server.stop());
  await server.start();
  return server;
}
