// Owns the running of one job: never twice at once, on and on while there is more, quietly while it keeps
// failing. Does not own the schedule (scheduler.ts).

import type { Logger } from 'pino';
import type { Job } from './job.js';

export type JobOutcome = 'done' | 'idle' | 'failed';

export interface DriveDeps {
  job: Job;
  clock: () => Date;
  logger: Logger;
  onRun?: (name: string, outcome: JobOutcome) => void;
}

/** A job that fails at every tick is said once, and then once in so many failures. */
const FAILURES_A_LINE = 60;

export class Drive {
  #running: Promise<void> | undefined;
  #isWanted = false;
  #isStopped = false;
  #failures = 0;
  #poll: NodeJS.Timeout | undefined;

  constructor(private readonly deps: DriveDeps) {}

  /** Runs the job now, or once more after the run that is under way. */
  kick(): void {
    if (this.#isStopped) return;
    this.#isWanted = true;
    clearTimeout(this.#poll);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      const { pollMs } = this.deps.job;
      // After a failure the next tick is soon enough.
      if (pollMs !== undefined && this.#failures === 0 && !this.#isStopped)
        this.#poll = setTimeout(() => this.kick(), pollMs);
    });
  }

  /** Resolves when the run under way has ended, and what it left has too. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#poll);
    await Promise.all([this.#running, this.deps.job.stop?.()]);
  }

  async #run(): Promise<void> {
    while (this.#isWanted && !this.#isStopped) {
      this.#isWanted = false;
      // A failure ends the loop, so that a broken database is not hammered.
      if (await this.#once()) this.#isWanted = true;
    }
  }

  async #once(): Promise<boolean> {
    const { job, clock, logger, onRun } = this.deps;
    try {
      const { more, counts } = await job.runOnce(clock());
      const isIdle = Object.values(counts).every((count) => count === 0);
      if (!isIdle) logger.debug({ job: job.name, ...counts }, 'a job has run');
      if (this.#failures > 0) logger.info({ job: job.name, failures: this.#failures }, 'a job works again');
      this.#failures = 0;
      onRun?.(job.name, isIdle ? 'idle' : 'done');
      return more;
    } catch (err) {
      if (this.#failures % FAILURES_A_LINE === 0) {
        logger.error({ err, job: job.name }, 'a job has failed and is tried again at its next tick');
      }
      this.#failures += 1;
      onRun?.(job.name, 'failed');
      return false;
    }
  }
}
