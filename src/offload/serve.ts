// Owns a thread's side of the pool: one task at a time, its value or its failure sent back. Does not own which
// tasks there are (tasks.ts), so that a test can serve others.

import { parentPort } from 'node:worker_threads';
import type { TaskTable } from './tasks.js';

export interface TaskRequest {
  id: number;
  task: string;
  input: unknown;
}

export type TaskReply = { id: number; output: unknown } | { id: number; error: unknown };

export function serve(tasks: TaskTable): void {
  const port = parentPort;
  if (port === null) throw new Error('tasks are served from a thread');
  // Nobody would be told of a task that has not come through; the thread's end is told.
  port.on('messageerror', (error) => {
    throw error;
  });
  port.on('message', ({ id, task, input }: TaskRequest) => {
    const run = tasks[task];
    try {
      if (run === undefined) throw new Error(`there is no task named ${task}`);
      // What cannot be cloned throws here, and is the task's own failure.
      port.postMessage({ id, output: run(input) } satisfies TaskReply);
    } catch (error) {
      port.postMessage({ id, error: asError(error) } satisfies TaskReply);
    }
  });
}

/** An error of plain parts: a clone keeps no more of it, and one with a part that has no clone would not pass. */
function asError(thrown: unknown): Error {
  if (!(thrown instanceof Error)) return new Error(String(thrown));
  const { name, message, stack } = thrown;
  const error = new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}
