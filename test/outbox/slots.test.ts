import fc from 'fast-check';
import t from 'tap';
import { SLOT_MS, SlotClock, spacingMs } from '../../src/outbox/slots.js';

/** What the database gives out: one after the other, whoever asks, never in the past. */
function givingSlots() {
  let nextMs = 0;
  return (nowMs: number, count: number, eachMs: number): number => {
    const firstMs = Math.max(nextMs, nowMs);
    nextMs = firstMs + count * eachMs;
    return firstMs;
  };
}

function mostInOneSecond(startsMs: readonly number[]): number {
  const sorted = [...startsMs].sort((a, b) => a - b);
  let most = 0;
  let from = 0;
  sorted.forEach((startMs, index) => {
    while (startMs - (sorted[from] ?? 0) >= 1000) from += 1;
    most = Math.max(most, index - from + 1);
  });
  return most;
}

t.test('however many processes ask, and whenever they start, no second has more than N starts', (t) => {
  const asking = fc.record({
    process: fc.nat(3),
    afterMs: fc.nat(400),
    /** How long the question and the answer took. */
    outMs: fc.double({ min: 0, max: 40, noNaN: true }),
    backMs: fc.double({ min: 0, max: 40, noNaN: true }),
    count: fc.integer({ min: 1, max: 40 }),
    /** Where in its slot each request starts. */
    lateness: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 40, maxLength: 40 }),
  });
  const offsets = fc.array(fc.integer({ min: -1e9, max: 1e9 }), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 300 }),
      offsets,
      fc.array(asking, { maxLength: 60 }),
      (rate, differences, all) => {
        const eachMs = spacingMs(rate);
        const give = givingSlots();
        const processes = differences.map((differenceMs) => ({
          differenceMs,
          clock: new SlotClock(),
          asks: 0,
        }));
        const starts: number[] = [];
        let nowMs = 1e6;
        for (const { process, afterMs, outMs, backMs, count, lateness } of all) {
          nowMs += afterMs;
          const one = processes[process];
          // After ten readings that leave doubt, the clock makes do with what it has.
          if (one === undefined || ++one.asks > 10) continue;
          const { differenceMs, clock } = one;
          const ownMs = nowMs - differenceMs;
          const databaseMs = nowMs + outMs;
          const taken = clock.isSure(ownMs) ? count : 0;
          const firstMs = give(databaseMs, taken, eachMs);
          clock.observe({ databaseMs, beforeMs: ownMs, afterMs: ownMs + outMs + backMs });
          clock.slots({ firstMs, count: taken, eachMs }).forEach(({ fromMs, untilMs }, index) => {
            if (untilMs < fromMs) throw new Error('a slot closes before it opens');
            const startMs = fromMs + (untilMs - fromMs) * (lateness[index] ?? 0) + differenceMs;
            starts.push(startMs);
          });
        }
        return mostInOneSecond(starts) <= rate;
      },
    ),
    { numRuns: 400 },
  );
  t.end();
});

t.test('what is given out is at least 0.94 of the limit', async (t) => {
  t.ok(1000 / spacingMs(50) / 50 > 0.94);
});

t.test('readings narrow each other down, and a clock that is set is believed', async (t) => {
  const clock = new SlotClock();
  const slotAt = (): number => {
    const [slot] = clock.slots({ firstMs: 10_000, count: 1, eachMs: 1 });
    return slot === undefined ? 0 : (slot.fromMs + slot.untilMs) / 2 - SLOT_MS / 2;
  };
  clock.observe({ databaseMs: 5_000, beforeMs: 0, afterMs: 40 });
  clock.observe({ databaseMs: 5_100, beforeMs: 99, afterMs: 101 });
  t.ok(Math.abs(slotAt() - 5_000) < 1, 'within a millisecond of the truth');
  clock.observe({ databaseMs: 1_100, beforeMs: 199, afterMs: 201 });
  t.ok(Math.abs(slotAt() - 9_100) < 2, 'the database’s clock is four seconds back');
});

t.test(
  'where readings leave much doubt, they are made again before a slot is taken, but not for ever',
  async (t) => {
    const clock = new SlotClock();
    t.notOk(clock.isSure(0));
    for (let i = 0; i < 9; i++) clock.observe({ databaseMs: 1_000 + i, beforeMs: i, afterMs: i + 200 });
    t.notOk(clock.isSure(210));
    clock.observe({ databaseMs: 1_009, beforeMs: 9, afterMs: 209 });
    t.ok(clock.isSure(210), 'the database is that slow');
    clock.observe({ databaseMs: 1_211, beforeMs: 210, afterMs: 212 });
    t.ok(clock.isSure(212));
    t.notOk(clock.isSure(100_000), 'clocks drift apart');
  },
);
