// A thread's entry: the product's tasks, each of which waits at a gate before it computes.

import { serve } from '../../src/offload/serve.js';
import { TASKS, type TaskName } from '../../src/offload/tasks.js';

const PATIENCE_MS = 60_000;

export interface GatedInput {
  gate: SharedArrayBuffer;
  task: TaskName;
  input: unknown;
}

const GATED = {
  gated: ({ gate, task, input }: GatedInput): unknown => {
    if (Atomics.wait(new Int32Array(gate), 0, 0, PATIENCE_MS) === 'timed-out')
      throw new Error('the gate was never opened');
    return (TASKS[task] as (input: unknown) => unknown)(input);
  },
};

export type Gated = typeof GATED;

serve(GATED);
