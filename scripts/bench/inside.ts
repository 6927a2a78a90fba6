// Owns the product's parts inside this process, for what has no request of its own: ticks. The database is a real
// one and the clock is whoever measures'. Does not own what is measured.

import { readConfig } from '../../src/config.js';
import { type Context, NO_TENANT_ID } from '../../src/context.js';
import { type Database, openDatabase } from '../../src/db/database.js';
import { prepareDatabase } from '../../src/db/prepare.js';
import { createLogger } from '../../src/logger.js';
import type { OrderInput } from '../../src/orders/service.js';
import { buildServices, type Services } from '../../src/services.js';
import type { Bench } from './group.js';
import { BATCH_SIZE, inlineCustomer, makeOrder } from './sales.js';

export interface Inside {
  database: Database;
  services: Services;
  /** Opens a tenant and answers its id. */
  openTenant(now: Date): Promise<string>;
  /** Records one order each of as many new customers. */
  sell(tenantId: string, now: Date, customers: { from: number; count: number }): Promise<void>;
}

export async function buildInside({ lifetime }: Bench, url: string): Promise<Inside> {
  const logger = createLogger({ level: 'warn', destination: process.stderr });
  await prepareDatabase({ url, onWaiting: () => undefined, signal: lifetime.signal });
  let isClosing = false;
  const onError = (err: Error) => {
    if (!isClosing) logger.warn({ err }, 'a connection to the database was lost');
  };
  const database = openDatabase({ url, onError });
  lifetime.atEnd(() => {
    isClosing = true;
    return database.close();
  });
  const clock = () => new Date();
  const services = buildServices({ config: readConfig({}), database, clock, logger });
  let tenants = 0;
  return {
    database,
    services,
    async openTenant(now) {
      tenants += 1;
      const slug = `bench-${tenants}`;
      return (await services.tenants.open(contextOf(NO_TENANT_ID, now), { slug, name: slug })).id;
    },
    async sell(tenantId, now, { from, count }) {
      for (let start = from; start < from + count; start += BATCH_SIZE) {
        const size = Math.min(BATCH_SIZE, from + count - start);
        const inputs = Array.from({ length: size }, (_, index) => orderOf(start + index, now));
        const saved = await services.orders.save(contextOf(tenantId, now), inputs, {
          how: 'record',
          backfill: false,
        });
        for (const result of saved) if (result instanceof Error) throw result;
      }
    },
  };
}

export function contextOf(tenantId: string, now: Date): Context {
  return { tenantId, actor: { kind: 'system', id: 'bench' }, now, requestId: 'bench' };
}

function orderOf(customer: number, placedAt: Date): OrderInput {
  const { externalId, amountMinor, currency, lines } = makeOrder({
    customer: inlineCustomer(customer),
    placedAt,
  });
  return {
    customer: { inline: inlineCustomer(customer) },
    namespace: externalId.namespace,
    externalId: externalId.id,
    status: 'placed',
    placedAt,
    amountMinor,
    currency,
    lines,
    refunds: [],
    sourceUpdatedAt: null,
  };
}
