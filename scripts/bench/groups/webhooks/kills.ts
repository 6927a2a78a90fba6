// Owns the measurement of what SIGKILL does to deliveries: workers are killed again and again at moments that
// matter while events keep coming, and in the end the receiver's notes are held against the table of events.

import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Bench, Group } from '../../group.js';
import { type Receipt, startReceiver } from '../../receiver.js';
import { atMost, type Row } from '../../rows.js';
import { makeOrder, populate } from '../../sales.js';
import { openStage, type Stage } from '../../stage.js';
import { register, untilDelivered } from './endpoints.js';

const WORKERS = 3;
const CUSTOMERS = 500;
const ORDER_EVERY_MS = 20;
/** An answer takes up to so long, so that there are sends for a kill to break off. */
const ANSWER_MAX_MS = 20;
/** Beyond a lease: what a killed worker had claimed is free again only then. */
const PATIENCE_MS = 150_000;
/** A kill comes up to so long after what it waited for. */
const LATER_MAX_MS = 8;

const MOMENTS = ['after commit', 'after claim', 'while sending', 'before record'] as const;
type Moment = (typeof MOMENTS)[number];

export const kills: Group = { name: 'webhooks:kills', run };

async function run(bench: Bench): Promise<Row[]> {
  const stage = await openStage(bench, { environment: { ROLE: 'api' } });
  const sights = new Sights();
  const receiver = await startReceiver(bench.lifetime, {
    respond: () => {
      sights.saw('while sending');
      return { status: 204, delayMs: Math.random() * ANSWER_MAX_MS };
    },
    onAnswered: () => sights.saw('before record'),
  });
  const customers = await populate(stage.api, CUSTOMERS);
  await register(stage, receiver.url, { eventTypes: ['*'] });
  const trade = startTrade(stage, customers, sights);
  bench.say(`${bench.kills} kills of ${WORKERS} workers`);
  const struck = await Promise.race([killAll(bench, stage, sights), trade.failed]);
  await trade.stop();
  bench.say(`killed ${JSON.stringify(struck)}; waiting for the leases of the last ones`);
  const lastKillMs = performance.now();
  await stage.startService({ ROLE: 'worker' });
  await untilDelivered(stage, PATIENCE_MS);
  const leftForS = (performance.now() - lastKillMs) / 1_000;
  const { events, lost, strange, duplicates } = await judge(stage, receiver.receipts);
  bench.say(`${events} events, ${duplicates} of them received again`);
  const name = `${bench.kills} SIGKILLs of workers`;
  return [
    atMost({ name: `${name}: events lost`, value: lost, unit: 'events', budget: 0 }),
    atMost({ name: `${name}: sent but never committed`, value: strange, unit: 'events', budget: 0 }),
    atMost({ name: `${name}: duplicates`, value: (100 * duplicates) / events, unit: '%', budget: null }),
    atMost({ name: `${name}: duplicates a kill`, value: duplicates / bench.kills, unit: '', budget: null }),
    atMost({ name: `${name}: last one to all delivered`, value: leftForS, unit: 's', budget: null }),
  ];
}

/** Whoever waits for something to be seen. */
class Sights {
  #waiting: { moment: Moment; done: () => void }[] = [];

  next(moment: Moment): Promise<void> {
    return new Promise((done) => this.#waiting.push({ moment, done }));
  }

  saw(moment: Moment): void {
    const over = this.#waiting.filter((waiter) => waiter.moment === moment);
    this.#waiting = this.#waiting.filter((waiter) => waiter.moment !== moment);
    for (const { done } of over) done();
  }
}

interface Trade {
  /** Rejects with the first order that was not answered as it should be. */
  failed: Promise<never>;
  stop(): Promise<void>;
}

function startTrade({ api }: Stage, customers: readonly string[], sights: Sights): Trade {
  let isOpen = true;
  const trading = (async () => {
    for (let index = 0; isOpen; index += 1) {
      const customer = customers[index % customers.length] ?? '';
      await api.post('/v1/orders', makeOrder({ customer, placedAt: new Date() }));
      sights.saw('after commit');
      await delay(ORDER_EVERY_MS);
    }
  })();
  const failed = new Promise<never>((_, reject) => trading.catch(reject));
  failed.catch(() => undefined);
  return {
    failed,
    stop() {
      isOpen = false;
      return trading;
    },
  };
}

/** How many were killed at which moment. */
async function killAll({ kills, lifetime }: Bench, stage: Stage, sights: Sights) {
  const struck: Partial<Record<Moment, number>> = {};
  let left = kills;
  const watching = new AbortController();
  const watch = watchClaims(stage, sights, watching.signal);
  const place = async () => {
    while (left > 0 && !lifetime.signal.aborted) {
      left -= 1;
      const worker = await stage.startService({ ROLE: 'worker' });
      const moment = MOMENTS[Math.floor(Math.random() * MOMENTS.length)] ?? 'after commit';
      await sights.next(moment);
      await delay(Math.random() * LATER_MAX_MS);
      await worker.kill();
      struck[moment] = (struck[moment] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, place));
  watching.abort();
  await watch;
  return struck;
}

const CLAIMS_EVERY_MS = 10;

/** A claim is seen by its lease, of a minute, which has only just begun. */
async function watchClaims({ databaseUrl }: Stage, sights: Sights, signal: AbortSignal): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  while (!signal.aborted) {
    const { rowCount } = await client.query(
      `SELECT FROM deliveries WHERE due_at > now() + interval '59.98 s' AND claim_token IS NOT NULL LIMIT 1`,
    );
    if (rowCount !== 0) sights.saw('after claim');
    await delay(CLAIMS_EVERY_MS);
  }
  await client.end();
}

async function judge({ query }: Stage, receipts: readonly Receipt[]) {
  const rows = await query<{ id: string; body: string }>(
    `SELECT e.id, e.body FROM events e JOIN webhook_endpoints w USING (tenant_id)
      WHERE e.deliver AND e.recorded_at >= w.created_at`,
  );
  const committed = new Map(rows.map(({ id, body }) => [id, body]));
  const received = new Set(receipts.map(({ id }) => id));
  return {
    events: committed.size,
    lost: [...committed.keys()].filter((id) => !received.has(id)).length,
    strange: receipts.filter(({ id, body }) => committed.get(id) !== body).length,
    duplicates: receipts.length - received.size,
  };
}
