// What a kill may not do. The service is killed at any point, again and again, while a shop goes on telling it
// things; the shop repeats what got no answer. In the end everything is there, once, as if nothing had been.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { drawChance } from './helpers/chance.js';
import { newDataDir, pidFileOf, serverPid } from './helpers/embedded.js';
import { Moments } from './helpers/moments.js';
import { createEmptyDatabase } from './helpers/postgres.js';
import type { Replica } from './helpers/replica.js';
import { concludeTrial, prepareTrial, whileOpen } from './helpers/trial.js';

const REPLICAS = 2;
const KILLS_EACH = 14;
/** A machine that is busy with other things gets fewer kills, not a longer test. */
const KILLING_MAX_MS = 60_000;

t.setTimeout(300_000);

async function startAndKill(replica: Replica, moments: Moments): Promise<string> {
  const { ready, exited } = replica.start();
  const kind = await Promise.race([moments.any(ready), exited]);
  if (typeof kind !== 'string') {
    throw new Error(`a replica ended by itself: ${replica.process.stdout()}${replica.process.stderr()}`);
  }
  replica.process.kill('SIGKILL');
  const { signal } = await exited;
  if (signal !== 'SIGKILL') throw new Error(`a replica ended by itself: ${replica.process.stdout()}`);
  return kind;
}

t.test(
  'killed again and again, it loses nothing, doubles nothing, and its ledger is the replay',
  async (t) => {
    const chance = drawChance(t);
    const moments = new Moments(chance.fork());
    const { url } = await createEmptyDatabase(t);
    const trial = await prepareTrial(t, {
      ...{ chance, ...moments.watch, replicas: REPLICAS },
      // Replicas seal with the same key, as they would anywhere.
      environment: { DATABASE_URL: url, SECRETS_KEY: Buffer.alloc(32, 3).toString('base64') },
    });
    const kinds: Record<string, number> = {};
    const deadline = performance.now() + KILLING_MAX_MS;
    const killing = trial.replicas.map(async (replica) => {
      for (let kills = 0; kills < KILLS_EACH && performance.now() < deadline; kills += 1) {
        const kind = await startAndKill(replica, moments);
        kinds[kind] = (kinds[kind] ?? 0) + 1;
      }
      await replica.start().ready;
    });
    const opened = trial.open();
    await Promise.race([Promise.all([opened, ...killing]), opened.then(() => trial.shop.day)]);
    t.comment(`kills ${JSON.stringify(kinds)}`);
    await concludeTrial(t, trial, url);
    for (const replica of trial.replicas) {
      t.same(await replica.stop(), { code: 0, signal: null });
      t.same(replica.failures, [], 'and no life of it has failed at anything');
    }
  },
);

/** The address changes with each start. */
function embeddedUrl(dataDir: string): string {
  const { password } = JSON.parse(readFileSync(join(dataDir, 'postgres.json'), 'utf8')) as {
    password: string;
  };
  const port = readFileSync(pidFileOf(dataDir), 'utf8').split('\n')[3];
  return `postgres://perennial:${password}@127.0.0.1:${port}/postgres`;
}

t.test(
  'killed together with the database of its own, it starts again with all it had answered',
  async (t) => {
    const chance = drawChance(t);
    const moments = new Moments(chance.fork());
    const dataDir = newDataDir(t);
    const trial = await prepareTrial(t, { chance, ...moments.watch, environment: { DATA_DIR: dataDir } });
    const [replica] = trial.replicas;
    if (replica === undefined) throw new Error('a trial has a replica');
    const killNode = () => replica.process.kill('SIGKILL');
    const killPostgres = () => process.kill(serverPid(dataDir), 'SIGKILL');
    await replica.start().ready;
    await trial.open();
    for (const kills of [
      [killNode, killPostgres],
      [killPostgres, killNode],
    ]) {
      await whileOpen(trial, moments.after(10 + chance.below(20), 'booked'));
      for (const kill of kills) kill();
      t.same(await replica.process.exited, { code: null, signal: 'SIGKILL' });
      await replica.start().ready;
    }
    await whileOpen(trial, moments.after(10, 'booked'));
    await concludeTrial(t, trial, embeddedUrl(dataDir));
    t.same(await replica.stop(), { code: 0, signal: null });
    t.same(replica.failures, [], 'and no life of it has failed at anything');
  },
);
