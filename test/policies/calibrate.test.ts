// When a calibration takes effect: after its fit, and never before the version that it follows.

import t from 'tap';
import { createMeasuring } from '../../src/models/measure.js';
import { type CalibrationsDeps, createCalibrations } from '../../src/policies/calibrate.js';
import { startService, type TestService } from '../helpers/service.js';

const MINUTE_MS = 60_000;

interface Page<T> {
  data: T[];
}

function fitting({ database, services, clock }: TestService, deps: Partial<CalibrationsDeps> = {}) {
  const { offload } = services;
  const measuring = createMeasuring({ database, offload });
  return createCalibrations({
    ...{ database, measuring, onVersion: async () => undefined, clock: clock.now },
    ...deps,
  });
}

/** Two orders a few days apart: enough to move what is assumed of an order's successor. */
async function sell(service: TestService): Promise<void> {
  for (const daysAgo of [20, 9]) {
    const placedAt = new Date(service.clock.now().getTime() - daysAgo * 24 * 60 * MINUTE_MS).toISOString();
    const customer = { externalIds: [{ namespace: 'c', id: '1' }] };
    const body = { customer, placedAt, amountMinor: 500, currency: 'EUR' };
    const { statusCode } = await service.inject('POST', '/v1/orders', { body });
    if (statusCode !== 201) throw new Error(`an order was answered with ${statusCode}`);
  }
}

async function list<T>(service: TestService, url: string): Promise<T[]> {
  return (await service.inject('GET', url)).json<Page<T>>().data;
}

t.test('of two fits at once, the one that ends last makes the newer version, from its end', async (t) => {
  const service = await startService(t);
  await sell(service);
  const { clock } = service;
  let letGo: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const slow = fitting(service).fit(service.context(), { onRecording: () => gate });
  clock.advance(MINUTE_MS);
  let walked: Date | undefined;
  const onVersion: CalibrationsDeps['onVersion'] = async (_, { now }) => {
    walked = now;
  };
  const quick = fitting(service, { onVersion }).fit(service.context(), {
    onRecording: async () => clock.advance(MINUTE_MS),
  });
  const first = await quick;
  t.equal(first.version, 1);
  t.same(first.effectiveFrom, clock.now(), 'from the end of its fit, not from its beginning');
  t.same(first.createdAt, clock.now());
  t.same(walked, clock.now());
  const recomputations = await list<{ createdAt: string }>(service, '/v1/recomputations');
  t.match(recomputations, [{ createdAt: clock.now().toISOString() }], 'up to the same instant');
  clock.advance(MINUTE_MS);
  letGo();
  const second = await slow;
  t.equal(second.version, 2);
  t.same(second.effectiveFrom, clock.now());
});

t.test('a clock that is behind makes no version from before the one it follows', async (t) => {
  const service = await startService(t);
  const context = service.context();
  const behind = () => new Date(context.now.getTime() - MINUTE_MS);
  const first = await fitting(service).fit(context);
  const second = await fitting(service, { clock: behind }).fit({ ...context, now: behind() });
  t.equal(second.version, 2);
  t.same(second.effectiveFrom, first.effectiveFrom);
  service.clock.advance(MINUTE_MS);
  const third = await fitting(service, { clock: () => new Date(0) }).fit(service.context());
  t.same(third.effectiveFrom, service.clock.now(), 'nor from before it was asked for');
});
