// Events that are given their places as they are written: by whoever has the feed to the end of the transaction.

import pg from 'pg';
import t from 'tap';
import { v7 as uuidv7 } from 'uuid';
import type { Transaction } from '../../src/db/executor.js';
import { NUMBERED_ON_THE_WAY_MAX, numberEvents, PLACED_AT_ONCE_MIN } from '../../src/outbox/number.js';
import { openOutbox } from './fixture.js';
import { draftOf, type Told } from './teller.js';

interface Placed {
  id: string;
  customer_id: string | null;
  sequence: number | null;
  position: number | null;
}

t.test('places given at once', async (t) => {
  const outbox = await openOutbox(t);
  const { database, clock, publish, sql } = outbox;
  const feed = (tenantId: string, after = 0) =>
    sql<Placed>(
      `SELECT id, customer_id, sequence::int, position::int FROM events
        WHERE tenant_id = $1 AND position > $2 ORDER BY position`,
      [tenantId, after],
    );
  const waiting = async (tenantId: string): Promise<number> => {
    const [row] = await sql<{ count: number }>(
      'SELECT count(*)::int FROM events WHERE tenant_id = $1 AND position IS NULL',
      [tenantId],
    );
    return row?.count ?? 0;
  };
  const number = (tenantId: string, limit?: number) =>
    numberEvents(database, { tenantId, now: clock.now(), ...(limit === undefined ? {} : { limit }) });
  const many = (count = PLACED_AT_ONCE_MIN): Told[] => Array.from({ length: count }, () => ({}));

  /** As a batch of customers is written; `before` takes what locks the events ask for and says what to tell. */
  async function place(tenantId: string, before: (tx: Transaction) => Promise<Told[]>): Promise<string[]> {
    const context = outbox.context(tenantId);
    return database.write(context, async (tx) => {
      const told = await before(tx);
      const prepared = outbox.outbox.prepareEvents(context, told.map(draftOf(context.now)));
      const rows = await outbox.outbox.placeAtOnce(tx, tenantId, prepared);
      await outbox.outbox.publish(tx, context, rows);
      return rows.map(({ id }) => id);
    });
  }

  await t.test('they follow those that had waited, and the next ones follow them', async (t) => {
    const tenantId = await outbox.tenant();
    const early = await publish(tenantId, [{}, {}]);
    const placed = await place(tenantId, async () => many());
    t.equal(await waiting(tenantId), 0, 'nothing is left to the numbering job');
    const [late] = await publish(tenantId, [{}]);
    t.equal(await number(tenantId), 1);
    const found = await feed(tenantId);
    t.same(
      found.map(({ id }) => id),
      [...early, ...placed, late],
    );
    t.same(
      found.map(({ position }) => position),
      found.map((_, index) => index + 1),
    );
  });

  await t.test('few are left to the numbering job', async (t) => {
    const tenantId = await outbox.tenant();
    await place(tenantId, async () => many(PLACED_AT_ONCE_MIN - 1));
    t.equal(await waiting(tenantId), PLACED_AT_ONCE_MIN - 1);
  });

  await t.test('what is rolled back leaves no gap', async (t) => {
    const tenantId = await outbox.tenant();
    const context = outbox.context(tenantId);
    const failing = database.write(context, async (tx) => {
      const prepared = outbox.outbox.prepareEvents(context, many().map(draftOf(context.now)));
      const rows = await outbox.outbox.placeAtOnce(tx, tenantId, prepared);
      t.equal(rows[0]?.position, 1);
      await outbox.outbox.publish(tx, context, rows);
      throw new Error('changed its mind');
    });
    await t.rejects(failing, { message: 'changed its mind' });
    await place(tenantId, async () => many());
    t.equal((await feed(tenantId))[0]?.position, 1);
  });

  await t.test('where somebody else has the feed they are left to the numbering job', async (t) => {
    const tenantId = await outbox.tenant();
    const client = new pg.Client({ connectionString: outbox.url });
    await client.connect();
    t.teardown(() => client.end());
    await client.query('BEGIN');
    await client.query('SELECT FROM feeds WHERE tenant_id = $1 FOR UPDATE', [tenantId]);
    await place(tenantId, async () => many());
    await client.query('ROLLBACK');
    t.equal(await waiting(tenantId), PLACED_AT_ONCE_MIN);
    t.equal(await number(tenantId), PLACED_AT_ONCE_MIN);
  });

  await t.test('and where more has waited than one batch takes', async (t) => {
    const tenantId = await outbox.tenant();
    const customerId = uuidv7();
    await publish(tenantId, [
      ...many(NUMBERED_ON_THE_WAY_MAX),
      { type: 'customer.updated', customerId, sequence: 1 },
    ]);
    await place(tenantId, async () => [...many(), { customerId, sequence: 2 }]);
    while ((await number(tenantId)) > 0);
    const sequences = (await feed(tenantId))
      .filter(({ customer_id }) => customer_id === customerId)
      .map(({ sequence }) => sequence);
    t.same(sequences, [1, 2]);
  });

  await t.test(
    'a reader misses nothing, and each customer’s order is kept, whoever gives the places',
    async (t) => {
      const tenantId = await outbox.tenant();
      const customers = Array.from({ length: 30 }, () => uuidv7()).sort();
      const sequences = new Map(customers.map((id) => [id, 0]));
      const written: string[] = [];
      const seen: Placed[] = [];
      let isWriting = true;
      /** The next of some customers, in the order of their ids as all who lock several do. */
      const nextOf = (chosen: readonly string[]) => async (tx: Transaction) => {
        const told: Told[] = [];
        for (const customerId of chosen) {
          const values = [customerId];
          await tx.rows({ text: 'SELECT pg_advisory_xact_lock(hashtextextended($1, 7))', values });
          const sequence = (sequences.get(customerId) ?? 0) + 1;
          sequences.set(customerId, sequence);
          told.push({ type: 'customer.updated', customerId, sequence });
        }
        return told;
      };
      const write = async (size: number, from: number): Promise<void> => {
        for (let i = 0; i < 12; i++) {
          const start = (from + i) % (customers.length - size + 1);
          written.push(...(await place(tenantId, nextOf(customers.slice(start, start + size)))));
        }
      };
      const numberOn = async (): Promise<void> => {
        while (isWriting) await number(tenantId, 7);
      };
      const read = async (): Promise<void> => {
        for (;;) {
          const wasWriting = isWriting;
          const rows = await feed(tenantId, seen.at(-1)?.position ?? 0);
          seen.push(...rows);
          if (!wasWriting && rows.length === 0) return;
        }
      };
      const writing = Promise.all([write(25, 0), write(25, 3), write(2, 5), write(1, 9)]).then(async () => {
        // Whoever else is at it may have begun before the last was written: it is waited for.
        while ((await numberEvents(database, { tenantId, now: clock.now(), wait: true })) > 0);
        isWriting = false;
      });
      await Promise.all([writing, numberOn(), read()]);
      t.equal(seen.length, 12 * (25 + 25 + 2 + 1));
      t.same(seen.map(({ id }) => id).sort(), [...written].sort());
      t.same(
        seen.map(({ position }) => position),
        seen.map((_, index) => index + 1),
        'and there are no gaps',
      );
      for (const customer of customers) {
        const order = seen
          .filter(({ customer_id }) => customer_id === customer)
          .map(({ sequence }) => sequence);
        t.same(
          order,
          order.map((_, index) => index + 1),
        );
      }
    },
  );
});
