// Whatever happens to the process that is at work on a backtest, another goes on and comes to the same.

import t from 'tap';
import { type BacktestsService, createBacktestsService } from '../../src/backtests/service.js';
import type { Database } from '../../src/db/database.js';
import { UnavailableError } from '../../src/errors.js';
import type { Offload } from '../../src/offload/offload.js';
import type { PoliciesService } from '../../src/policies/service.js';
import { startService, type TestService } from '../helpers/service.js';
import { ask, backtestOf, CUT, NOW, reportIn, runAll, sendPurchases, show } from './cdnow.js';

t.setTimeout(240_000);

const LEASE_MS = 60_000;
const FIT_LEASE_MS = 600_000;
const RETRY_MS = 10_000;
const CUTS = { cuts: ['1997-07-31T00:00:00.000Z', CUT], segmentBy: 'channel' };
const service = await startService(t, { now: NOW });
await sendPurchases(service);
const expected = reportIn(await backtestOf(service, 1, CUTS));

interface Deviation {
  write?: (work: () => Promise<unknown>) => Promise<unknown>;
  run?: (work: () => Promise<unknown>) => Promise<unknown>;
  /** Before each fit. */
  fit?: () => Promise<void>;
}

/** The service in a process of its own, as it were. */
function another({ database, services, clock }: TestService, { write, run, fit }: Deviation) {
  const failures: unknown[] = [];
  const around = write ?? ((work) => work());
  const computing = run ?? ((work) => work());
  const deviating: Database = {
    ...database,
    write: (context, work, options) =>
      around(() => database.write(context, work, options)) as ReturnType<typeof work>,
  };
  const offload: Pick<Offload, 'run'> = {
    run: ((...task: Parameters<Offload['run']>) =>
      computing(() => services.offload.run(...task))) as Offload['run'],
  };
  const backtests: BacktestsService = createBacktestsService({
    ...{
      database: deviating,
      policies: {
        ...services.policies,
        calibrationAsOf: async (...asked: Parameters<PoliciesService['calibrationAsOf']>) => {
          await fit?.();
          return services.policies.calibrationAsOf(...asked);
        },
      },
      histories: services.transitions.histories,
      offload,
    },
    clock: clock.now,
    onFailure: ({ error }) => failures.push(error),
  });
  return { backtests, failures };
}

for (const when of ['before', 'after'] as const) {
  // The claim, twice a lease and a calibration, stretches of five hundred customers, and the end.
  for (const death of [1, 2, 5, 8, 10]) {
    t.test(`one that dies ${when} commit ${death} is gone on with when its lease is over`, async (t) => {
      const { id } = await ask(service, 1, CUTS);
      let writes = 0;
      const dying = another(service, {
        write: async (work) => {
          writes += 1;
          if (writes > death || (writes === death && when === 'before'))
            throw new Error('the process has died');
          const result = await work();
          if (writes === death) throw new Error('the process has died');
          return result;
        },
      });
      await t.rejects(dying.backtests.advance(service.clock.now()), /the process has died/);
      const left = await show(service, id);
      if (!(death === 1 && when === 'before') && left.status !== 'done') {
        await runAll(service);
        t.same(await show(service, id), left, 'its lease holds off others');
        service.clock.advance(FIT_LEASE_MS);
      }
      await runAll(service);
      const done = await show(service, id);
      t.match(done, { status: 'done', customersDone: 2_357 });
      t.same(done.report, expected);
    });
  }
}

t.test('one that has lost its lease keeps nothing of what it does after that', async (t) => {
  const { id } = await ask(service, 1, CUTS);
  let isSlow = true;
  const slow = another(service, {
    run: async (work) => {
      const result = await work();
      if (isSlow) {
        isSlow = false;
        service.clock.advance(LEASE_MS);
        await runAll(service);
      }
      return result;
    },
  });
  await slow.backtests.advance(service.clock.now());
  t.same(slow.failures, []);
  const done = await show(service, id);
  t.match(done, { status: 'done', customersDone: 2_357 });
  t.same(done.report, expected);
});

t.test('a fit that lasts is nobody else’s meanwhile', async (t) => {
  const { id } = await ask(service, 1, CUTS);
  let fits = 0;
  const slow = another(service, {
    fit: async () => {
      fits += 1;
      service.clock.advance(FIT_LEASE_MS - LEASE_MS);
      await runAll(service);
      t.match(await show(service, id), { status: 'running', customersDone: 0 });
    },
  });
  t.match(await slow.backtests.advance(service.clock.now()), { finished: 1 });
  t.equal(fits, 2);
  t.same((await show(service, id)).report, expected);
});

t.test('it has ended when it ends, and not when the run began', async (t) => {
  const { id } = await ask(service, 1);
  const slow = another(service, {
    run: async (work) => {
      service.clock.advance(1_000);
      return work();
    },
  });
  const began = service.clock.now().getTime();
  await slow.backtests.advance(service.clock.now());
  const { startedAt, finishedAt } = await show(service, id);
  t.equal(Date.parse(startedAt ?? ''), began);
  // Five stretches and the report.
  t.equal(Date.parse(finishedAt ?? ''), began + 6_000);
});

t.test('one that is cancelled while it runs stays so', async (t) => {
  const { id } = await ask(service, 1, CUTS);
  const cancelled = another(service, {
    run: async (work) => {
      const result = await work();
      const { status } = await show(service, id);
      if (status === 'running') await service.inject('DELETE', `/v1/backtests/${id}`);
      return result;
    },
  });
  await cancelled.backtests.advance(service.clock.now());
  t.match(await show(service, id), { status: 'cancelled', report: null });
});

t.test('what fails again and again is given up, and what is not available is not', async (t) => {
  const { id } = await ask(service, 1, CUTS);
  const absent = another(service, {
    run: async () => {
      throw new UnavailableError('Too much is waiting to be computed.');
    },
  });
  for (let n = 0; n < 8; n++) {
    await absent.backtests.advance(service.clock.now());
    service.clock.advance(RETRY_MS);
  }
  t.equal(absent.failures.length, 8);
  t.equal((await show(service, id)).status, 'running');
  const broken = another(service, {
    run: async () => {
      throw new Error('broken');
    },
  });
  for (let n = 0; n < 5; n++) {
    t.equal((await show(service, id)).status, 'running');
    await broken.backtests.advance(service.clock.now());
    service.clock.advance(RETRY_MS);
  }
  t.match(await show(service, id), { status: 'failed', report: null });
  t.equal((await service.inject('DELETE', `/v1/backtests/${id}`)).statusCode, 204);
});
