import fc from 'fast-check';
import t from 'tap';
import {
  type AttemptOutcome,
  nextAttempt,
  RETRY_AFTER_MAX_MS,
  RETRY_DELAY_LATER_MS,
  RETRY_DELAYS_MS,
  RETRY_HORIZON_MS,
  RETRY_JITTER,
  SLOW_DOWN_MAX_MS,
  SLOW_DOWN_MS,
  slowDownMs,
} from '../../src/outbox/retry.js';

const START = new Date('2026-03-01T00:00:00.000Z');
const HOUR_MS = 3_600_000;
/** No jitter at all: the middle of what is drawn from. */
const MIDDLE = 0.5;

function answered(status: number | null, retryAfter?: string): AttemptOutcome {
  const responseHeaders = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
  return { status, error: status === null ? { code: 'timeout' } : null, responseHeaders };
}

/** The instants of all attempts of a receiver that never succeeds, in ms since the first. */
function attemptsOf(outcome: AttemptOutcome, random: () => number): number[] {
  const offsetsMs = [0];
  for (let now = START; ; ) {
    const next = nextAttempt({
      attempt: offsetsMs.length,
      firstAttemptAt: START,
      now,
      outcome,
      random: random(),
    });
    if (next.kind !== 'retry') return offsetsMs;
    now = next.at;
    offsetsMs.push(now.getTime() - START.getTime());
  }
}

/** The wait in ms that follows an attempt. */
function waitOf(attempt: number, outcome: AttemptOutcome, now = START, random = MIDDLE): number {
  const next = nextAttempt({ attempt, firstAttemptAt: START, now, outcome, random });
  return next.kind === 'retry' ? next.at.getTime() - now.getTime() : Number.NaN;
}

t.test('a receiver that stays down is tried ten times, the last time when three days are over', async (t) => {
  t.strictSame(
    attemptsOf(answered(500), () => MIDDLE).map((ms) => ms / 1000),
    [0, 5, 305, 2105, 9305, 27_305, 63_305, 99_305, 185_705, 259_200],
  );
});

t.test('what an answer means', async (t) => {
  const at = { attempt: 1, firstAttemptAt: START, now: START, random: MIDDLE };
  for (const status of [200, 201, 202, 204, 299]) {
    t.strictSame(nextAttempt({ ...at, outcome: answered(status) }), { kind: 'succeeded' }, `${status}`);
  }
  for (const status of [
    300,
    301,
    302,
    303,
    304,
    307,
    308,
    400,
    401,
    404,
    409,
    429,
    500,
    502,
    503,
    504,
    null,
  ]) {
    t.equal(nextAttempt({ ...at, outcome: answered(status) }).kind, 'retry', `${status}`);
  }
  t.strictSame(nextAttempt({ ...at, outcome: answered(410) }), { kind: 'gone' });
  const brokenOff = { ...answered(200), error: { code: 'timeout' } };
  t.equal(
    nextAttempt({ ...at, outcome: brokenOff }).kind,
    'retry',
    'a 200 that broke off acknowledges nothing',
  );
  const late = { ...at, now: new Date(START.getTime() + 2 * RETRY_HORIZON_MS) };
  t.equal(nextAttempt({ ...late, outcome: answered(200) }).kind, 'succeeded', 'a late success is a success');
  t.equal(nextAttempt({ ...late, outcome: answered(410) }).kind, 'gone');
  t.equal(nextAttempt({ ...late, outcome: answered(500) }).kind, 'exhausted');
});

t.test('the end is exactly three days after the first attempt', async (t) => {
  const endMs = START.getTime() + RETRY_HORIZON_MS;
  const at = { attempt: 9, firstAttemptAt: START, outcome: answered(500), random: MIDDLE };
  t.strictSame(nextAttempt({ ...at, now: new Date(endMs - 1) }), { kind: 'retry', at: new Date(endMs) });
  t.strictSame(nextAttempt({ ...at, now: new Date(endMs) }), { kind: 'exhausted' });
});

t.test('Retry-After lengthens a wait and never shortens it', async (t) => {
  // At the low end of the draw: the schedule's 5 s are 4 s, its 30 m are 24 m, and an asked wait is itself.
  const cases: [attempt: number, header: string, expectedS: number, why: string][] = [
    [1, '120', 120, 'seconds'],
    [1, ' 120 ', 120, 'white space around'],
    [1, 'Sun, 01 Mar 2026 00:02:00 GMT', 120, 'an IMF date'],
    [1, 'Sunday, 01-Mar-26 00:02:00 GMT', 120, 'an RFC 850 date'],
    [1, 'Sun Mar  1 00:02:00 2026', 120, 'an asctime date, which is in UTC'],
    [1, '0', 4, 'nothing asked'],
    [1, 'Sat, 28 Feb 2026 00:00:00 GMT', 4, 'a date that has passed'],
    [3, '60', 1440, 'shorter than the schedule'],
    [1, '86400', 86_400, 'a day'],
    [1, '86401', 86_400, 'more than a day'],
    [1, '9999999999', 86_400, 'three centuries'],
    [1, 'Fri, 01 Mar 2126 00:00:00 GMT', 86_400, 'a date in a century'],
  ];
  for (const [attempt, header, expectedS, why] of cases) {
    t.equal(waitOf(attempt, answered(503, header), START, 0), expectedS * 1000, `${why}: ${header}`);
  }
  for (const nonsense of [
    '',
    'soon',
    '-5',
    '1.5',
    '1e3',
    '0x10',
    '2026-03-01T00:02:00Z',
    '99999999999',
    'Sun, x',
  ]) {
    t.equal(waitOf(1, answered(503, nonsense)), 5000, `not understood: ${JSON.stringify(nonsense)}`);
  }
});

