// What a kill may not do. The service is killed at any point, again and again, while a shop goes on telling it
// things; the shop repeats what got no answer. In the end everything is there, once, as if nothing had been.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as moment } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Chance } from './helpers/chance.js';
import { newDataDir, pidFileOf, serverPid } from './helpers/embedded.js';
import { createEmptyDatabase } from './helpers/postgres.js';
import type { Replica } from './helpers/replica.js';
import { concludeTrial, prepareTrial } from './helpers/trial.js';

const REPLICAS = 2;
const KILLS_EACH = 14;
/** A machine that is busy with other things gets fewer kills, not a longer test. */
const KILLING_MAX_MS = 60_000;

t.setTimeout(300_000);

function chanceOf(t: Test): Chance {
  const seed = Number(process.env.CHANCE_SEED ?? randomBytes(4).readInt32LE());
  t.comment(`CHANCE_SEED=${seed}`);
  return new Chance(seed);
}

type Sight = 'request' | 'delivery' | 'booked';

/** Waits for a moment that chance has picked: in a start, in a tick, behind requests or deliveries. */
class Moments {
  #waiting: { sight: Sight; left: number; done: () => void }[] = [];

  constructor(private readonly chance: Chance) {}

  saw(sight: Sight): void {
    for (const waiter of this.#waiting) if (waiter.sight === sight) waiter.left -= 1;
    const over = this.#waiting.filter(({ left }) => left <= 0);
    this.#waiting = this.#waiting.filter(({ left }) => left > 0);
    for (const { done } of over) done();
  }

  /** A little after so many have been seen. */
  async after(count: number, sight: Sight): Promise<void> {
    await new Promise<void>((done) => this.#waiting.push({ sight, left: count, done }));
    await moment(this.chance.below(25));
  }

  async any(ready: Promise<unknown>): Promise<string> {
    const { chance } = this;
    const kind = chance.pick(['start', 'tick', 'request', 'request', 'delivery', 'delivery'] as const);
    if (kind === 'start') {
      await moment(chance.below(1_500));
      return kind;
    }
    await ready;
    // Ticks begin with the second.
    if (kind === 'tick') await moment(1_000 - (Date.now() % 1_000) + chance.below(80));
    else await this.after(1 + chance.below(30), kind);
    return kind;
  }
}

async function startAndKill(replica: Replica, moments: Moments): Promise<string> {
  const { ready, exited } = replica.start();
  const kind = await Promise.race([moments.any(ready), exited.then(() => 'by itself')]);
  replica.process.kill('SIGKILL');
  const { signal } = await exited;
  if (signal === 'SIGKILL') return kind;
  throw new Error(`a replica ended by itself: ${replica.process.stdout()}${replica.process.stderr()}`);
}

t.test('killed again and again, it loses nothing, doubles nothing, and its ledger is the replay', async (t) => {
  const chance = chanceOf(t);
  const moments = new Moments(chance.fork());
  const { url } = await createEmptyDatabase(t);
  const trial = await prepareTrial(t, {
    chance,
    replicas: REPLICAS,
    // Replicas seal with the same key, as they would anywhere.
    environment: { DATABASE_URL: url, SECRETS_KEY: Buffer.alloc(32, 3).toString('base64') },
    onSend: () => moments.saw('request'),
    onDelivery: () => moments.saw('delivery'),
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
  await Promise.all([trial.open(), ...killing]);
  t.comment(`kills ${JSON.stringify(kinds)}`);
  await concludeTrial(t, trial, url);
  for (const replica of trial.replicas) {
    t.same(await replica.stop(), { code: 0, signal: null });
    t.same(replica.complaints, [], 'no life of it has logged a failure');
  }
});

/** The address changes with each start. */
function embeddedUrl(dataDir: string): string {
  const { password } = JSON.parse(readFileSync(join(dataDir, 'postgres.json'), 'utf8')) as { password: string };
  const port = readFileSync(pidFileOf(dataDir), 'utf8').split('\n')[3];
  return `postgres://perennial:${password}@127.0.0.1:${port}/postgres`;
}

t.test('killed together with the database of its own, it starts again with all it had answered', async (t) => {
  const chance = chanceOf(t);
  const moments = new Moments(chance.fork());
  const dataDir = newDataDir(t);
  const trial = await prepareTrial(t, {
    chance,
    environment: { DATA_DIR: dataDir },
    onBooked: () => moments.saw('booked'),
  });
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
    await moments.after(10 + chance.below(20), 'booked');
    for (const kill of kills) kill();
    t.same(await replica.process.exited, { code: null, signal: 'SIGKILL' });
    await replica.start().ready;
  }
  await moments.after(10, 'booked');
  await concludeTrial(t, trial, embeddedUrl(dataDir));
  t.same(await replica.stop(), { code: 0, signal: null });
  t.comment(`complaints ${JSON.stringify(replica.complaints)}`);
});
