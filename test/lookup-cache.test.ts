import t from 'tap';
import { LookupCache } from '../src/lookup-cache.js';

function build(entriesMax = 3) {
  const clock = { ms: 0 };
  const cache = new LookupCache<{ n: number }>({
    entriesMax,
    foundForMs: 4_000,
    missedForMs: 1_000,
    elapsedMs: () => clock.ms,
  });
  const asked: string[] = [];
  const get = (key: string, value?: { n: number }) =>
    cache.get(key, async () => {
      asked.push(key);
      return value;
    });
  return { cache, clock, asked, get };
}

t.test('what was found is used until its time is up, and then asked for again', async (t) => {
  const { cache, clock, asked, get } = build();
  t.equal(cache.peek('a'), undefined);
  t.same(await get('a', { n: 1 }), { n: 1 });
  clock.ms = 3_999;
  t.same(cache.peek('a'), { n: 1 });
  t.same(await get('a', { n: 2 }), { n: 1 });
  clock.ms = 4_000;
  t.equal(cache.peek('a'), undefined);
  t.same(await get('a', { n: 2 }), { n: 2 });
  t.same(asked, ['a', 'a']);
});

t.test('its time counts from when it was asked for, not from when the answer came', async (t) => {
  const { cache, clock } = build();
  let answer: (value: { n: number }) => void = () => undefined;
  const waiting = cache.get('a', () => new Promise((resolve) => (answer = resolve)));
  clock.ms = 3_000;
  answer({ n: 1 });
  t.same(await waiting, { n: 1 });
  t.same(cache.peek('a'), { n: 1 });
  clock.ms = 4_000;
  t.equal(cache.peek('a'), undefined);
});

t.test('"there is none" is remembered for a shorter time', async (t) => {
  const { cache, clock, get } = build();
  t.equal(await get('a'), null);
  clock.ms = 999;
  t.equal(cache.peek('a'), null);
  clock.ms = 1_000;
  t.equal(cache.peek('a'), undefined);
  t.same(await get('a', { n: 1 }), { n: 1 }, 'and gives way to what is there by now');
});

t.test('callers that want the same key at the same time share one question', async (t) => {
  const { asked, get } = build();
  const answers = await Promise.all([get('a', { n: 1 }), get('a', { n: 2 }), get('b', { n: 3 })]);
  t.same(answers, [{ n: 1 }, { n: 1 }, { n: 3 }]);
  t.same(asked, ['a', 'b']);
});

t.test('a failure is not remembered', async (t) => {
  const { cache, get } = build();
  await t.rejects(
    cache.get('a', () => Promise.reject(new Error('away'))),
    { message: 'away' },
  );
  t.same(await get('a', { n: 1 }), { n: 1 });
});

t.test('the least recently used go first when it is full', async (t) => {
  const { cache, get } = build(3);
  for (const key of ['a', 'b', 'c']) await get(key, { n: 1 });
  cache.peek('a');
  await get('d', { n: 1 });
  t.same(
    ['a', 'b', 'c', 'd'].map((key) => cache.peek(key) !== undefined),
    [true, false, true, true],
  );
});

t.test('a flood of misses pushes out nothing that was found', async (t) => {
  const { cache, get } = build(3);
  await get('a', { n: 1 });
  for (let i = 0; i < 100; i++) await get(`guess ${i}`);
  t.same(cache.peek('a'), { n: 1 });
  t.equal(cache.peek('guess 0'), undefined);
  t.equal(cache.peek('guess 99'), null);
});

t.test('a question under way when all is forgotten is neither kept nor shared', async (t) => {
  const { cache, get } = build();
  let answer: (value: { n: number }) => void = () => undefined;
  const before = cache.get('a', () => new Promise((resolve) => (answer = resolve)));
  cache.forgetAll();
  t.same(await get('a', { n: 2 }), { n: 2 }, 'who comes after asks anew');
  answer({ n: 1 });
  t.same(await before, { n: 1 }, 'who came before gets what was asked for then');
  t.same(cache.peek('a'), { n: 2 });
});
