import fc from 'fast-check';
import t from 'tap';
import {
  afterFailures,
  BREAKER_FAILURES,
  breakerState,
  FAILING_MAX_MS,
  HEALTHY,
  type Health,
  hasFailedForGood,
  OPEN_FIRST_MS,
  OPEN_MAX_MS,
  openForMs,
  PUT_OFF_SPREAD,
  putOffMs,
  tally,
  type Verdict,
} from '../../src/outbox/health.js';

const START = new Date('2026-03-02T09:00:00.000Z');
const at = (ms: number): Date => new Date(START.getTime() + ms);

function verdict(kind: Verdict['kind'], ms = 0, isProbe = false, endpointId = 'a'): Verdict {
  return { endpointId, kind, at: at(ms), isProbe };
}

/** As the recorder does it: the failures are counted, and a last success forgets everything. */
function after(before: Health, set: readonly Verdict[], now: Date): Health {
  const { healed, failed } = tally(set);
  const failures = failed.get('a');
  if (failures !== undefined) return afterFailures(before, failures, now);
  return healed.includes('a') ? HEALTHY : before;
}

t.test('the breaker opens after ten failures in a row', async (t) => {
  let health = HEALTHY;
  for (let i = 1; i < BREAKER_FAILURES; i++) health = after(health, [verdict('failed', i)], at(i));
  t.match(health, { failures: 9, openings: 0, openUntil: null, failingSince: at(1) });
  const open = after(health, [verdict('failed', 10)], at(10));
  t.match(open, { failures: 10, openings: 1, openUntil: at(10 + OPEN_FIRST_MS) });
  t.equal(breakerState(open, at(10 + OPEN_FIRST_MS - 1)), 'open');
  t.equal(breakerState(open, at(10 + OPEN_FIRST_MS)), 'half_open');
});

t.test('a success between them closes it, in the same set too', async (t) => {
  const nine = { ...HEALTHY, failures: 9, failingSince: START };
  t.same(after(nine, [verdict('succeeded')], START), HEALTHY);
  const set = [verdict('failed', 1), verdict('succeeded', 2), verdict('failed', 3)];
  t.match(after(nine, set, at(3)), { failures: 1, failingSince: at(3), openUntil: null });
});

t.test('each probe that fails keeps it open twice as long, up to a bound', async (t) => {
  t.same(
    [1, 2, 3, 4, 5, 6, 7, 50].map((openings) => openForMs(openings) / 1000),
    [10, 20, 40, 80, 160, 300, 300, 300],
  );
  const open: Health = { failures: 10, failingSince: START, openings: 1, openUntil: at(10_000) };
  t.match(after(open, [verdict('failed', 11_000, true)], at(11_000)), {
    failures: 11,
    openings: 2,
    openUntil: at(31_000),
  });
});

t.test('what was under way when it opened is counted and changes nothing', async (t) => {
  const open: Health = { failures: 10, failingSince: START, openings: 1, openUntil: at(10_000) };
  for (const now of [at(5_000), at(12_000)]) {
    t.match(after(open, [verdict('failed')], now), { failures: 11, openings: 1, openUntil: at(10_000) });
  }
});

t.test('five days without a success are enough', async (t) => {
  const failing: Health = { ...HEALTHY, failures: 3, failingSince: START };
  t.notOk(hasFailedForGood(failing, at(FAILING_MAX_MS - 1)));
  t.ok(hasFailedForGood(failing, at(FAILING_MAX_MS)));
  t.notOk(hasFailedForGood(HEALTHY, at(FAILING_MAX_MS)));
});

t.test('what is put off comes back when the breaker’s time is over, within a fifth of it', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: OPEN_MAX_MS }),
      fc.double({ min: 0, max: 0.999_999, noNaN: true }),
      (waitMs, random) => {
        const ms = putOffMs(at(waitMs), START, random);
        return ms >= waitMs && ms <= waitMs + PUT_OFF_SPREAD * Math.max(waitMs, OPEN_FIRST_MS) + 1;
      },
    ),
  );
  t.end();
});

t.test('sets of outcomes count as the outcomes one by one do', (t) => {
  const kinds = fc.constantFrom('succeeded' as const, 'failed' as const);
  fc.assert(
    fc.property(fc.array(fc.array(kinds, { minLength: 1, maxLength: 30 }), { maxLength: 20 }), (sets) => {
      let bySets = HEALTHY;
      let failures = 0;
      let failingSince: Date | null = null;
      let ms = 0;
      for (const set of sets) {
        const verdicts = set.map((kind) => verdict(kind, ++ms));
        bySets = after(bySets, verdicts, at(ms));
        for (const { kind, at: ended } of verdicts) {
          failures = kind === 'succeeded' ? 0 : failures + 1;
          failingSince = kind === 'succeeded' ? null : (failingSince ?? ended);
        }
        if (bySets.failures !== failures) return false;
        if (bySets.failingSince?.getTime() !== failingSince?.getTime()) return false;
        if (bySets.openUntil === null ? failures >= BREAKER_FAILURES : failures < BREAKER_FAILURES)
          return false;
      }
      return true;
    }),
  );
  t.end();
});

t.test('endpoints of one set are told apart', async (t) => {
  const set = [
    verdict('succeeded', 1, false, 'well'),
    verdict('failed', 2, false, 'ill'),
    verdict('gone', 3, false, 'gone'),
    verdict('failed', 4, true, 'ill'),
  ];
  const { healed, failed, gone } = tally(set);
  t.same(healed, ['well']);
  t.same(gone, ['gone']);
  t.match(failed.get('ill'), { count: 2, firstAt: at(2), isAfterSuccess: false, isProbe: true });
  t.equal(failed.get('gone')?.count, 1);
});
