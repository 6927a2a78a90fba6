// Owns when jobs run: by their cron patterns, and sooner where they have a reason. Sole importer of node-cron.
// Does not own what they do, nor any clock: a job is handed the application's, which may be simulated.

import { type ScheduledTask, schedule } from 'node-cron';
import type { Logger } from 'pino';
import { Drive, type JobOutcome } from './drive.js';
import type { Job } from './job.js';

export interface SchedulerOptions {
  jobs: readonly Job[];
  clock: () => Date;
  logger: Logger;
  onRun?: (name: string, outcome: JobOutcome) => void;
}

export interface Scheduler {
  /** Starts no run any more, and resolves when those under way have ended. */
  stop(): Promise<void>;
}

export function startScheduler({ jobs, clock, logger, onRun }: SchedulerOptions): Scheduler {
  const running = jobs.map((job) => {
    const drive = new Drive({ job, clock, logger, onRun });
    job.onWork?.(() => drive.kick());
    // A tick that the process was too busy for is made up by the next one: nothing to warn of.
    const task = schedule(job.schedule, () => drive.kick(), { name: job.name, suppressMissedWarning: true });
    drive.kick();
    return { drive, task };
  });
  return {
    async stop() {
      await Promise.all(running.map(({ drive, task }) => stopBoth(drive, task)));
    },
  };
}

async function stopBoth(drive: Drive, task: ScheduledTask): Promise<void> {
  await Promise.all([task.destroy(), drive.stop()]);
}
