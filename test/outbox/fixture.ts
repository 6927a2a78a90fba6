// The outbox on a real database, without HTTP: tenants, endpoints, events, and workers that deliver.

import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { Context } from '../../src/context.js';
import { type Database, openDatabase } from '../../src/db/database.js';
import { createDeliverer, type Deliverer, type DelivererDeps } from '../../src/outbox/deliver.js';
import { createDeliveriesService, type DeliveriesService } from '../../src/outbox/deliveries-service.js';
import { createReplaysService, type ReplaysService } from '../../src/outbox/replays-service.js';
import { createOutboxService, type EventDraft, type OutboxService } from '../../src/outbox/service.js';
import type { WebhookEndpointInput } from '../../src/webhooks/schemas.js';
import { createSecretBox } from '../../src/webhooks/secrets.js';
import { createWebhooksService, type WebhooksService } from '../../src/webhooks/service.js';
import { createTestDatabase } from '../helpers/postgres.js';
import { createTestClock, type TestClock } from '../helpers/service.js';
import { transportFor } from '../helpers/transport.js';

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const START = new Date('2026-03-02T09:00:00.000Z');

type Teardown = { teardown(work: () => Promise<void>): unknown };

export interface Outbox {
  url: string;
  database: Database;
  clock: TestClock;
  outbox: OutboxService;
  deliveries: DeliveriesService;
  replays: ReplaysService;
  webhooks: WebhooksService;
  tenant(): Promise<string>;
  context(tenantId: string): Context;
  /** As the database's owner, past every wall. */
  sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Commits events in one transaction and answers their ids. */
  publish(tenantId: string, drafts: (Partial<EventDraft> & { type?: string })[]): Promise<string[]>;
  endpoint(tenantId: string, url: string, extra?: Partial<WebhookEndpointInput>): Promise<string>;
  worker(t: Teardown, extra?: Partial<DelivererDeps>): Deliverer;
}

export async function openOutbox(t: Teardown): Promise<Outbox> {
  const { url } = await createTestDatabase(t);
  const database = openDatabase({ url, connectionsMax: 10, onError: () => undefined });
  const owner = new pg.Pool({ connectionString: url, max: 3 });
  owner.on('error', () => undefined);
  t.teardown(async () => {
    await database.close();
    await owner.end();
  });
  const clock = createTestClock(START);
  const outbox = createOutboxService();
  const deliveries = createDeliveriesService({ database });
  const replays = createReplaysService({ database, retentionDays: 90, onFailure: () => undefined });
  const webhooks = createWebhooksService({
    database,
    deliveries,
    replays,
    urlPolicy: { allowPrivate: true, allowHttp: true },
    secrets: createSecretBox(Buffer.alloc(32, 1)),
  });
  const context = (tenantId: string): Context => ({
    tenantId,
    actor: { kind: 'system', id: 'test' },
    now: clock.now(),
    requestId: 'test',
  });
  const sql = async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> =>
    (await owner.query<Row>(text, values)).rows;

  return {
    url,
    database,
    clock,
    outbox,
    deliveries,
    replays,
    webhooks,
    context,
    sql,
    async tenant() {
      const id = uuidv7();
      await sql(
        `INSERT INTO tenants (id, slug, name, status, version, created_at, updated_at)
         VALUES ($1, $2, $2, 'active', 1, now(), now())`,
        [id, `t-${id}`],
      );
      await database.write(context(id), (tx) => outbox.open(tx, id));
      return id;
    },
    async publish(tenantId, drafts) {
      const prepared = outbox.prepareEvents(context(tenantId), drafts.map(asDraft(clock)));
      await database.write(context(tenantId), (tx) => outbox.publish(tx, context(tenantId), prepared));
      return prepared.map(({ id }) => id);
    },
    async endpoint(tenantId, target, extra = {}) {
      const made = await webhooks.create(context(tenantId), { url: target, secret: SECRET, ...extra });
      return made.id;
    },
    worker(inTest, extra = {}) {
      const worker = createDeliverer({
        database,
        transport: transportFor(inTest),
        targets: webhooks,
        clock: clock.now,
        wallClock: () => new Date(),
        random: () => 0.5,
        onError: () => undefined,
        ...extra,
      });
      inTest.teardown(() => worker.stop(100));
      return worker;
    },
  };
}

function asDraft(clock: TestClock) {
  return ({ type = 'policy.activated', ...rest }: Partial<EventDraft> & { type?: string }): EventDraft => ({
    draft: { type, occurredAt: clock.now(), data: { note: 'an event of a test' } },
    customerId: null,
    sequence: null,
    deliver: true,
    ...rest,
  });
}
