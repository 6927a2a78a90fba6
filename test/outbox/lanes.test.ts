import t, { type Test } from 'tap';
import type { Answered, Laned } from '../../src/outbox/lane.js';
import { LANE_LIMITS } from '../../src/outbox/lane-limits.js';
import { Lanes } from '../../src/outbox/lanes.js';

let made = 0;
function delivery(endpointId: string, tenantId = 'tenant', rateLimitPerS: number | null = null): Laned {
  made += 1;
  return { id: `d${made}`, tenantId, endpointId, rateLimitPerS };
}

function add(lanes: Lanes<Laned>, count: number, endpointId: string, tenantId?: string): void {
  for (let i = 0; i < count; i++) lanes.add(delivery(endpointId, tenantId));
}

const ok = (nowMs: number): Answered => ({ nowMs, isSuccess: true, slowDownMs: null });

/** Starts all that may start, and answers what did. */
function start(lanes: Lanes<Laned>, nowMs: number): Laned[] {
  const started: Laned[] = [];
  for (let next = lanes.next(nowMs); next !== undefined; next = lanes.next(nowMs)) started.push(next);
  return started;
}

/** Endpoints that have answered before, after so long. */
function answered(lanes: Lanes<Laned>, endpointIds: readonly string[], tenantId?: string, tookMs = 0): void {
  for (const endpointId of endpointIds) {
    lanes.add(delivery(endpointId, tenantId));
    for (const one of start(lanes, 0)) lanes.done(one, ok(tookMs));
  }
}

