// Owns how a script lives: what it opens it closes again, the last first, when it is done, when it fails and
// on Ctrl-C. Does not own what the script does.

import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';

export interface Lifetime {
  /** Aborted by the first Ctrl-C, and when nobody reads the output any more. */
  signal: AbortSignal;
  /** Run at the end, whatever the end is; steps that were added later run first. */
  atEnd(step: () => unknown): void;
}

const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
/** Of a program whose reader has gone, as in `… | head`. */
const READER_GONE = 141;
const LATE_MS = 20_000;

/** Runs `work` and sets the exit code: 0, 1 with the error on stderr, or that of the signal that ended it. */
export async function live(work: (lifetime: Lifetime) => Promise<void>): Promise<void> {
  const steps: (() => unknown)[] = [];
  const { signal, stopListening } = untilSignal();
  const working = work({ signal, atEnd: (step) => void steps.push(step) });
  try {
    await Promise.race([working, aborted(signal)]);
  } catch (error) {
    if (!signal.aborted) complain(error);
  }
  await unwind(steps);
  // What was being opened when the signal came registers its end only once it is open.
  if (signal.aborted)
    await Promise.race([working.catch(() => undefined), delay(LATE_MS, undefined, { ref: false })]);
  await unwind(steps);
  stopListening();
  if (signal.aborted) process.exit();
}

function untilSignal() {
  const stopping = new AbortController();
  const listeners = Object.entries(SIGNALS).map(([name, code]) => {
    const stop = () => {
      process.exitCode = code;
      stopping.abort();
    };
    process.on(name, stop);
    return () => process.off(name, stop);
  });
  process.stdout.on('error', () => {
    process.exitCode = READER_GONE;
    stopping.abort();
  });
  return { signal: stopping.signal, stopListening: () => listeners.forEach((off) => void off()) };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
  );
}

async function unwind(steps: (() => unknown)[]): Promise<void> {
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    try {
      await step();
    } catch (error) {
      // One part that does not close keeps no other from closing.
      complain(error);
    }
  }
}

function complain(error: unknown): void {
  process.exitCode = 1;
  // With its cause: what a failed fetch says by itself is that it failed.
  process.stderr.write(`${inspect(error)}\n`);
}
