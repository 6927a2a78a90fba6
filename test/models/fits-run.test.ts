// How a fit goes on: the API answers while it computes, one replica has it at a time, and a failure is tried again.

import t from 'tap';
import type { Context } from '../../src/context.js';
import { UnavailableError } from '../../src/errors.js';
import { createMeasuring } from '../../src/models/measure.js';
import type { Fit } from '../../src/models/schemas.js';
import { createModelsService } from '../../src/models/service.js';
import { createOffload, type Offload } from '../../src/offload/offload.js';
import type { TaskName } from '../../src/offload/tasks.js';
import { createCalibrations } from '../../src/policies/calibrate.js';
import { createPoliciesService } from '../../src/policies/service.js';
import { startService, type TestService } from '../helpers/service.js';
import type { Gated } from './gated-tasks.js';
import { read } from './shop.js';

const LEASE_MS = 10 * 60_000;

/** The models of a service with a pool of the test's own: another replica, as far as the database can tell. */
function replicaOf({ database, services, clock }: TestService, offload: Pick<Offload, 'run'>) {
  const failures: unknown[] = [];
  const measuring = createMeasuring({ database, offload });
  const calibrations = createCalibrations({
    ...{ database, measuring, clock: clock.now },
    onVersion: async () => undefined,
  });
  const { outbox, transitions } = services;
  const policies = createPoliciesService({ database, outbox, calibrations, transitions, clock: clock.now });
  const onFailure = ({ error }: { error: unknown }) => failures.push(error);
  const models = createModelsService({ database, policies, offload, clock: clock.now, onFailure });
  return { models, failures };
}

const shared = await startService(t);

async function asked(slug: string): Promise<{ service: TestService; url: string }> {
  const service = await shared.forTenant(slug);
  const answer = await service.inject('POST', '/v1/models/fits');
  return { service, url: `/v1/models/fits/${answer.json<Fit>().id}` };
}

t.test('while a fit computes, the API answers, and says how far it is', async (t) => {
  const { service, url } = await asked('gated');
  const pool = createOffload<Gated>({
    threadsMax: 1,
    entry: new URL('./gated-tasks.js', import.meta.url),
  });
  t.teardown(() => pool.close());
  const gate = new SharedArrayBuffer(4);
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const run = (task: string, input: unknown) => {
    begin();
    return pool.run('gated', { gate, task, input } as never);
  };
  const { models } = replicaOf(service, { run: run as Offload['run'] });
  const fitting = models.fitDue(service.clock.now());
  await begun;
  // Nothing but this thread opens the gate, and it does so only after these have been answered.
  t.match(await read(service, url), { status: 'running', stage: 'fitting', attempts: 1 });
  t.equal((await service.inject('GET', '/v1/customers')).statusCode, 200);
  Atomics.store(new Int32Array(gate), 0, 1);
  Atomics.notify(new Int32Array(gate), 0);
  t.same(await fitting, { fitted: 1, failed: 0 });
  t.match(await read(service, url), { status: 'done', stage: null, calibrationVersion: 1 });
});

t.test('a fit that fails is tried again, three times in all, and makes no version', async (t) => {
  const { service, url } = await asked('failing');
  const failing = { run: () => Promise.reject(new Error('out of memory')) };
  const { models, failures } = replicaOf(service, failing);
  for (const attempts of [1, 2, 3]) {
    t.same(await models.fitDue(service.clock.now()), { fitted: 0, failed: 1 });
    const status = attempts < 3 ? 'queued' : 'failed';
    t.match(await read(service, url), { status, stage: 'fitting', attempts, calibrationVersion: null });
    t.same(await models.fitDue(service.clock.now()), { fitted: 0, failed: 0 }, 'not at once');
    service.clock.advance(attempts * 60_000);
  }
  t.match(failures, [/out of memory/, /out of memory/, /out of memory/]);
  t.same((await read<{ data: unknown[] }>(service, '/v1/calibrations')).data, []);
  const next = await service.inject('POST', '/v1/models/fits');
  t.match(next.json(), { status: 'queued', attempts: 0 });
  t.same(await service.services.models.fitDue(service.clock.now()), { fitted: 1, failed: 0 });
});

