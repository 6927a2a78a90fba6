// Owns the measurement of the service's memory while everything is asked of it at once: reads, orders, batches,
// ticks and deliveries.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Bench, Group } from '../group.js';
import { press } from '../load.js';
import { startReceiver } from '../receiver.js';
import { atMost, type Row } from '../rows.js';
import { BATCH_SIZE, customersOf, inlineCustomer, makeOrder, populate } from '../sales.js';
import { openStage, type Stage } from '../stage.js';

const CEILING_MIB = 256;
const CUSTOMERS = 10_000;
const LOAD_S = 20;
const CONNECTIONS = 16;
const SAMPLE_MS = 100;

export const memory: Group = { name: 'memory', run };

async function run(bench: Bench): Promise<Row[]> {
  const stage = await openStage(bench);
  const receiver = await startReceiver(bench.lifetime);
  bench.say(`making ${CUSTOMERS} customers`);
  const ids = await populate(stage.api, CUSTOMERS);
  await stage.api.post('/v1/webhook-endpoints', { url: receiver.url, eventTypes: ['*'] });
  bench.say('full load');
  let highestMib = 0;
  const sample = () => {
    highestMib = Math.max(highestMib, residentMib(stage.service.pid));
  };
  const sampling = setInterval(sample, SAMPLE_MS);
  try {
    await Promise.all([read(stage, ids), order(stage, ids), sendBatches(stage)]);
    sample();
  } finally {
    clearInterval(sampling);
  }
  if (receiver.receipts.length === 0) throw new Error('no webhook was delivered under load');
  return [
    atMost({
      name: 'memory of the Node process at full load',
      value: highestMib,
      unit: 'MiB',
      budget: CEILING_MIB,
    }),
  ];
}

function read({ service, key }: Stage, ids: readonly string[]): Promise<number> {
  const headers = { authorization: `Bearer ${key}` };
  const requests = (connection: number) =>
    Array.from({ length: 64 }, (_, index) => {
      const id = ids[(connection * 64 + index) % ids.length];
      return { path: index % 8 === 0 ? '/v1/customers?limit=50' : `/v1/customers/${id}` };
    });
  return press({ url: service.url, headers, requests }, { connections: CONNECTIONS, durationS: LOAD_S });
}

function order({ service, key }: Stage, ids: readonly string[]): Promise<number> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  let ordered = 0;
  const setupRequest = (request: object) => {
    ordered += 1;
    const customer = ids[(ordered * 7) % ids.length] ?? '';
    return { ...request, body: JSON.stringify(makeOrder({ customer, placedAt: new Date() })) };
  };
  const requests = () => [{ method: 'POST' as const, path: '/v1/orders', setupRequest }];
  return press({ url: service.url, headers, requests }, { connections: CONNECTIONS, durationS: LOAD_S });
}

async function sendBatches({ api }: Stage): Promise<void> {
  const endAtMs = performance.now() + LOAD_S * 1_000;
  for (let start = 0; performance.now() < endAtMs; start += BATCH_SIZE) {
    const placedAt = new Date();
    const items = Array.from({ length: BATCH_SIZE }, (_, index) =>
      makeOrder({ customer: inlineCustomer((start + index) % CUSTOMERS), placedAt }),
    );
    customersOf(await api.post('/v1/orders/batch', { items }));
  }
}

function residentMib(pid: number): number {
  if (process.platform === 'linux') {
    const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kib) / 1_024;
  }
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1_024;
}