t.test('Retry-After does not carry a delivery past its three days', async (t) => {
  const now = new Date(START.getTime() + RETRY_HORIZON_MS - HOUR_MS);
  t.equal(waitOf(2, answered(503, '7200'), now), HOUR_MS);
});

const anyOutcome = fc.oneof(
  fc.constantFrom(429, 500, 503, 302, null).map((status) => answered(status)),
  fc
    .tuple(fc.constantFrom(429, 503), fc.integer({ min: 0, max: 10_000_000 }))
    .map(([status, seconds]) => answered(status, String(seconds))),
  fc.string().map((text) => answered(503, text)),
);
const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const horizonOffsetMs = fc.integer({ min: 0, max: RETRY_HORIZON_MS - 1 });

t.test(
  'a wait is the schedule’s ±20 %, unless the end or the receiver’s own wish says otherwise',
  async () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        horizonOffsetMs,
        anyOutcome,
        anyRandom,
        (attempt, offsetMs, outcome, random) => {
          const now = new Date(START.getTime() + offsetMs);
          const next = nextAttempt({ attempt, firstAttemptAt: START, now, outcome, random });
          if (next.kind !== 'retry') return false;
          const waitMs = next.at.getTime() - now.getTime();
          const leftMs = RETRY_HORIZON_MS - offsetMs;
          const stepMs = RETRY_DELAYS_MS[attempt] ?? RETRY_DELAY_LATER_MS;
          const leastMs = Math.min(leftMs, stepMs * (1 - RETRY_JITTER));
          const mostMs =
            outcome.responseHeaders['retry-after'] === undefined
              ? stepMs * (1 + RETRY_JITTER) + 1
              : RETRY_AFTER_MAX_MS * (1 + RETRY_JITTER);
          return waitMs > 0 && waitMs >= leastMs - 1 && waitMs <= Math.min(leftMs, mostMs);
        },
      ),
      { numRuns: 2000 },
    );
  },
);

t.test('an asked wait is kept in full, up to a day and within the three days', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      horizonOffsetMs,
      fc.integer({ min: 0, max: 200_000 }),
      anyRandom,
      (attempt, offsetMs, seconds, random) => {
        const now = new Date(START.getTime() + offsetMs);
        const waitMs = waitOf(attempt, answered(429, String(seconds)), now, random);
        return waitMs >= Math.min(seconds * 1000, RETRY_AFTER_MAX_MS, RETRY_HORIZON_MS - offsetMs);
      },
    ),
    { numRuns: 2000 },
  );
});

t.test(
  'however the dice fall, attempts end: 10 to 12 of them, in order, the last at three days',
  async (t) => {
    fc.assert(
      fc.property(fc.infiniteStream(anyRandom), (stream) => {
        const offsetsMs = attemptsOf(answered(500), () => stream.next().value ?? MIDDLE);
        const isAscending = offsetsMs.every((ms, index) => index === 0 || ms > (offsetsMs[index - 1] ?? 0));
        return (
          isAscending &&
          offsetsMs.at(-1) === RETRY_HORIZON_MS &&
          offsetsMs.length >= 10 &&
          offsetsMs.length <= 12
        );
      }),
      { numRuns: 500 },
    );
    const spread = new Set([0, 0.25, 0.75, 0.999].map((random) => waitOf(1, answered(500), START, random)));
    t.equal(spread.size, 4, 'different draws give different waits');
  },
);

t.test(
  'an answer that says too much comes at once slows the endpoint down, for as long as it asks',
  async (t) => {
    for (const status of [429, 502, 504]) {
      t.equal(slowDownMs(answered(status), START), SLOW_DOWN_MS, `${status}`);
      t.equal(slowDownMs(answered(status, '7'), START), 7_000);
      t.equal(slowDownMs(answered(status, 'Sun, 01 Mar 2026 00:00:20 GMT'), START), 20_000);
      t.equal(slowDownMs(answered(status, '86400'), START), SLOW_DOWN_MAX_MS, 'within bounds');
      t.equal(slowDownMs(answered(status, 'soon'), START), SLOW_DOWN_MS);
    }
    for (const status of [200, 301, 400, 500, 503, null])
      t.equal(slowDownMs(answered(status, '7'), START), null);
  },
);
