// Owns the measurement of a policy that comes into force over very many customers: how long until everybody is
// decided anew, what readers of the API feel meanwhile, and what the worker's memory comes to. Every customer
// moves, so that a ledger row and an event are written of each. The worker is killed on the way and another
// one goes on.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerProcess } from '../child.js';
import { multiply } from '../crowd.js';
import type { Bench, Group } from '../group.js';
import { atMost, type Row } from '../rows.js';
import { inlineCustomer, makeOrder } from '../sales.js';
import { openStage, type Stage } from '../stage.js';
import { percentile } from '../statistics.js';

const CUSTOMERS = 1_000_000;
const CEILING_S = 180;
const P99_CEILING = 2;
const MEMORY_CEILING_MIB = 256;
const READS_A_SECOND = 100;
const IDLE_S = 20;
const POLL_MS = 250;
const REST_POLL_MS = 2_000;
const KILL_AT = 0.3;

export const carryOver: Group = { name: 'carry-over', run };

interface Walk {
  customersDone: number;
  finishedAt: string | null;
}

async function run(bench: Bench): Promise<Row[]> {
  const stage = await openStage(bench, { postgres: { max_wal_size: '4GB' }, environment: { ROLE: 'api' } });
  await stage.api.post('/v1/orders', makeOrder({ customer: inlineCustomer(0), placedAt: new Date() }));
  bench.say(`making ${CUSTOMERS.toLocaleString('en')} customers`);
  await multiply(stage.databaseUrl, { from: 1, to: CUSTOMERS });
  const ids = await someIds(stage);
  const worker = await stage.startService({ ROLE: 'worker' });
  bench.say('waiting for the worker to be done with looking for duplicates among so many new customers');
  await untilAtRest(bench, stage);
  bench.say('reading while nothing else happens');
  await readFor(stage, ids, { untilMs: performance.now() + 5_000 });
  const idle = await readFor(stage, ids, { untilMs: performance.now() + IDLE_S * 1_000 });
  bench.say('putting another policy into force');
  const carried = await carry(bench, stage, { ids, first: worker });
  const p99 = percentile(carried.readsMs, 0.99);
  const idleP99 = percentile(idle, 0.99);
  bench.say(`reads: p99 ${idleP99.toFixed(2)} ms idle, ${p99.toFixed(2)} ms meanwhile`);
  const many = CUSTOMERS.toLocaleString('en');
  return [
    atMost({
      name: `${many} customers carried over to a new policy`,
      value: carried.seconds,
      unit: 's',
      budget: CEILING_S,
    }),
    atMost({
      name: 'p99 of a read meanwhile, of its idle value',
      value: p99 / idleP99,
      unit: '×',
      budget: P99_CEILING,
    }),
    atMost({
      name: 'memory of the worker meanwhile',
      value: carried.highestMib,
      unit: 'MiB',
      budget: MEMORY_CEILING_MIB,
    }),
  ];
}

/** What the worker does for new customers anyway is over: neither figure is to be that of something else. */
async function untilAtRest(bench: Bench, stage: Stage): Promise<void> {
  for (;;) {
    const [walk] = await stage.query<{ rests: boolean }>(
      `SELECT (changed_at, customer_id) >= (SELECT updated_at, id FROM customers
                                             ORDER BY updated_at DESC, id DESC LIMIT 1) AS rests
         FROM duplicate_walks`,
    );
    if (walk?.rests === true) return;
    await sleep(REST_POLL_MS, undefined, { signal: bench.lifetime.signal });
  }
}

interface Carrying {
  /** Of customers to be read. */
  ids: readonly string[];
  /** The worker that begins; it does not live to the end. */
  first: ServerProcess;
}

async function carry(bench: Bench, stage: Stage, { ids, first }: Carrying) {
  let worker = first;
  const rules = [
    { stage: 'churned', when: { type: 'silence', days: 60 } },
    { stage: 'mature', when: { type: 'orders', atLeast: 1 } },
  ];
  const policy = { template: 'ecommerce', timeZone: 'UTC', rules, otherwise: 'prospect' };
  const startedAtMs = performance.now();
  await stage.api.put('/v1/policies/live', { policy });
  const reading = new AbortController();
  const reads = readFor(stage, ids, { signal: reading.signal });
  let highestMib = 0;
  let isKilled = false;
  for (;;) {
    await sleep(POLL_MS, undefined, { signal: bench.lifetime.signal });
    highestMib = Math.max(highestMib, residentMib(worker.pid));
    const { data } = await stage.api.get<{ data: Walk[] }>('/v1/recomputations?limit=1');
    const [walk] = data;
    if (walk?.finishedAt != null) break;
    if (!isKilled && (walk?.customersDone ?? 0) > KILL_AT * CUSTOMERS) {
      bench.say(
        `killing the worker at ${walk?.customersDone} customers; another one goes on after its lease`,
      );
      isKilled = true;
      await worker.kill();
      worker = await stage.startService({ ROLE: 'worker' });
    }
  }
  const seconds = (performance.now() - startedAtMs) / 1_000;
  reading.abort();
  const readsMs = await reads;
  const [moved] = await stage.query<{ count: string }>(
    "SELECT count(*) FROM customer_lifecycles WHERE stage = 'mature'",
  );
  if (Number(moved?.count) !== CUSTOMERS)
    throw new Error(`${moved?.count} of ${CUSTOMERS} customers were moved`);
  return { seconds, readsMs, highestMib };
}

async function someIds(stage: Stage): Promise<string[]> {
  const rows = await stage.query<{ id: string }>(
    'SELECT id FROM customers TABLESAMPLE SYSTEM (1) LIMIT 1000',
  );
  if (rows.length === 0) throw new Error('no customer was found to read');
  return rows.map(({ id }) => id);
}

/** Reads at an even pace, each sent when its time has come whether the one before was answered or not. */
async function readFor(
  { service, key }: Stage,
  ids: readonly string[],
  { untilMs = Infinity, signal }: { untilMs?: number; signal?: AbortSignal },
): Promise<number[]> {
  const tookMs: number[] = [];
  const under = new Set<Promise<void>>();
  const headers = { authorization: `Bearer ${key}` };
  const read = async (id: string): Promise<void> => {
    const startedAtMs = performance.now();
    const response = await fetch(`${service.url}/v1/customers/${id}`, { headers });
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`a read was answered ${response.status}`);
    tookMs.push(performance.now() - startedAtMs);
  };
  const startedAtMs = performance.now();
  for (let index = 0; performance.now() < untilMs && signal?.aborted !== true; index += 1) {
    const dueMs = startedAtMs + (index * 1_000) / READS_A_SECOND;
    if (dueMs > performance.now()) await sleep(dueMs - performance.now());
    const reading: Promise<void> = read(ids[(index * 7) % ids.length] ?? '').finally(() =>
      under.delete(reading),
    );
    under.add(reading);
  }
  await Promise.all(under);
  return tookMs;
}

function residentMib(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib ?? 0) / 1_024;
}
