import pg from 'pg';
import t from 'tap';
import { v7 as uuidv7 } from 'uuid';
import { numberEvents, numberNew } from '../../src/outbox/number.js';
import { openOutbox } from './fixture.js';

interface Numbered {
  id: string;
  customer_id: string | null;
  sequence: number | null;
  position: number | null;
}

t.test('places in the feed', async (t) => {
  const outbox = await openOutbox(t);
  const { database, clock, publish, sql } = outbox;
  const number = (tenantId: string, extra: { limit?: number; wait?: boolean } = {}) =>
    numberEvents(database, { tenantId, now: clock.now(), ...extra });
  const inFeed = async (tenantId: string): Promise<Numbered[]> => {
    const rows = await sql<Numbered>(
      `SELECT id, customer_id, sequence::int, position::int FROM events
        WHERE tenant_id = $1 AND position IS NOT NULL ORDER BY position`,
      [tenantId],
    );
    return rows;
  };
  const event = (customerId: string, sequence: number) => ({
    type: 'customer.updated',
    customerId,
    sequence,
  });

  await t.test('they begin at 1 and leave nothing out', async (t) => {
    const tenantId = await outbox.tenant();
    await publish(tenantId, [{}, {}, {}]);
    t.equal(await number(tenantId), 3);
    await publish(tenantId, [{}]);
    t.equal(await number(tenantId), 1);
    t.equal(await number(tenantId), 0);
    t.same(
      (await inFeed(tenantId)).map(({ position }) => position),
      [1, 2, 3, 4],
    );
  });

  await t.test('what is committed later is placed later, whatever its id and its time', async (t) => {
    const tenantId = await outbox.tenant();
    const client = new pg.Client({ connectionString: outbox.url });
    await client.connect();
    t.teardown(() => client.end());
    const early = uuidv7();
    await client.query('BEGIN');
    await client.query(
      `INSERT INTO events (tenant_id, id, type, occurred_at, recorded_at, deliver, body)
       VALUES ($1, $2, 'ping', now(), '2020-01-01', false, '{}')`,
      [tenantId, early],
    );
    const [late] = await publish(tenantId, [{}]);
    t.equal(await number(tenantId), 1, 'the one that is not committed is waited for by nobody');
    await client.query('COMMIT');
    t.equal(await number(tenantId), 1);
    t.same(
      (await inFeed(tenantId)).map(({ id }) => id),
      [late, early],
    );
  });

  await t.test(
    'a customer’s events keep their sequence though the clocks that wrote them differ',
    async (t) => {
      const tenantId = await outbox.tenant();
      const [anna, bert] = [uuidv7(), uuidv7()];
      await publish(tenantId, [event(anna, 1), event(bert, 1)]);
      clock.advance(-10_000);
      await publish(tenantId, [event(anna, 2)]);
      clock.advance(5_000);
      await publish(tenantId, [event(bert, 2), event(anna, 3)]);
      clock.advance(5_000);
      await number(tenantId);
      const feed = await inFeed(tenantId);
      for (const customer of [anna, bert]) {
        const sequences = feed
          .filter(({ customer_id }) => customer_id === customer)
          .map(({ sequence }) => sequence);
        t.same(sequences, [...sequences].sort());
      }
    },
  );

  await t.test('and they keep it over the end of a batch', async (t) => {
    const tenantId = await outbox.tenant();
    const customer = uuidv7();
    const others = Array.from({ length: 5 }, () => ({}));
    await publish(tenantId, [event(customer, 1), event(customer, 2)]);
    clock.advance(-60_000);
    await publish(tenantId, [event(customer, 3), ...others]);
    clock.advance(60_000);
    // By its time, the third is within the first batch, and those before it are not.
    while ((await number(tenantId, { limit: 3 })) > 0);
    const feed = await inFeed(tenantId);
    t.equal(feed.length, 8);
    t.same(
      feed.filter(({ customer_id }) => customer_id === customer).map(({ sequence }) => sequence),
      [1, 2, 3],
    );
    t.same(
      feed.map(({ position }) => position),
      [1, 2, 3, 4, 5, 6, 7, 8],
    );
  });

  await t.test(
    'a reader who goes from place to place misses nothing while many write and number',
    async (t) => {
      const tenantId = await outbox.tenant();
      const written: string[] = [];
      const seen: string[] = [];
      let after = 0;
      let isWriting = true;
      const write = async (): Promise<void> => {
        for (let i = 0; i < 25; i++) written.push(...(await publish(tenantId, [{}, {}])));
      };
      const numberOn = async (): Promise<void> => {
        while (isWriting) await number(tenantId, { limit: 7 });
      };
      const read = async (): Promise<void> => {
        for (;;) {
          const wasWriting = isWriting;
          const rows = await sql<{ id: string; position: number }>(
            'SELECT id, position::int FROM events WHERE tenant_id = $1 AND position > $2 ORDER BY position',
            [tenantId, after],
          );
          seen.push(...rows.map(({ id }) => id));
          after = rows.at(-1)?.position ?? after;
          if (!wasWriting && rows.length === 0) return;
        }
      };
      const writing = Promise.all([write(), write(), write()]).then(async () => {
        isWriting = false;
        while ((await number(tenantId, { wait: true })) > 0);
      });
      await Promise.all([writing, numberOn(), numberOn(), read()]);
      await read();
      t.equal(written.length, 150);
      t.equal(seen.length, 150);
      t.same([...seen].sort(), [...written].sort());
      t.equal(after, 150, 'and there are no gaps');
    },
  );

  await t.test('a tenant’s feed is numbered by one at a time', async (t) => {
    const tenantId = await outbox.tenant();
    await publish(tenantId, [{}]);
    const client = new pg.Client({ connectionString: outbox.url });
    await client.connect();
    t.teardown(() => client.end());
    await client.query('BEGIN');
    await client.query('SELECT FROM feeds WHERE tenant_id = $1 FOR UPDATE', [tenantId]);
    t.equal(await number(tenantId), 0, 'somebody else is at it');
    const waiting = number(tenantId, { wait: true });
    await client.query('ROLLBACK');
    t.equal(await waiting, 1);
  });

  await t.test('every tenant with new events gets its turn', async (t) => {
    const tenants = [await outbox.tenant(), await outbox.tenant()];
    for (const tenantId of tenants) await publish(tenantId, [{}, {}]);
    t.equal(await numberNew(database, clock.now()), 4);
    t.equal(await numberNew(database, clock.now()), 0);
    for (const tenantId of tenants) t.equal((await inFeed(tenantId)).length, 2);
  });
});
