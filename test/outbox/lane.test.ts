// What one endpoint allows: its rate limit's slots, and the pause and the narrower way of one that is asked too much.

import fc from 'fast-check';
import t from 'tap';
import { Lane, type Laned } from '../../src/outbox/lane.js';
import { LANE_LIMITS } from '../../src/outbox/lane-limits.js';
import { Lanes } from '../../src/outbox/lanes.js';

let made = 0;
function delivery(rateLimitPerS: number | null, endpointId = 'a'): Laned {
  made += 1;
  return { id: `d${made}`, tenantId: 'tenant', endpointId, rateLimitPerS };
}

/** Of an endpoint that has answered before. */
function filled(count: number, rateLimitPerS: number | null): Lanes<Laned> {
  const lanes = new Lanes<Laned>();
  lanes.add(delivery(null));
  for (const one of start(lanes, 0)) lanes.done(one, { ...succeeded, nowMs: 0 });
  for (let i = 0; i < count; i++) lanes.add(delivery(rateLimitPerS));
  return lanes;
}

function start(lanes: Lanes<Laned>, nowMs: number): Laned[] {
  const started: Laned[] = [];
  for (let next = lanes.next(nowMs); next !== undefined; next = lanes.next(nowMs)) started.push(next);
  return started;
}

const succeeded = { isSuccess: true, slowDownMs: null };
const overloaded = { isSuccess: false, slowDownMs: 300 };

t.test('a limited endpoint is sent nothing without a slot, and others are', async (t) => {
  const lanes = filled(5, 10);
  lanes.add(delivery(null, 'b'));
  t.same(
    start(lanes, 0).map(({ endpointId }) => endpointId),
    ['b'],
  );
  t.match(lanes.slotsWanted(0), [{ endpointId: 'a', tenantId: 'tenant', rateLimitPerS: 10, count: 3 }]);
  t.equal(lanes.waitingForUs, 0, 'what waits for a slot does not keep this process from claiming');
});

t.test('a slot is good for one request, from its time until it is over, and lost after that', async (t) => {
  const lanes = filled(5, 10);
  lanes.addSlots('a', [
    { fromMs: 100, untilMs: 150 },
    { fromMs: 200, untilMs: 250 },
    { fromMs: 300, untilMs: 350 },
  ]);
  t.equal(lanes.wakeAtMs(0), 100);
  t.equal(start(lanes, 99).length, 0);
  t.equal(start(lanes, 100).length, 1);
  t.equal(start(lanes, 150).length, 0);
  t.equal(start(lanes, 251).length, 0, 'the second was missed');
  t.equal(lanes.wakeAtMs(251), 300);
  t.equal(start(lanes, 349).length, 1);
  t.equal(lanes.wakeAtMs(349), undefined);
});

t.test('slots are asked for no further ahead than they are needed', async (t) => {
  const lane = new Lane<Laned>('tenant', 'a', LANE_LIMITS);
  lane.rateLimitPerS = 100;
  t.equal(lane.slotsWanted(0), 0, 'nothing waits');
  for (let i = 0; i < 40; i++) lane.waiting.push(delivery(100));
  t.equal(lane.slotsWanted(0), 25);
  lane.addSlots(Array.from({ length: 25 }, (_, i) => ({ fromMs: 800 + i * 10, untilMs: 850 + i * 10 })));
  t.equal(lane.slotsWanted(0), 0, 'there are some, and they are far off');
  t.equal(lane.slotsWanted(800), 15, 'one for each that waits and has none');
});

t.test('a limited endpoint keeps little waiting, and gives the rest a time by its rate', async (t) => {
  const lanes = filled(120, 10);
  const surplus = lanes.surplus(0);
  t.equal(lanes.waiting, 5);
  const waits = surplus.map(({ waitMs }) => waitMs);
  t.equal(waits[0], LANE_LIMITS.waitMs / 2, 'when those that it keeps have gone');
  t.ok(waits.every((waitMs, i) => i === 0 || waitMs - (waits[i - 1] ?? 0) >= 99));
  t.ok((waits.at(-1) ?? 0) > 11_000, 'as far ahead as its rate says');
});

t.test(
  'what an overloaded endpoint is sent at once is halved, and grows by one with each success',
  async (t) => {
    const lanes = filled(100, null);
    const [first, ...others] = start(lanes, 0);
    if (first === undefined) return;
    lanes.done(first, { ...overloaded, nowMs: 10 });
    for (const one of others) lanes.done(one);
    t.equal(start(lanes, 309).length, 0, 'not before its pause is over');
    const half = start(lanes, 310);
    t.equal(half.length, LANE_LIMITS.sendsPerEndpointMax / 2);
    for (const one of half) lanes.done(one, { ...succeeded, nowMs: 320 });
    t.equal(start(lanes, 320).length, LANE_LIMITS.sendsPerEndpointMax);
  },
);

t.test('one is always left, however often it is asked too much', async (t) => {
  const lanes = filled(100, null);
  for (const one of start(lanes, 0)) lanes.done(one, { ...overloaded, nowMs: 10 });
  t.equal(start(lanes, 400).length, 1);
});

