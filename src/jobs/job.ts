// Owns what a job is. Does not own when any of them runs (scheduler.ts).

export interface JobResult {
  /** Whether there is more to do at once, because the run was bounded. */
  more: boolean;
  /** What the run did, for the log. */
  counts: Record<string, number>;
}

/** A piece of work that any number of processes may run at once, and that a late or missed run does no harm. */
export interface Job {
  name: string;
  /** A cron pattern that begins with seconds. */
  schedule: string;
  /** One bounded run. */
  runOnce(now: Date): Promise<JobResult>;
  /** Looks again so long after it found nothing, where the schedule alone would be too slow. */
  pollMs?: number;
  /** Calls back when there is work; it only shortens the wait. */
  onWork?(wake: () => void): void;
  /** Finishes what a run has left under way. */
  stop?(): Promise<void>;
}