const named = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}${i}`);

t.test('an endpoint’s deliveries leave in their order, so many at once', async (t) => {
  const lanes = new Lanes<Laned>();
  answered(lanes, ['a']);
  const all = Array.from({ length: 20 }, () => delivery('a'));
  for (const one of all) lanes.add(one);
  const first = start(lanes, 0);
  t.same(first, all.slice(0, LANE_LIMITS.sendsPerEndpointMax));
  for (const one of first.slice(0, 3)) lanes.done(one, ok(1));
  t.same(start(lanes, 1), all.slice(8, 11));
  t.equal(lanes.waiting, 9);
  t.equal(lanes.sending, 8);
});

t.test('all endpoints together are bounded', async (t) => {
  const lanes = new Lanes<Laned>();
  answered(lanes, named('e', 50));
  for (let e = 0; e < 50; e++) add(lanes, 10, `e${e}`);
  t.equal(start(lanes, 0).length, LANE_LIMITS.sendsMax);
});

t.test('tenants take turns, however many endpoints one of them has', async (t) => {
  const lanes = new Lanes<Laned>({ ...LANE_LIMITS, sendsMax: 12, sendsReserved: 0 });
  answered(lanes, ['small'], 'small');
  for (let e = 0; e < 40; e++) add(lanes, 10, `big${e}`, 'big');
  add(lanes, 10, 'small', 'small');
  const started = start(lanes, 0);
  t.equal(started.filter(({ tenantId }) => tenantId === 'small').length, 6);
});

t.test('endpoints of a tenant take turns', async (t) => {
  const lanes = new Lanes<Laned>({ ...LANE_LIMITS, sendsMax: 6, sendsReserved: 0 });
  answered(lanes, ['a', 'b', 'c']);
  add(lanes, 100, 'a');
  add(lanes, 100, 'b');
  add(lanes, 1, 'c');
  const ids = start(lanes, 0).map(({ endpointId }) => endpointId);
  t.same(ids, ['a', 'b', 'c', 'a', 'b', 'a']);
});

t.test('endpoints that hang hold up nobody: sends that last stop counting', async (t) => {
  const lanes = new Lanes<Laned>();
  answered(lanes, named('hanging', 8));
  for (let e = 0; e < 8; e++) add(lanes, 8, `hanging${e}`);
  t.equal(start(lanes, 0).length, 64, 'every place is taken');
  add(lanes, 2, 'well', 'other');
  t.same(start(lanes, 500), []);
  t.equal(start(lanes, LANE_LIMITS.slowAfterMs).length, 2);
  t.equal(lanes.sending, 66);
});

/** A tenant of fifty endpoints that all take so long, and one with an endpoint that is quick. */
async function crowd(t: Test, tookMs: number): Promise<void> {
  const lanes = new Lanes<Laned>();
  answered(lanes, ['quick'], 'well');
  const slow = new Map<Laned, number>();
  let largest = 0;
  let late = 0;
  for (let nowMs = 0; nowMs < 40_000; nowMs += 100) {
    for (let e = 0; e < 50; e++) if (nowMs % 1_000 === 0) add(lanes, 10, `slow${e}`, 'crowd');
    for (const [one, startedMs] of slow) {
      if (nowMs - startedMs < tookMs) continue;
      slow.delete(one);
      lanes.done(one, ok(nowMs));
    }
    lanes.surplus(nowMs);
    add(lanes, 1, 'quick', 'well');
    const quick: Laned[] = [];
    for (const one of start(lanes, nowMs)) {
      if (one.tenantId === 'well') quick.push(one);
      else slow.set(one, nowMs);
    }
    if (quick.length !== 1) late += 1;
    for (const one of quick) lanes.done(one, ok(nowMs + 5));
    largest = Math.max(largest, slow.size);
    if (nowMs % 1_000 === 500 && nowMs > 5_000 && lanes.waitingForUs > 0) late += 1;
  }
  t.equal(late, 0, 'the quick one’s went at once, every time, and nothing kept it from being claimed');
  t.ok(largest > 64, 'while the others had all that they may have');
  t.ok(largest <= LANE_LIMITS.sendsPerTenantMax, `${largest} at once`);
}

t.test('fifty endpoints that never answer keep a quick one from nothing', (t) => crowd(t, Infinity));

t.test('nor do fifty that succeed slowly', (t) => crowd(t, 4_500));

t.test('an endpoint that has not answered yet is sent two', async (t) => {
  const lanes = new Lanes<Laned>();
  add(lanes, 10, 'new');
  const [first] = start(lanes, 0);
  t.equal(lanes.sending, LANE_LIMITS.sendsUnansweredMax);
  if (first !== undefined) lanes.done(first, ok(5));
  start(lanes, 5);
  t.equal(lanes.sending, LANE_LIMITS.sendsPerEndpointMax);
});

t.test('a quick one that falls silent has no place of the quick any more', async (t) => {
  const lanes = new Lanes<Laned>();
  answered(lanes, ['fallen'], 'a');
  add(lanes, 8, 'fallen', 'a');
  t.equal(start(lanes, 0).length, 8);
  for (let e = 0; e < 30; e++) add(lanes, 8, `new${e}`, 'b');
  t.equal(start(lanes, 300).length, LANE_LIMITS.sendsMax - LANE_LIMITS.sendsReserved);
});

t.test('what lasts is bounded as well', async (t) => {
  const lanes = new Lanes<Laned>({ ...LANE_LIMITS, sendsMax: 4, sendsReserved: 0, slowSendsMax: 4 });
  for (let e = 0; e < 20; e++) add(lanes, 1, `hanging${e}`);
  t.equal(start(lanes, 0).length, 4);
  t.equal(start(lanes, 1_000).length, 4);
  t.equal(start(lanes, 2_000).length, 0);
  t.equal(lanes.sending, 8);
});

t.test('an endpoint that hangs is tried by one send at a time until it answers again', async (t) => {
  const lanes = new Lanes<Laned>();
  add(lanes, 20, 'a');
  for (const one of start(lanes, 0)) lanes.done(one, ok(15_000));
  const probe = start(lanes, 15_000);
  t.equal(probe.length, 1);
  for (const one of probe) lanes.done(one, ok(15_010));
  t.equal(start(lanes, 15_010).length, LANE_LIMITS.sendsPerEndpointMax);
});

t.test('a slow answer among quick ones makes no slow endpoint', async (t) => {
  const lanes = new Lanes<Laned>();
  answered(lanes, ['a']);
  add(lanes, 8, 'a');
  const [slow, ...quick] = start(lanes, 0);
  for (const one of quick) lanes.done(one, ok(5));
  if (slow !== undefined) lanes.done(slow, ok(12_000));
  add(lanes, 400, 'a');
  t.same(lanes.surplus(12_000), []);
});

t.test('what a slow endpoint cannot take soon is given back, each at a time of its own', async (t) => {
  const lanes = new Lanes<Laned>();
  answered(lanes, ['slow'], undefined, 1_000);
  add(lanes, 100, 'slow');
  add(lanes, 100, 'well');
  const surplus = lanes.surplus(1_000);
  t.ok(surplus.every(({ delivery }) => delivery.endpointId === 'slow'));
  t.ok(surplus.length > 80 && surplus.length < 100, `${surplus.length} of 100`);
  const waits = surplus.map(({ waitMs }) => waitMs);
  t.ok(waits.every((waitMs, i) => waitMs >= LANE_LIMITS.waitMs && (i === 0 || waitMs > (waits[i - 1] ?? 0))));
  t.equal(lanes.waiting, 200 - surplus.length);
  t.same(lanes.surplus(1_000), [], 'and nothing more');
});

t.test('nothing is put off for longer than the bound', async (t) => {
  const lanes = new Lanes<Laned>();
  add(lanes, 8, 'hanging');
  t.equal(start(lanes, 0).length, 2);
  add(lanes, 400, 'hanging');
  const surplus = lanes.surplus(14_000);
  t.ok(surplus.length >= 399);
  t.equal(Math.max(...surplus.map(({ waitMs }) => waitMs)), LANE_LIMITS.putOffMaxMs);
});

t.test('an endpoint can be emptied by itself', async (t) => {
  const lanes = new Lanes<Laned>();
  add(lanes, 3, 'a');
  add(lanes, 2, 'b');
  t.equal(lanes.drain('a').length, 3);
  t.equal(lanes.waiting, 2);
  t.same(
    start(lanes, 0).map(({ endpointId }) => endpointId),
    ['b', 'b'],
  );
});
