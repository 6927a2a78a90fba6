// A replay is somebody's explicit wish and may take long: whatever happens to the process that takes it further,
// each event of its range is queued once.

import t from 'tap';
import type { Database } from '../../src/db/database.js';
import { createReplaysService, type ReplaysService } from '../../src/outbox/replays-service.js';
import { startService, type TestService } from '../helpers/service.js';
import { endpointOf, replayDue, tell } from './teller.js';

const LEASE_MS = 60_000;
const EVENTS = 2_100;

t.test('an interrupted replay', async (t) => {
  const shared = await startService(t);

  async function prepared(slug: string) {
    const service = await shared.forTenant(slug);
    await tell(service, Array(EVENTS).fill({}));
    const endpointId = await endpointOf(service, 'https://127.0.0.1/', { status: 'paused' });
    await service.inject('POST', `/v1/webhook-endpoints/${endpointId}/replays`, {
      body: { from: '2026-03-01T00:00:00Z', eventTypes: ['policy.activated'] },
    });
    return { service, endpointId };
  }

  async function queued({ database, tenant }: TestService): Promise<{ all: number; events: number }> {
    const [row] = await database.read(tenant.id, (executor) =>
      executor.rows<{ all: number; events: number }>({
        text: `SELECT count(*)::int AS all, count(DISTINCT event_id)::int AS events
                 FROM deliveries WHERE tenant_id = $1`,
        values: [tenant.id],
      }),
    );
    return row ?? { all: 0, events: 0 };
  }

  /** The service in a process of its own, as it were, whose writes go through `around`. */
  function another(service: TestService, around: (work: () => Promise<unknown>) => Promise<unknown>) {
    const failures: unknown[] = [];
    const database: Database = {
      ...service.database,
      write: (context, work, options) =>
        around(() => service.database.write(context, work, options)) as ReturnType<typeof work>,
    };
    const onFailure = ({ error }: { error: unknown }) => failures.push(error);
    const replays: ReplaysService = createReplaysService({ database, retentionDays: 90, onFailure });
    return { replays, failures };
  }

  for (const when of ['before', 'after'] as const) {
    await t.test(`that dies ${when} one of its commits is gone on with when its lease is over`, async (t) => {
      const { service, endpointId } = await prepared(`dies-${when}`);
      let writes = 0;
      const { replays, failures } = another(service, async (write) => {
        const isLast = ++writes === 6;
        if (isLast && when === 'before') throw new Error('the process has died');
        const result = await write();
        if (isLast) throw new Error('the process has died');
        return result;
      });
      await replays.advance(service.clock.now());
      t.equal(failures.length, 1);
      const before = await queued(service);
      t.ok(before.all > 0 && before.all < EVENTS, `${before.all} were queued until then`);
      t.equal(await replayDue(service), 0, 'nobody takes it over while the lease lasts');
      service.clock.advance(LEASE_MS);
      await replayDue(service);
      const after = await queued(service);
      t.same(after, { all: EVENTS, events: EVENTS });
      const page = (await service.inject('GET', `/v1/webhook-endpoints/${endpointId}/replays`)).json();
      t.match(page.data, [{ status: 'done', deliveriesQueued: EVENTS }]);
    });
  }

  await t.test('that comes back after its lease writes nothing any more', async (t) => {
    const { service } = await prepared('late');
    let writes = 0;
    let resume: () => void = () => undefined;
    let stopped: () => void = () => undefined;
    const resumed = new Promise<void>((resolve) => {
      resume = resolve;
    });
    const isStopped = new Promise<void>((resolve) => {
      stopped = resolve;
    });
    const { replays, failures } = another(service, async (write) => {
      if (++writes === 6) {
        stopped();
        await resumed;
      }
      return write();
    });
    const late = replays.advance(service.clock.now());
    await isStopped;
    service.clock.advance(LEASE_MS);
    t.ok((await replayDue(service)) > 0);
    const before = await queued(service);
    t.same(before, { all: EVENTS, events: EVENTS });
    resume();
    t.match(await late, { finished: 0 });
    t.same(failures, []);
    t.same(await queued(service), before);
  });
});