t.test('what waits for a long pause goes back until it is over', async (t) => {
  const lanes = filled(20, null);
  const [first] = start(lanes, 0);
  if (first === undefined) return;
  lanes.done(first, { isSuccess: false, slowDownMs: 60_000, nowMs: 10 });
  const surplus = lanes.surplus(10);
  t.equal(lanes.waiting, 0);
  t.ok(surplus.length > 0 && surplus.every(({ waitMs }) => waitMs >= 60_000));
});

function counted(sending: readonly Laned[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { endpointId } of sending) counts.set(endpointId, (counts.get(endpointId) ?? 0) + 1);
  return counts;
}

t.test('whatever happens, the counts are those of what there is, and every start has its slot', (t) => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('add' as const),
      endpoint: fc.nat(3),
      rate: fc.constantFrom(null, null, 1, 7, 200),
    }),
    fc.record({ do: fc.constant('slots' as const), endpoint: fc.nat(3), count: fc.nat(5) }),
    fc.record({ do: fc.constant('start' as const), afterMs: fc.nat(120) }),
    fc.record({ do: fc.constant('end' as const), ok: fc.boolean(), slow: fc.boolean() }),
    fc.record({ do: fc.constant('cut' as const) }),
    fc.record({ do: fc.constant('drain' as const), endpoint: fc.nat(3) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const lanes = new Lanes<Laned>();
      const waiting = new Map<string, Laned>();
      const sending: Laned[] = [];
      const rates = new Map<string, number | null>();
      const slots = new Map<string, number>();
      const answered = new Set<string>();
      let nowMs = 0;
      for (const one of steps) {
        if (one.do === 'add') {
          const endpointId = `e${one.endpoint}`;
          const added = delivery(one.rate, endpointId);
          rates.set(endpointId, one.rate);
          waiting.set(added.id, added);
          lanes.add(added);
        } else if (one.do === 'slots') {
          const endpointId = `e${one.endpoint}`;
          const given = Array.from({ length: one.count }, () => ({ fromMs: nowMs, untilMs: nowMs + 50 }));
          // A lane that nobody has used knows of no slots.
          if (rates.has(endpointId)) slots.set(endpointId, (slots.get(endpointId) ?? 0) + one.count);
          lanes.addSlots(endpointId, given);
        } else if (one.do === 'start') {
          nowMs += one.afterMs;
          for (const started of start(lanes, nowMs)) {
            if (!waiting.delete(started.id)) return false;
            sending.push(started);
            const { endpointId } = started;
            if (rates.get(endpointId) === null) continue;
            const left = (slots.get(endpointId) ?? 0) - 1;
            if (left < 0) return false;
            slots.set(endpointId, left);
          }
        } else if (one.do === 'end') {
          const ended = sending.shift();
          if (ended === undefined) continue;
          answered.add(ended.endpointId);
          lanes.done(ended, { nowMs, isSuccess: one.ok, slowDownMs: one.slow ? 100 : null });
        } else {
          const out =
            one.do === 'cut'
              ? lanes.surplus(nowMs).map(({ delivery }) => delivery)
              : lanes.drain(`e${one.endpoint}`);
          for (const { id } of out) if (!waiting.delete(id)) return false;
        }
        const forUs = [...waiting.values()].filter(({ endpointId }) => rates.get(endpointId) === null);
        if (lanes.waiting !== waiting.size || lanes.sending !== sending.length) return false;
        if (sending.length > LANE_LIMITS.sendsPerTenantMax) return false;
        for (const [endpointId, count] of counted(sending)) {
          const { sendsPerEndpointMax, sendsUnansweredMax } = LANE_LIMITS;
          if (count > (answered.has(endpointId) ? sendsPerEndpointMax : sendsUnansweredMax)) return false;
        }
        if (lanes.waitingForUs < 0 || lanes.waitingForUs > forUs.length) return false;
      }
      // Whatever was counted apart on the way, nothing is left of it.
      lanes.drain();
      return lanes.waitingForUs === 0;
    }),
    { numRuns: 300 },
  );
  t.end();
});

t.test('what waits for a slow endpoint does not keep this process from claiming', (t) => {
  const lanes = new Lanes<Laned>();
  for (let i = 0; i < 100; i += 1) lanes.add(delivery(null, 'e1'));
  t.equal(lanes.waitingForUs, 100, 'a new endpoint is taken to be quick');
  const answer = (nowMs: number, tookMs: number) => {
    const started = start(lanes, nowMs);
    for (const each of started) {
      lanes.done(each, { nowMs: nowMs + tookMs, isSuccess: true, slowDownMs: null });
    }
    return started.length;
  };
  let left = 100 - answer(0, 40);
  t.equal(lanes.waiting, left);
  t.equal(lanes.waitingForUs, 0);
  left -= answer(100, 2);
  t.equal(lanes.waitingForUs, left, 'it is quick again once it has shown to be');
  t.end();
});

t.test('nor does what waits for one that says nothing', async (t) => {
  const lanes = new Lanes<Laned>();
  for (let i = 0; i < 20; i += 1) lanes.add(delivery(null, 'e1'));
  t.equal(start(lanes, 0).length, 2);
  lanes.surplus(200);
  t.equal(lanes.waitingForUs, 18, 'it may still be quick');
  lanes.surplus(300);
  t.equal(lanes.waitingForUs, 0);
});
