// Owns a small pool of threads for pure work that would hold the event loop: fits, backtests, previews. Does
// not own what they compute (tasks.ts), nor when (jobs and services).
//
// Our own and not piscina: what is asked of it is a bounded queue and threads that are replaced, one task at a
// time each; a library's histograms, recruiting and atomics would be more code than this file.

import { UnavailableError } from '../errors.js';
import type { TaskReply, TaskRequest } from './serve.js';
import type { Tasks, TaskTable } from './tasks.js';
import { startThread, type Thread } from './thread.js';

export interface Offload<T extends TaskTable = Tasks> {
  /**
   * Computes a task in another thread; input and output are structured clones. Rejects with what the task has
   * thrown, UnavailableError where the queue is full or the service stops, and the signal's reason: a task
   * that has begun ends with its thread, since nothing else stops a computation. So does one that never ends.
   */
  run<K extends keyof T & string>(
    task: K,
    input: Parameters<T[K]>[0],
    signal?: AbortSignal,
  ): Promise<ReturnType<T[K]>>;
  /** Refuses what is new and what waits, gives what is under way a few seconds, and ends the threads. */
  close(): Promise<void>;
}

export interface OffloadOptions {
  threadsMax: number;
  /** How many tasks may wait for a thread. */
  queueMax?: number;
  /** How long a task may take. */
  taskMaxMs?: number;
  /** The module that each thread runs; the product's tasks unless a test brings others. */
  entry?: URL;
}

const QUEUE_MAX = 64;
/** The longest of ours take a minute; of one that takes this long nobody expects an end. */
const TASK_MAX_MS = 10 * 60_000;
/** A thread costs some 10 MB; one that nobody has needed for this long is let go. */
const IDLE_MS = 30_000;
const CLOSE_WAIT_MS = 5_000;

interface Job {
  request: TaskRequest;
  resolve(output: unknown): void;
  reject(error: unknown): void;
}

interface Seat {
  thread: Thread;
  job: Job | undefined;
  /** Ends the thread: with no task for long, or with one that takes too long. */
  timer: NodeJS.Timeout | undefined;
}

export function createOffload<T extends TaskTable = Tasks>(options: OffloadOptions): Offload<T> {
  const pool = new Pool(options);
  return {
    run: <K extends keyof T & string>(task: K, input: Parameters<T[K]>[0], signal?: AbortSignal) =>
      pool.run(task, input, signal) as Promise<ReturnType<T[K]>>,
    close: () => pool.close(),
  };
}

class Pool {
  readonly #threadsMax: number;
  readonly #queueMax: number;
  readonly #taskMaxMs: number;
  readonly #entry: URL;
  readonly #seats = new Set<Seat>();
  #queue: Job[] = [];
  #requests = 0;
  #isClosed = false;
  #onQuiet: (() => void) | undefined;

  constructor({ threadsMax, queueMax = QUEUE_MAX, taskMaxMs = TASK_MAX_MS, entry }: OffloadOptions) {
    this.#threadsMax = threadsMax;
    this.#queueMax = queueMax;
    this.#taskMaxMs = taskMaxMs;
    this.#entry = entry ?? new URL('./worker.js', import.meta.url);
  }

  async run(task: string, input: unknown, signal?: AbortSignal): Promise<unknown> {
    signal?.throwIfAborted();
    if (this.#isClosed) throw new UnavailableError('The service is stopping.');
    if (this.#queue.length >= this.#queueMax)
      throw new UnavailableError('Too much is waiting to be computed.', { retryAfterS: 30 });
    const { promise, resolve, reject } = promised();
    this.#requests += 1;
    const job: Job = { request: { id: this.#requests, task, input }, resolve, reject };
    const abort = () => this.#abort(job, signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    this.#queue.push(job);
    this.#assign();
    return promise.finally(() => signal?.removeEventListener('abort', abort));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const job of this.#queue.splice(0)) job.reject(new UnavailableError('The service is stopping.'));
    await this.#quiet();
    await Promise.all([...this.#seats].map((seat) => this.#end(seat, 'The service is stopping.')));
  }

  /** Gives waiting tasks to threads that are free, and starts threads while there are more of the former. */
  #assign(): void {
    for (const seat of this.#seats) if (seat.job === undefined) this.#take(seat);
    while (this.#queue.length > 0 && this.#seats.size < this.#threadsMax) this.#take(this.#open());
  }

  #open(): Seat {
    const thread = startThread(this.#entry, {
      onReply: (reply) => this.#settle(seat, reply),
      onEnd: (error) => this.#lose(seat, error),
    });
    const seat: Seat = { thread, job: undefined, timer: undefined };
    this.#seats.add(seat);
    return seat;
  }

  #take(seat: Seat): void {
    clearTimeout(seat.timer);
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
      try {
        seat.thread.send(job.request);
        seat.job = job;
        seat.timer = setTimeout(() => this.#expire(seat), this.#taskMaxMs).unref();
        return;
      } catch (error) {
        // An input without a clone: the caller's fault, and the thread is still free.
        job.reject(error);
      }
    }
    seat.thread.rest();
    seat.timer = setTimeout(() => void this.#end(seat, 'The thread was idle.'), IDLE_MS).unref();
  }

  #settle(seat: Seat, reply: TaskReply): void {
    const { job } = seat;
    // A late word of a task that was called off.
    if (job === undefined || job.request.id !== reply.id) return;
    seat.job = undefined;
    if ('error' in reply) job.reject(reply.error);
    else job.resolve(reply.output);
    this.#take(seat);
    this.#tellQuiet();
  }

  /** A thread has died: its task is lost, the others go on, and the next task starts another. */
  #lose(seat: Seat, error: Error): void {
    clearTimeout(seat.timer);
    this.#seats.delete(seat);
    seat.job?.reject(error);
    seat.job = undefined;
    if (!this.#isClosed) this.#assign();
    this.#tellQuiet();
  }

  #abort(job: Job, reason: unknown): void {
    job.reject(reason);
    this.#queue = this.#queue.filter((other) => other !== job);
    for (const seat of [...this.#seats])
      if (seat.job === job) void this.#end(seat, 'The task was called off.');
  }

  /** Not for want of a thread: whoever tries again must not do so without end. */
  #expire(seat: Seat): void {
    seat.job?.reject(new Error(`a task has taken more than ${this.#taskMaxMs} ms`));
    void this.#end(seat, 'The task took too long.');
  }

  async #end(seat: Seat, reason: string): Promise<void> {
    clearTimeout(seat.timer);
    // At once, so that nothing is given to a thread that is about to end.
    this.#seats.delete(seat);
    seat.job?.reject(new UnavailableError(reason));
    await seat.thread.end();
  }

  #isQuiet(): boolean {
    return [...this.#seats].every((seat) => seat.job === undefined);
  }

  #tellQuiet(): void {
    if (this.#isQuiet()) this.#onQuiet?.();
  }

  /** Resolves when no task is under way, or after a few seconds. */
  async #quiet(): Promise<void> {
    if (this.#isQuiet()) return;
    await new Promise<void>((done) => {
      const timer = setTimeout(done, CLOSE_WAIT_MS);
      this.#onQuiet = () => {
        clearTimeout(timer);
        done();
      };
    });
  }
}

function promised() {
  let resolve: (output: unknown) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<unknown>((...settle) => {
    [resolve, reject] = settle;
  });
  return { promise, resolve, reject };
}
