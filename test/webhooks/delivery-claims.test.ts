import { EventEmitter, once } from 'node:events';
import pg from 'pg';
import t from 'tap';
import { openDatabase } from '../../src/db/database.js';
import type { SendInput, SendResult } from '../../src/webhooks/transport.js';
import { makeDoor } from '../helpers/door.js';
import { createReceiver } from '../helpers/receiver.js';
import { transportFor } from '../helpers/transport.js';
import { openOutbox } from '../outbox/fixture.js';

const LEASE_MS = 60_000;

/** A real transport behind a gate: what is sent waits until the test lets it go. */
function gatedTransport(t: { teardown(close: () => Promise<void>): unknown }) {
  const transport = transportFor(t);
  let open: () => void = () => undefined;
  let arrived: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const waiting = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  return {
    open: () => open(),
    /** Resolves when something has come to the gate. */
    waiting,
    send: async (input: SendInput): Promise<SendResult> => {
      arrived();
      await gate;
      return transport.send(input);
    },
  };
}

t.test('claims', async (t) => {
  const outbox = await openOutbox(t);
  const { clock, publish, endpoint, worker, sql } = outbox;
  const deliveries = (endpointId: string) =>
    sql<{ id: string; status: string; attempts: number }>(
      'SELECT id, status, attempts FROM deliveries WHERE endpoint_id = $1 ORDER BY id',
      [endpointId],
    );

  await t.test('what one worker has claimed, another does not see until the lease has run out', async (t) => {
    const receiver = await createReceiver(t);
    const tenantId = await outbox.tenant();
    const endpointId = await endpoint(tenantId, receiver.url);
    await publish(tenantId, [{}]);
    const gate = gatedTransport(t);
    const slow = worker(t, { transport: gate });
    const quick = worker(t);
    t.equal(await slow.pump(clock.now()), 1);
    await gate.waiting;
    clock.advance(LEASE_MS - 1);
    t.equal(await quick.pump(clock.now()), 0);
    clock.advance(1);
    t.equal(await quick.pump(clock.now()), 1, 'a dead worker’s delivery is taken up');
    await quick.settled();
    gate.open();
    await slow.settled();
    t.match(await deliveries(endpointId), [{ status: 'succeeded', attempts: 1 }]);
  });

  await t.test('a worker that comes back after its lease overwrites nothing', async (t) => {
    let answers = 0;
    const receiver = await createReceiver(t, { respond: () => ({ status: answers++ === 0 ? 200 : 500 }) });
    const tenantId = await outbox.tenant();
    const endpointId = await endpoint(tenantId, receiver.url);
    await publish(tenantId, [{}]);
    const gate = gatedTransport(t);
    const outcomes: string[] = [];
    const late = worker(t, { transport: gate, onOutcome: (kind) => outcomes.push(kind) });
    await late.pump(clock.now());
    await gate.waiting;
    clock.advance(LEASE_MS);
    const other = worker(t);
    await other.pump(clock.now());
    await other.settled();
    const [before] = await deliveries(endpointId);
    t.match(before, { status: 'succeeded', attempts: 1 });
    gate.open();
    await late.settled();
    t.equal(receiver.requests.length, 2, 'it was sent, and answered with a failure');
    t.same(outcomes, ['retry', 'lost']);
    t.same(await deliveries(endpointId), [before]);
    const { attempts } = await outbox.deliveries.get(outbox.context(tenantId), before?.id ?? '');
    t.same(
      attempts.map(({ number, status }) => ({ number, status })),
      [{ number: 1, status: 200 }],
    );
  });

  await t.test('a clock that leaps past the lease makes a live worker send nothing twice', async (t) => {
    const receiver = await createReceiver(t);
    const tenantId = await outbox.tenant();
    const endpointId = await endpoint(tenantId, receiver.url);
    await publish(tenantId, [{}, {}, {}]);
    const gate = gatedTransport(t);
    const deliverer = worker(t, { transport: gate });
    await deliverer.pump(clock.now());
    await gate.waiting;
    clock.advance(24 * 3_600_000);
    t.equal(await deliverer.pump(clock.now()), 3, 'the claims are renewed');
    gate.open();
    await deliverer.settled();
    t.equal(receiver.requests.length, 3);
    t.match(await deliveries(endpointId), Array(3).fill({ status: 'succeeded', attempts: 1 }));
  });

  await t.test('many workers at once deliver everything, each once', async (t) => {
    const receiver = await createReceiver(t);
    const tenantId = await outbox.tenant();
    await endpoint(tenantId, `${receiver.url}/a`);
    await endpoint(tenantId, `${receiver.url}/b`);
    const ids = await publish(
      tenantId,
      Array.from({ length: 1_000 }, () => ({})),
    );
    const workers = Array.from({ length: 4 }, () => worker(t));
    const drain = async (deliverer: (typeof workers)[number]): Promise<void> => {
      while ((await deliverer.pump(clock.now())) > 0);
      await deliverer.settled();
    };
    const remaining = async (): Promise<number> => {
      const rows = await sql(`SELECT FROM deliveries WHERE tenant_id = $1 AND status = 'pending'`, [
        tenantId,
      ]);
      return rows.length;
    };
    await Promise.all(workers.map(drain));
    while ((await remaining()) > 0) {
      // What the receiver was too slow for was put off for half a minute at most.
      clock.advance(30_000);
      await Promise.all(workers.map(drain));
    }
    t.equal(receiver.requests.length, 2_000);
    const sent = new Set(receiver.requests.map(({ path, headers }) => `${path} ${headers['webhook-id']}`));
    t.equal(sent.size, 2_000);
    t.ok(ids.every((id) => sent.has(`/a ${id}`) && sent.has(`/b ${id}`)));
  });

  await t.test('what another transaction holds is passed over, not waited for', async (t) => {
    const receiver = await createReceiver(t);
    const tenantId = await outbox.tenant();
    const endpointId = await endpoint(tenantId, receiver.url);
    await publish(tenantId, [{}, {}, {}]);
    const client = new pg.Client({ connectionString: outbox.url });
    await client.connect();
    t.teardown(() => client.end());
    const [first] = await deliveries(endpointId);
    await client.query('BEGIN');
    await client.query('SELECT FROM deliveries WHERE id = $1 FOR UPDATE', [first?.id]);
    const deliverer = worker(t);
    t.equal(await deliverer.pump(clock.now()), 2);
    await deliverer.settled();
    await client.query('ROLLBACK');
    t.equal(await deliverer.pump(clock.now()), 1);
    await deliverer.settled();
    t.match(await deliveries(endpointId), Array(3).fill({ status: 'succeeded', attempts: 1 }));
  });

  await t.test(
    'a stop gives back what waits and ends what is under way, at no cost of attempts',
    async (t) => {
      const receiver = await createReceiver(t, { respond: () => null });
      const tenantId = await outbox.tenant();
      const endpointId = await endpoint(tenantId, receiver.url);
      await publish(
        tenantId,
        Array.from({ length: 20 }, () => ({})),
      );
      const deliverer = worker(t);
      await deliverer.pump(clock.now());
      await receiver.waitFor(1);
      await deliverer.stop(0);
      const [{ pending } = { pending: -1 }] = await sql<{ pending: number }>(
        `SELECT count(*)::int AS pending FROM deliveries
        WHERE endpoint_id = $1 AND status = 'pending' AND claim_token IS NULL AND attempts = 0 AND due_at <= $2`,
        [endpointId, clock.now()],
      );
      t.equal(pending, 20);
      t.equal(await deliverer.pump(clock.now()), 0, 'it claims no more');
      await sql('DELETE FROM deliveries WHERE endpoint_id = $1', [endpointId]);
    },
  );

  await t.test('an endpoint that hangs keeps no other endpoint and no other tenant waiting', async (t) => {
    const hanging = await createReceiver(t, { respond: () => null });
    const well = await createReceiver(t);
    const first = await outbox.tenant();
    const second = await outbox.tenant();
    await endpoint(first, hanging.url);
    await endpoint(first, well.url);
    await endpoint(second, well.url);
    const many = Array.from({ length: 100 }, () => ({}));
    await publish(first, many);
    await publish(second, many);
    const deliverer = worker(t);
    await deliverer.pump(clock.now());
    await well.waitFor(200);
    t.ok(hanging.requests.length <= 8, 'while the hanging one has its few sends under way');
    await deliverer.stop(0);
    await sql('DELETE FROM deliveries');
  });

  await t.test(
    'outcomes that cannot be recorded while the database is away are recorded afterwards',
    async (t) => {
      const receiver = await createReceiver(t);
      const tenantId = await outbox.tenant();
      const endpointId = await endpoint(tenantId, receiver.url);
      await publish(tenantId, [{}]);
      const gate = gatedTransport(t);
      const { hostname, port } = new URL(outbox.url);
      const door = await makeDoor(t, { host: hostname, port: Number(port) });
      await door.open();
      const url = new URL(outbox.url);
      url.port = String(door.port);
      const database = openDatabase({ url: url.href, onError: () => undefined });
      t.teardown(() => database.close());
      const failed = new EventEmitter();
      const deliverer = worker(t, {
        database,
        transport: gate,
        onError: (error) => failed.emit('error!', error),
      });
      await deliverer.pump(clock.now());
      await gate.waiting;
      await door.shut();
      const failure = once(failed, 'error!');
      gate.open();
      const [error] = await failure;
      t.match(error, { kind: 'unavailable' });
      t.match(await deliveries(endpointId), [{ status: 'pending', attempts: 0 }]);
      await door.open();
      await deliverer.settled();
      t.match(await deliveries(endpointId), [{ status: 'succeeded', attempts: 1 }]);
      t.equal(receiver.requests.length, 1);
    },
  );
});
