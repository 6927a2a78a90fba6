// Owns deliveries on trial: one process that answers requests, others that only work, an order after the other, a
// partner who receives, and the questions that must be answered with nothing in the end. Does not own what is done
// to the workers or to the database meanwhile.

import { setTimeout as moment } from 'node:timers/promises';
import type { Test } from 'tap';
import type { Environment } from '../../src/environment.js';
import { auditReceived, auditTables } from './audit.js';
import type { Chance } from './chance.js';
import { Moments } from './moments.js';
import { PersistentClient } from './persistent-client.js';
import { createReceiver, type Receiver } from './receiver.js';
import { Replica } from './replica.js';
import { untilSettled } from './settle.js';
import { openSql } from './trial.js';

const KEY = `pk_${'d'.repeat(30)}`;
const SECRET = `whsec_${Buffer.alloc(32, 6).toString('base64')}`;
const CUSTOMERS = 20;
const ORDER_EVERY_MS = 15;
/** An answer takes up to so long, so that there are sends for a kill to break off. */
const ANSWER_MAX_MS = 20;
/** So long ago that nothing more becomes due of it once the ticks have seen it. */
const FIRST_ORDER_MS = Date.parse('2020-01-01T00:00:00Z');

export interface DeliveryTrial {
  api: Replica;
  workers: Replica[];
  receiver: Receiver;
  moments: Moments;
  /** The work, unless an order is answered what none may be. */
  whileTrading<T>(work: Promise<T>): Promise<T>;
  /** Takes no more orders, lets the workers finish, and asks whether anything is lost or made up. */
  conclude(): Promise<void>;
}

export interface DeliveryTrialOptions {
  chance: Chance;
  databaseUrl: string;
  workers: number;
  environment?: Environment;
}

export async function openDeliveryTrial(t: Test, options: DeliveryTrialOptions): Promise<DeliveryTrial> {
  const { chance, databaseUrl } = options;
  const moments = new Moments(chance.fork());
  const { onBooked, onDelivery } = moments.watch;
  const respond = () => {
    onDelivery();
    return { status: 200, delayMs: chance.below(ANSWER_MAX_MS) };
  };
  const receiver = await createReceiver(t, { secret: SECRET, respond });
  const environment = {
    DATABASE_URL: databaseUrl,
    BOOTSTRAP_API_KEY: KEY,
    SECRETS_KEY: Buffer.alloc(32, 3).toString('base64'),
    WEBHOOK_ALLOW_PRIVATE: 'true',
    RATE_LIMIT_PER_MINUTE: '0',
    ...options.environment,
  };
  const api = new Replica(t, { ...environment, ROLE: 'api' });
  const workers = Array.from(
    { length: options.workers },
    () => new Replica(t, { ...environment, ROLE: 'worker' }),
  );
  await api.start().ready;
  const client = new PersistentClient({ key: KEY, bases: () => (api.base === undefined ? [] : [api.base]) });
  t.teardown(() => client.close());
  const endpoint = { url: `${receiver.url}/hook`, eventTypes: ['*'], secret: SECRET };
  await client.send({
    method: 'POST',
    path: '/v1/webhook-endpoints',
    body: endpoint,
    idempotencyKey: 'endpoint',
  });
  const trade = startTrade(client, onBooked);
  return {
    ...{ api, workers, receiver, moments },
    whileTrading: (work) => Promise.race([work, trade.done.then(() => work)]),
    async conclude() {
      await trade.stop();
      const sql = openSql(t, databaseUrl);
      await untilSettled(sql, () => {
        for (const worker of workers) worker.jump();
      });
      const { requests } = receiver;
      const ids = new Set(requests.map(({ headers }) => headers['webhook-id']));
      t.comment(`events ${ids.size}, received again ${requests.length - ids.size}`);
      t.same(
        await auditReceived(sql, requests),
        [],
        'nothing is lost, nothing was sent that was never committed',
      );
      t.same(await auditTables(sql), [], 'and nothing is left or out of order');
      t.same(client.faults, [], 'and no request has met a fault');
    },
  };
}

/** One order after the other, each repeated until it is answered. */
function startTrade(client: PersistentClient, onBooked: () => void) {
  let isOpen = true;
  const done = (async () => {
    for (let number = 1; isOpen; number += 1) {
      const body = {
        externalId: { namespace: 'shop', id: `order-${number}` },
        customer: { externalIds: [{ namespace: 'shop', id: `customer-${number % CUSTOMERS}` }] },
        placedAt: new Date(FIRST_ORDER_MS + number * 60_000).toISOString(),
        amountMinor: 4_900,
        currency: 'EUR',
      };
      const { status, json } = await client.send({ method: 'POST', path: '/v1/orders', body });
      if (status >= 300) throw new Error(`an order was answered ${status}: ${JSON.stringify(json)}`);
      onBooked();
      await moment(ORDER_EVERY_MS);
    }
  })();
  // Awaited by `stop`; an order that fails before that is no unhandled rejection.
  done.catch(() => undefined);
  return {
    done,
    stop() {
      isOpen = false;
      return done;
    },
  };
}
