// Owns one thread of the pool: how it is started and with what limits, and that its end is told once. Does not
// own which task it gets (offload.ts).

import { Worker } from 'node:worker_threads';
import type { TaskReply, TaskRequest } from './serve.js';

export interface Thread {
  /** Throws where the input has no clone. Holds the process until the reply has come. */
  send(request: TaskRequest): void;
  /** An idle thread does not keep the process alive. */
  rest(): void;
  end(): Promise<void>;
}

export interface ThreadEvents {
  onReply(reply: TaskReply): void;
  onEnd(error: Error): void;
}

/**
 * A task that takes more fails, and the service goes on: 200,000 groups of customers are some 40 MB, and the
 * histories of a backtest are handed over in parts.
 */
const HEAP_MAX_MB = 512;

export function startThread(entry: URL, { onReply, onEnd }: ThreadEvents): Thread {
  const worker = new Worker(entry, {
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MAX_MB },
    // Nothing of the process but the code: no loaders of a test runner, no secrets of the environment.
    execArgv: [],
    env: {},
  });
  worker.unref();
  let failure: Error | undefined;
  worker.on('message', onReply);
  worker.on('error', (error: Error) => {
    failure = error;
  });
  // A reply that cannot be read says not even which task it is of.
  worker.on('messageerror', (error: Error) => {
    failure = error;
    void worker.terminate();
  });
  worker.on('exit', (code) => onEnd(failure ?? new Error(`a thread has ended by itself (${code})`)));
  return {
    send(request) {
      worker.postMessage(request);
      worker.ref();
    },
    rest: () => worker.unref(),
    async end() {
      await worker.terminate();
    },
  };
}
