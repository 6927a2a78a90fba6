// A thread's entry for the pool's tests: tasks that fail in every way a task can.

import { threadId } from 'node:worker_threads';
import { serve } from '../../src/offload/serve.js';
import { unreadable } from './unreadable.js';

export const TRIALS = {
  double: ({ value }: { value: number }) => ({ value: value * 2, threadId }),
  refuse: ({ message }: { message: string }) => {
    throw new RangeError(message);
  },
  die: (_: null) => process.exit(3),
  spin: ({ started }: { started: SharedArrayBuffer }) => {
    const cell = new Int32Array(started);
    Atomics.add(cell, 0, 1);
    Atomics.notify(cell, 0);
    for (;;) if (Atomics.load(cell, 1) === 1) return threadId;
  },
  hoard: (_: null) => {
    const kept: number[][] = [];
    for (;;) kept.push(new Array(100_000).fill(kept.length));
  },
  unreadable: (_: unknown): unknown => unreadable(),
  unclonable:
    (_: null): unknown =>
    () =>
      undefined,
};

export type Trials = typeof TRIALS;

serve(TRIALS);
