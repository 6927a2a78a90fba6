// The pool of threads: what a task, a thread and a caller may do wrong, and that the next task is still done.

import { type Test, test } from 'tap';
import { UnavailableError } from '../../src/errors.js';
import type { HistoryColumns } from '../../src/lifecycle/models/fits.js';
import { createOffload, type OffloadOptions } from '../../src/offload/offload.js';
import type { Trials } from './tasks-of-the-test.js';
import { unreadable } from './unreadable.js';

const ENTRY = new URL('./tasks-of-the-test.js', import.meta.url);

function open(t: Test, options: Partial<OffloadOptions> = {}) {
  const offload = createOffload<Trials>({ threadsMax: 1, entry: ENTRY, ...options });
  t.teardown(() => offload.close());
  return offload;
}

/** A task that runs until it is let go, and a promise of its having begun. */
function spinner() {
  const started = new SharedArrayBuffer(8);
  const cell = new Int32Array(started);
  const begun = async (count = 1) => {
    while (Atomics.load(cell, 0) < count) await new Promise((done) => setImmediate(done));
  };
  return { input: { started }, begun, letGo: (): void => void Atomics.store(cell, 1, 1) };
}

test('a task is computed in another thread, and the thread is used again', async (t) => {
  const offload = open(t);
  const first = await offload.run('double', { value: 21 });
  const second = await offload.run('double', { value: 4 });
  t.equal(first.value, 42);
  t.equal(second.value, 8);
  t.not(first.threadId, 0, 'not the main thread');
  t.equal(second.threadId, first.threadId);
});

test('what a task throws rejects its promise, with its name and message, and the thread goes on', async (t) => {
  const offload = open(t);
  await t.rejects(offload.run('refuse', { message: 'too large' }), {
    name: 'RangeError',
    message: 'too large',
  });
  await t.rejects(offload.run('unclonable', null), /could not be cloned/);
  const input = { value: (() => 1) as unknown as number };
  await t.rejects(offload.run('double', input), /could not be cloned/);
  t.match(await offload.run('double', { value: 1 }), { value: 2 });
});

test('a thread that dies rejects its task alone and is replaced', async (t) => {
  const offload = open(t);
  const [dead, alive] = await Promise.allSettled([
    offload.run('die', null),
    offload.run('double', { value: 3 }),
  ]);
  t.match(dead, { status: 'rejected', reason: { message: /ended by itself \(3\)/ } });
  t.match(alive, { status: 'fulfilled', value: { value: 6 } });
});

test('what cannot be read, on either side, rejects its task, and the thread is replaced', async (t) => {
  const offload = open(t);
  await t.rejects(offload.run('unreadable', null), /Missing internal module/);
  t.match(await offload.run('double', { value: 1 }), { value: 2 });
  await t.rejects(offload.run('double', unreadable() as { value: number }), /Missing internal module/);
  t.match(await offload.run('double', { value: 2 }), { value: 4 });
});

test('tasks that never end are ended, and others have their threads', async (t) => {
  const offload = open(t, { threadsMax: 2, taskMaxMs: 500 });
  const { input } = spinner();
  const endless = [offload.run('spin', input), offload.run('spin', input)];
  const waiting = offload.run('double', { value: 3 });
  for (const result of await Promise.allSettled(endless)) {
    t.match(result, { status: 'rejected', reason: /more than 500 ms/ });
    t.notMatch(result, { reason: { kind: 'unavailable' } }, 'a fault of the task');
  }
  t.match(await waiting, { value: 6 });
});

test('a task that takes more memory than a thread may ends with its thread, not with the process', async (t) => {
  const offload = open(t);
  await t.rejects(offload.run('hoard', null), { code: 'ERR_WORKER_OUT_OF_MEMORY' });
  t.match(await offload.run('double', { value: 1 }), { value: 2 });
});

test('while a task computes, the event loop is free', async (t) => {
  const offload = open(t);
  const { input, begun, letGo } = spinner();
  const running = offload.run('spin', input);
  await begun();
  // It runs until this thread says otherwise: were it computed here, nothing would ever say so.
  letGo();
  t.type(await running, 'number');
});

test('no more threads than allowed, no more waiting than allowed', async (t) => {
  const offload = open(t, { threadsMax: 2, queueMax: 1 });
  const { input, begun, letGo } = spinner();
  const running = [offload.run('spin', input), offload.run('spin', input)];
  await begun(2);
  const waiting = offload.run('double', { value: 1 });
  await t.rejects(offload.run('double', { value: 2 }), {
    code: 'unavailable',
    message: 'Too much is waiting to be computed.',
  });
  letGo();
  t.equal(new Set(await Promise.all(running)).size, 2);
  t.match(await waiting, { value: 2 });
});

test('a signal calls off a task that waits, and one that runs with its thread', async (t) => {
  const offload = open(t);
  const { input, begun } = spinner();
  const [running, waiting] = [new AbortController(), new AbortController()];
  const outcomes = Promise.allSettled([
    offload.run('spin', input, running.signal),
    offload.run('double', { value: 1 }, waiting.signal),
    offload.run('double', { value: 2 }),
  ]);
  await begun();
  waiting.abort(new Error('not wanted'));
  running.abort(new Error('not wanted either'));
  const [first, second, third] = await outcomes;
  t.match(first, { status: 'rejected', reason: { message: 'not wanted either' } });
  t.match(second, { status: 'rejected', reason: { message: 'not wanted' } });
  t.match(third, { status: 'fulfilled', value: { value: 4 } });
  await t.rejects(offload.run('double', { value: 1 }, AbortSignal.abort(new Error('at once'))), /at once/);
});

test('closing waits for the task under way and refuses the others', async (t) => {
  const offload = open(t);
  const { input, begun, letGo } = spinner();
  const running = offload.run('spin', input);
  await begun();
  const waiting = offload.run('double', { value: 1 }).catch((error: unknown) => error);
  const closed = offload.close();
  t.type(await waiting, UnavailableError);
  await t.rejects(offload.run('double', { value: 1 }), { code: 'unavailable' });
  letGo();
  t.type(await running, 'number');
  await closed;
});

test('the product’s own entry knows the product’s tasks', async (t) => {
  const offload = createOffload({ threadsMax: 1 });
  t.teardown(() => offload.close());
  const [repeats, spanDays, ageDays, customers] = [[2], [20], [90], [1]].map((column) =>
    Int32Array.from(column),
  );
  const histories = { repeats, spanDays, ageDays, customers } as HistoryColumns;
  const fit = await offload.run('fitCadence', { histories, medianGapDays: 10 });
  t.match(fit, { method: 'fallback', medianGapDays: 10, completedGaps: 2 });
});