t.test('a fit whose replica is gone is taken over after its lease, and makes one version', async (t) => {
  const { service, url } = await asked('lost');
  let resume: (error: Error) => void = () => undefined;
  const stuck = {
    run: () =>
      new Promise<never>((_, reject) => {
        resume = reject;
      }),
  };
  const { models } = replicaOf(service, stuck);
  const lost = models.fitDue(service.clock.now());
  while ((await read<Fit>(service, url)).stage !== 'fitting') await new Promise(setImmediate);
  t.same(await service.services.models.fitDue(service.clock.now()), { fitted: 0, failed: 0 }, 'it is held');
  service.clock.advance(LEASE_MS);
  t.same(await service.services.models.fitDue(service.clock.now()), { fitted: 1, failed: 0 });
  resume(new Error('the other replica comes back'));
  t.same(await lost, { fitted: 0, failed: 1 });
  t.match(await read(service, url), { status: 'done', attempts: 2, calibrationVersion: 1 });
  t.equal((await read<{ data: unknown[] }>(service, '/v1/calibrations')).data.length, 1);
});

t.test('what was not available is no try: the fit is made once it is', async (t) => {
  const { service, url } = await asked('unavailable');
  const stopping = { run: () => Promise.reject(new UnavailableError('The service is stopping.')) };
  const { models } = replicaOf(service, stopping);
  for (let restart = 0; restart < 5; restart += 1) {
    t.same(await models.fitDue(service.clock.now()), { fitted: 0, failed: 1 });
    t.match(await read(service, url), { status: 'queued', attempts: 0, finishedAt: null });
    t.same(await models.fitDue(service.clock.now()), { fitted: 0, failed: 0 }, 'not at once');
    service.clock.advance(10_000);
  }
  t.same(await service.services.models.fitDue(service.clock.now()), { fitted: 1, failed: 0 });
  t.match(await read(service, url), { status: 'done', attempts: 1, calibrationVersion: 1 });
});

t.test('a fit of which the process dies at every try is given up', async (t) => {
  const { service, url } = await asked('deadly');
  const { models, failures } = replicaOf(service, { run: () => new Promise<never>(() => undefined) });
  for (const attempts of [1, 2, 3]) {
    void models.fitDue(service.clock.now());
    while (!isAt(await read<Fit>(service, url), attempts)) await new Promise(setImmediate);
    service.clock.advance(LEASE_MS);
  }
  t.same(await models.fitDue(service.clock.now()), { fitted: 0, failed: 1 });
  const finishedAt = service.clock.now().toISOString();
  t.match(await read(service, url), { status: 'failed', attempts: 3, calibrationVersion: null, finishedAt });
  t.match(failures, [/has died/]);
  service.clock.advance(LEASE_MS);
  t.same(await models.fitDue(service.clock.now()), { fitted: 0, failed: 0 });
});

function isAt({ stage, attempts }: Fit, wanted: number): boolean {
  return stage === 'fitting' && attempts === wanted;
}

t.test('a fit that takes longer than a lease is held as long as it goes on', async (t) => {
  const { service, url } = await asked('long');
  const { offload, models: others } = service.services;
  const taken: unknown[] = [];
  const run = async (task: TaskName, input: never) => {
    service.clock.advance(0.6 * LEASE_MS);
    taken.push(await others.fitDue(service.clock.now()));
    return offload.run(task, input);
  };
  const { models } = replicaOf(service, { run: run as Offload['run'] });
  t.same(await models.fitDue(service.clock.now()), { fitted: 1, failed: 0 });
  t.ok(taken.length >= 3, `${taken.length} models fitted`);
  for (const result of taken) t.same(result, { fitted: 0, failed: 0 });
  const done = await read<Fit>(service, url);
  t.match(done, { status: 'done', attempts: 1, calibrationVersion: 1 });
});

t.test('a request is idempotent by its key', async (t) => {
  const service = await shared.forTenant('keyed');
  const headers = { 'idempotency-key': 'fit-once' };
  const first = await service.inject('POST', '/v1/models/fits', { headers });
  const context: Context = service.context();
  await service.services.models.fitDue(context.now);
  const second = await service.inject('POST', '/v1/models/fits', { headers });
  t.same(second.json(), first.json());
  t.equal((await read<{ data: unknown[] }>(service, '/v1/models/fits')).data.length, 1);
});
