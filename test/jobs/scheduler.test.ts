import { EventEmitter, once } from 'node:events';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import t from 'tap';
import type { Job, JobResult } from '../../src/jobs/job.js';
import { startScheduler } from '../../src/jobs/scheduler.js';

/** A pattern that is due once in four years: what runs, runs for another reason. */
const NEVER = '0 0 0 29 2 *';
const NOW = new Date('2026-03-02T09:00:00.000Z');
const clock = () => NOW;

function logInto(lines: Record<string, unknown>[]) {
  const write = (line: Buffer, _encoding: string, done: () => void) => {
    lines.push(JSON.parse(line.toString()));
    done();
  };
  return pino({ level: 'debug' }, new Writable({ write }));
}

/** A job whose every run waits to be ended by the test. */
function steppedJob(extra: Partial<Job> = {}) {
  const events = new EventEmitter();
  const runs: { now: Date; end: (result: JobResult | Error) => void }[] = [];
  let atOnce = 0;
  let atOnceMax = 0;
  const job: Job = {
    name: 'stepped',
    schedule: NEVER,
    runOnce: (now) =>
      new Promise((resolve, reject) => {
        atOnce += 1;
        atOnceMax = Math.max(atOnceMax, atOnce);
        const end = (result: JobResult | Error): void => {
          atOnce -= 1;
          if (result instanceof Error) reject(result);
          else resolve(result);
        };
        runs.push({ now, end });
        events.emit('run');
      }),
    ...extra,
  };
  return {
    job,
    runs,
    atOnceMax: () => atOnceMax,
    async run(number: number) {
      while (runs.length < number) await once(events, 'run');
      return runs[number - 1];
    },
  };
}

const idle: JobResult = { more: false, counts: { done: 0 } };
const more: JobResult = { more: true, counts: { done: 500 } };
const silent = pino({ level: 'silent' });

t.test(
  'a job runs at the start, with the application’s time, and on and on while there is more',
  async (t) => {
    const stepped = steppedJob();
    const outcomes: string[] = [];
    const onRun = (name: string, outcome: string): number => outcomes.push(`${name} ${outcome}`);
    const scheduler = startScheduler({ jobs: [stepped.job], clock, logger: silent, onRun });
    (await stepped.run(1))?.end(more);
    (await stepped.run(2))?.end(more);
    const third = await stepped.run(3);
    t.equal(third?.now, NOW);
    third?.end(idle);
    await scheduler.stop();
    t.equal(stepped.runs.length, 3);
    t.same(outcomes, ['stepped done', 'stepped done', 'stepped idle']);
  },
);

t.test('it runs by its pattern', async () => {
  const stepped = steppedJob({ schedule: '* * * * * *' });
  const scheduler = startScheduler({ jobs: [stepped.job], clock, logger: silent });
  (await stepped.run(1))?.end(idle);
  (await stepped.run(2))?.end(idle);
  await scheduler.stop();
});

t.test('it never runs twice at once, and what woke it meanwhile makes it run once more', async (t) => {
  const woken = new EventEmitter();
  const stepped = steppedJob({ onWork: (wake) => woken.on('wake', wake) });
  const scheduler = startScheduler({ jobs: [stepped.job], clock, logger: silent });
  const first = await stepped.run(1);
  for (let i = 0; i < 5; i++) woken.emit('wake');
  t.equal(stepped.runs.length, 1);
  first?.end(idle);
  (await stepped.run(2))?.end(idle);
  await scheduler.stop();
  t.equal(stepped.runs.length, 2);
  t.equal(stepped.atOnceMax(), 1);
});

t.test('with a poll it looks again by itself', async () => {
  const stepped = steppedJob({ pollMs: 1 });
  const scheduler = startScheduler({ jobs: [stepped.job], clock, logger: silent });
  for (let number = 1; number <= 4; number++) (await stepped.run(number))?.end(idle);
  const last = stepped.run(5);
  const stopping = last.then((run) => {
    run?.end(idle);
    return scheduler.stop();
  });
  await stopping;
});

t.test('a failure is logged, and the next reason to run is a new try', async (t) => {
  const woken = new EventEmitter();
  const lines: Record<string, unknown>[] = [];
  const stepped = steppedJob({ onWork: (wake) => woken.on('wake', wake) });
  const outcomes: string[] = [];
  const onRun = (_name: string, outcome: string): number => outcomes.push(outcome);
  const scheduler = startScheduler({ jobs: [stepped.job], clock, logger: logInto(lines), onRun });
  (await stepped.run(1))?.end(new Error('the database is away'));
  while (outcomes.length < 1) await new Promise((resolve) => setImmediate(resolve));
  for (let failure = 2; failure <= 4; failure++) {
    woken.emit('wake');
    (await stepped.run(failure))?.end(new Error('the database is away'));
    while (outcomes.length < failure) await new Promise((resolve) => setImmediate(resolve));
  }
  woken.emit('wake');
  (await stepped.run(5))?.end(more);
  (await stepped.run(6))?.end(idle);
  await scheduler.stop();
  t.same(outcomes, ['failed', 'failed', 'failed', 'failed', 'done', 'idle']);
  t.match(lines, [
    { level: 50, job: 'stepped', err: { message: 'the database is away' } },
    { level: 20, job: 'stepped', done: 500 },
    { level: 30, job: 'stepped', failures: 4 },
  ]);
  t.equal(lines.length, 3, 'one line for a failure that lasts');
});

t.test('one job’s failure or length is nothing to another', async () => {
  const hanging = steppedJob();
  const other = steppedJob({ name: 'other', pollMs: 1 });
  const scheduler = startScheduler({ jobs: [hanging.job, other.job], clock, logger: silent });
  const held = await hanging.run(1);
  for (let number = 1; number <= 3; number++) (await other.run(number))?.end(idle);
  held?.end(idle);
  const stopping = scheduler.stop();
  other.runs.at(-1)?.end(idle);
  await stopping;
});

t.test('a stop waits for the run under way, and for what it has left', async (t) => {
  const order: string[] = [];
  const stepped = steppedJob({
    stop: async () => {
      order.push('asked to finish');
    },
  });
  const scheduler = startScheduler({ jobs: [stepped.job], clock, logger: silent });
  const run = await stepped.run(1);
  const stopping = scheduler.stop().then(() => order.push('stopped'));
  await new Promise((resolve) => setImmediate(resolve));
  order.push('the run ends');
  run?.end(more);
  await stopping;
  t.same(order, ['asked to finish', 'the run ends', 'stopped']);
  t.equal(stepped.runs.length, 1, 'and starts no other, though there was more');
});
